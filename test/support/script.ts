/** Short forms for what a scripted model says: entries of a scenario, and the whole of it as YAML. */
import type { ScenarioCall, ScenarioEntry } from '../../actors/models/scenario.ts';

/** JSON is YAML. */
export const script = (...entries: (ScenarioEntry | ScenarioEntry[])[]): string =>
  JSON.stringify(entries.flat());

export interface Node {
  id: string;
  needs?: string[];
  files?: string[];
  tier?: 1 | 2 | 3;
  criteria?: string;
  description?: string;
}

export const subtasks = (nodes: Node[]) =>
  nodes.map(({ id, needs = [], files = [], tier = 1, criteria = '', description }) => ({
    id,
    description: description ?? `Do what ${id} says.`,
    depends_on: needs,
    model_tier: 1,
    verification_tier: tier,
    is_critical_path: true,
    is_synthesis: false,
    acceptance_criteria: criteria,
    deliverables: files,
  }));

/** The planner's answer. */
export const plan = (...nodes: Node[]): ScenarioEntry => ({
  role: 'planner',
  reply: { subtasks: subtasks(nodes) },
});

/** The executor calls tools. */
export const calls = (subtask: string, ...list: ScenarioCall[]): ScenarioEntry => ({
  role: 'executor',
  subtask,
  calls: list,
});

export const call = (name: string, args: Record<string, unknown> | string): ScenarioCall => ({
  name,
  arguments: args,
});

export const writes = (subtask: string, path: string, content = `${path}\n`): ScenarioEntry =>
  calls(subtask, call('write_file', { path, content }));

export const shell = (subtask: string, command: string): ScenarioEntry =>
  calls(subtask, call('shell_execute', { command }));

/** The executor's last answer. */
export const says = (subtask: string, reply: unknown): ScenarioEntry => ({
  role: 'executor',
  subtask,
  reply,
});

export const done = (subtask: string, files: string[] = [], summary = `${subtask} is done.`): ScenarioEntry =>
  says(subtask, { status: 'success', summary, deliverables_touched: files });

/** Writes one file and says so. */
export const delivers = (subtask: string, path: string, content?: string): ScenarioEntry[] => [
  writes(subtask, path, content),
  done(subtask, [path]),
];

export const verdict = (
  subtask: string,
  passed: boolean,
  feedback = passed ? 'All criteria are met.' : 'A criterion is not met.',
): ScenarioEntry => ({
  role: 'verifier',
  subtask,
  reply: {
    passed,
    outcome: passed ? 'pass' : 'fail',
    reason_code: passed ? '' : 'llm_semantic_failed',
    severity_class: 'semantic',
    confidence: 0.9,
    feedback,
    issues: passed ? [] : [feedback],
    metadata: {},
  },
});

/** Never used up. */
export const always = (entry: ScenarioEntry): ScenarioEntry => ({ ...entry, repeat: true });
