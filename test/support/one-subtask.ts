/** Scenarios of plain subtasks, for runs that are watched or stopped while they do one particular thing. */

export const ONE_GOAL = 'Wait for it';

interface Answer {
  calls?: { name: string; arguments: Record<string, unknown> }[];
  reply?: string;
  delay_ms?: number;
  /** Default: every time. */
  repeat?: boolean;
  step?: number;
}

const node = (id: string) => ({
  id,
  description: 'Wait.',
  depends_on: [],
  model_tier: 1,
  verification_tier: 1,
  is_critical_path: false,
  is_synthesis: false,
  acceptance_criteria: 'Waited.',
});

// JSON is YAML
const scenario = (subtasks: string[], executor: object[]): string =>
  JSON.stringify([
    { role: 'planner', repeat: true, reply: { subtasks: subtasks.map(node) } },
    ...executor.map(entry => ({ role: 'executor', repeat: true, ...entry })),
    // Where checks find nothing to go by, somebody reads it.
    {
      role: 'verifier',
      repeat: true,
      reply: { passed: true, outcome: 'pass', confidence: 0.9, feedback: 'Fine.', issues: [] },
    },
  ]);

/** `answers` of the executor, in order; one without a `step` stands for the step of its position. */
export const oneSubtask = (answers: Answer[]): string =>
  scenario(
    ['wait'],
    answers.map((answer, step) => ({ step, ...answer })),
  );

/** The model answers `delay_ms` late with one command, then ends. */
export const commandThenDone = (command: string, delay_ms = 0): string =>
  oneSubtask([
    { delay_ms, calls: [{ name: 'shell_execute', arguments: { command } }] },
    { reply: 'Waited.' },
  ]);

/** Independent subtasks that write one file each. */
export const filePerSubtask = (files: { path: string; content: string; delay_ms: number }[]): string =>
  scenario(
    files.map((_, i) => `file-${i}`),
    files.flatMap(({ path, content, delay_ms }, i) => [
      {
        subtask: `file-${i}`,
        step: 0,
        delay_ms,
        calls: [{ name: 'write_file', arguments: { path, content } }],
      },
      { subtask: `file-${i}`, step: 1, reply: 'Written.' },
    ]),
  );
