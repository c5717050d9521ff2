/** Reads a planner's answer: finds the JSON, holds it against the schema, normalises ids. Pure but for loading ajv. */
import { NODE_ID, type Plan, type PlanNode } from '../../machines/plan.ts';
import { endsInside, extractJson, extractList } from '../models/extract-json.ts';

const strings = { type: 'array', items: { type: 'string' } };

/** Also sent to servers that can constrain their output. */
export const PLAN_SCHEMA = {
  type: 'object',
  properties: {
    goal_criteria: strings,
    subtasks: {
      type: 'array',
      minItems: 1,
      items: {
        type: 'object',
        properties: {
          id: { type: 'string', minLength: 1 },
          description: { type: 'string', minLength: 1 },
          depends_on: strings,
          model_tier: { type: 'integer', minimum: 1, maximum: 3 },
          verification_tier: { type: 'integer', minimum: 1, maximum: 3 },
          is_critical_path: { type: 'boolean' },
          is_synthesis: { type: 'boolean' },
          acceptance_criteria: { type: 'string' },
          deliverables: strings,
        },
        required: ['id', 'description'],
      },
    },
  },
  required: ['subtasks'],
};

/** `My Step_1` and `my-step-1` are one id: lower case, dashes, at most 48 characters. */
export function normaliseId(id: string): string {
  const plain = id
    .trim()
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, '-')
    .replace(/^-+|-+$/g, '')
    .slice(0, 48)
    .replace(/-+$/, '');
  return NODE_ID.test(plain) ? plain : id;
}

/** A criterion list is as good as a text. */
function lenient(value: unknown): unknown {
  if (!value || typeof value !== 'object') return value;
  const node = { ...(value as Record<string, unknown>) };
  if (Array.isArray(node['acceptance_criteria']))
    node['acceptance_criteria'] = node['acceptance_criteria'].map(String).join('\n');
  for (const key of ['depends_on', 'deliverables', 'acceptance_criteria'])
    if (node[key] === null) delete node[key];
  if (typeof node['deliverables'] === 'string') node['deliverables'] = [node['deliverables']];
  if (typeof node['id'] === 'number') node['id'] = `step-${node['id']}`;
  return node;
}

let validator: Promise<(value: unknown) => string[]> | undefined;
const validate = () =>
  (validator ??= import('ajv').then(({ Ajv }) => {
    // The schema is ours: checking it against the schema of schemas costs 10 ms a run and can find nothing.
    const check = new Ajv({ allErrors: true, meta: false, validateSchema: false }).compile(PLAN_SCHEMA);
    return value =>
      check(value)
        ? []
        : (check.errors ?? [])
            .slice(0, 12)
            .map(error => `${error.instancePath || 'the plan'} ${error.message ?? 'is wrong'}`);
  }));

export async function readPlan(text: string): Promise<{ plan: Plan } | { errors: string[] }> {
  // A plan that was cut off can look whole once it is repaired, and would silently lack what followed.
  if (endsInside(text)) return { errors: ['the answer ends in the middle of the plan: make it shorter'] };
  const value = extractJson(text, ['subtasks'])?.value;
  // A bare list of subtasks has one reading.
  const bare = value && 'subtasks' in value ? null : extractList(text, ['id', 'description']);
  if (!value && !bare)
    return { errors: ['the answer holds no JSON object with "subtasks": answer with that object alone'] };
  const object: Record<string, unknown> = bare ? { subtasks: bare } : { ...value };
  if (Array.isArray(object['subtasks'])) object['subtasks'] = object['subtasks'].map(lenient);
  if (object['goal_criteria'] !== undefined && !Array.isArray(object['goal_criteria']))
    delete object['goal_criteria'];
  const errors = (await validate())(object);
  if (errors.length > 0) return { errors };
  const subtasks = (object['subtasks'] as Partial<PlanNode>[]).map(
    (node): PlanNode => ({
      id: normaliseId(node.id!),
      description: node.description!,
      depends_on: [...new Set((node.depends_on ?? []).map(normaliseId))],
      model_tier: node.model_tier ?? 1,
      verification_tier: node.verification_tier ?? 2,
      is_critical_path: node.is_critical_path ?? false,
      is_synthesis: node.is_synthesis ?? false,
      acceptance_criteria: node.acceptance_criteria ?? '',
      deliverables: node.deliverables ?? [],
    }),
  );
  return {
    plan: { version: 1, goal_criteria: (object['goal_criteria'] as string[] | undefined) ?? [], subtasks },
  };
}
