/** Asks the planner (or replanner) and reads its answer: JSON, schema, normalised ids. The graph is judged by the machine. */
import type { EffectOutputs } from '../../machines/effects.ts';
import { failure } from '../../machines/failure.ts';
import {
  demoteSyntheses,
  type Plan,
  planErrors,
  STATUS_NAMES,
  type StatusLetter,
} from '../../machines/plan.ts';
import type { SubtaskRecord } from '../../machines/subtask.ts';
import type { PlanInput, ReplanInput } from '../../machines/task.ts';
import { lessonRow, type Observation } from '../../store/lessons.ts';
import type { Effect, EffectResult } from '../effect.ts';
import { chosenLine, type StartTier, startTier } from '../learning/start-tier.ts';
import { planTemplates } from '../learning/templates.ts';
import { plannerMessages, replannerMessages } from '../prompts/planner.ts';
import { type Called, callModel } from './call-model.ts';
import { costOf, type TaskDeps } from './deps.ts';
import { PLAN_SCHEMA, readPlan } from './plan-answer.ts';
import { roomFor } from './room.ts';
import type { Instruction } from './rows.ts';
import { surveyWorkspace } from './survey.ts';

/** Part of the window beside the answer; the rest is for the rules and the schema. */
const PROMPT_SHARE = 0.6;

export function planEffect(deps: TaskDeps): Effect {
  return async (intent, context) => {
    const input = intent.input as PlanInput;
    const [workspace, instructions, templates] = await Promise.all([
      surveyWorkspace(deps.workspace.root, deps.goal, context.signal),
      deps.rows.instructions(),
      planTemplates(deps.store, deps.goal, deps.now()),
    ]);
    const start = await plannerTier(deps);
    const history = plannerMessages(
      {
        goal: deps.goal,
        workspace,
        instructions: texts(instructions),
        errors: input.errors,
        templates,
      },
      await roomFor(deps, 'planner', start.tier, PROMPT_SHARE, context.signal),
    );
    const called = await callModel(deps, context, 'planner', {
      history,
      schema: { name: 'plan', schema: PLAN_SCHEMA },
      tier: start.tier,
      subtask: null,
      max_tokens: deps.config.limits.planning_response_max_tokens,
    });
    return settlePlan(deps, called, start, intent.key, soundAlone);
  };
}

export function replanEffect(deps: TaskDeps): Effect {
  return async (intent, context) => {
    const input = intent.input as ReplanInput;
    const [workspace, instructions, plan] = await Promise.all([
      surveyWorkspace(deps.workspace.root, deps.goal, context.signal),
      deps.rows.instructions(),
      deps.rows.plan(input.version),
    ]);
    const start = await plannerTier(deps);
    const nodes = await Promise.all(
      plan.subtasks.map(async node => {
        const record = await deps.rows.get<SubtaskRecord>(`s/${node.id}`);
        const left = await deps.rows.summary(node.id);
        const status = record?.status ?? STATUS_NAMES['p' satisfies StatusLetter];
        return `[${status}] ${node.id}: ${node.description.slice(0, 200)}${left ? ` — ${left.summary.slice(0, 200)}` : ''}`;
      }),
    );
    const history = replannerMessages(
      {
        goal: deps.goal,
        workspace,
        instructions: texts(instructions),
        errors: [],
        // The plan that worked for others is the one under way.
        templates: [],
        failed: input.failed,
        reason: input.reason,
        nodes,
      },
      await roomFor(deps, 'replanner', start.tier, PROMPT_SHARE, context.signal),
    );
    const called = await callModel(deps, context, 'replanner', {
      history,
      schema: { name: 'plan', schema: PLAN_SCHEMA },
      tier: start.tier,
      subtask: null,
      max_tokens: deps.config.limits.planning_response_max_tokens,
    });
    return settlePlan(deps, called, start, intent.key);
  };
}

const PLANNER = { role: 'planner', kind: 'plan' } as const;
/** Planning asks for a medium model unless that is known to write plans nobody can use. */
const PLANNED_TIER = 2;

const plannerTier = (deps: TaskDeps): Promise<StartTier> =>
  startTier(deps.store, deps.config, { ...PLANNER, planned: PLANNED_TIER }, deps.now());

async function settlePlan(
  deps: TaskDeps,
  { routed, journal }: Called,
  start: StartTier,
  effectKey: string,
  sound: (plan: Plan) => boolean = () => true,
): Promise<EffectResult> {
  const read =
    routed.response.finish === 'length'
      ? { errors: ['the answer was cut off before the plan was complete: make it shorter'] }
      : await readPlan(routed.response.content);
  const passed = 'plan' in read && sound(read.plan);
  const observed: Observation = {
    ...PLANNER,
    type: 'success_rate',
    alias: routed.alias,
    model: routed.config.model,
    passed,
  };
  return {
    output: 'errors' in read ? invalid(read.errors) : planned(read.plan),
    rows: [lessonRow(effectKey, [observed], deps.now())],
    journal: [...(start.reason === 'learned' ? [chosenLine(PLANNER, start)] : []), ...journal],
    used: costOf(deps.config, routed),
  };
}

/** Of a first plan; a new one may depend on what it does not name. */
const soundAlone = (plan: Plan): boolean => planErrors(demoteSyntheses(plan).plan).length === 0;

const planned = (plan: Plan): EffectOutputs['plan'] => ({ ok: true, plan });

const invalid = (errors: string[]): EffectOutputs['plan'] => ({
  ok: false,
  failure: failure('retryable', 'plan_invalid', errors[0] ?? 'the plan could not be read', { errors }),
});

const texts = (instructions: Instruction[]): string[] => instructions.map(instruction => instruction.text);
