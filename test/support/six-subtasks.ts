/** The run that the crash suite kills: six subtasks, some parallel, with writes, edits, a move, a deletion and a shell
 *  command. Every effect leaves a trace that would show a second execution: edits insert a line, the command appends one. */
import type { Sandbox } from './loom-process.ts';

export const GOAL = 'Build the kit';
/** A second goal for the same workspace; it only reads, and takes long enough for an adopted run to finish beside it. */
export const OTHER_GOAL = 'Look around';

const LONG = Array.from({ length: 400 }, (_, i) => `line ${i} of the long text`).join('\n');

interface Call {
  name: string;
  arguments: Record<string, unknown>;
}

const subtask = (id: string, depends_on: string[], deliverables: string[]) => ({
  id,
  description: `Do ${id}.`,
  depends_on,
  model_tier: 1,
  verification_tier: 1,
  is_critical_path: false,
  is_synthesis: false,
  acceptance_criteria: `${id} is done.`,
  deliverables,
});

const write = (path: string, content: string): Call => ({ name: 'write_file', arguments: { path, content } });
const edit = (path: string, old_str: string, new_str: string): Call => ({
  name: 'edit_file',
  arguments: { path, old_str, new_str },
});
const read = (path: string): Call => ({ name: 'read_file', arguments: { path } });

/** Calls of each subtask, one list per answer of the model. */
const WORK: Record<string, Call[][]> = {
  alpha: [[write('kit/alpha.txt', 'alpha\nEND\n')], [edit('kit/alpha.txt', 'END', 'more alpha\nEND')]],
  notes: [[read('notes.md')], [edit('notes.md', '- END', '- noted\n- END')]],
  long: [[write('kit/long.txt', `${LONG}\n`)], [edit('kit/long.txt', 'line 399', 'a line before\nline 399')]],
  audit: [[{ name: 'shell_execute', arguments: { command: 'echo built >> audit.log' } }]],
  rewrite: [
    [read('old.txt')],
    [write('old.txt', `${LONG}\nrewritten\n`), edit('notes.md', '- END', '- again\n- END')],
  ],
  tidy: [
    [
      { name: 'move_file', arguments: { source: 'kit/alpha.txt', destination: 'kit/moved/alpha.txt' } },
      { name: 'delete_file', arguments: { path: 'junk.txt' } },
    ],
  ],
};

const PLAN = {
  subtasks: [
    subtask('alpha', [], ['kit/alpha.txt']),
    subtask('notes', [], ['notes.md']),
    subtask('long', [], ['kit/long.txt']),
    subtask('audit', ['alpha'], ['audit.log']),
    subtask('rewrite', ['notes'], ['old.txt']),
    subtask('tidy', ['audit', 'rewrite', 'long'], []),
  ],
};

/** Every entry repeats, so that a call that a kill cut off gets the same answer again. `look_ms`: how late each answer for
 *  the other goal is. */
export function sixSubtasks(look_ms = 700): string {
  const entries: object[] = [
    { role: 'planner', goal: GOAL, repeat: true, reply: PLAN },
    {
      role: 'planner',
      goal: OTHER_GOAL,
      repeat: true,
      delay_ms: look_ms,
      reply: { subtasks: [subtask('look', [], [])] },
    },
    { role: 'executor', subtask: 'look', step: 0, repeat: true, calls: [read('notes.md')] },
    {
      role: 'executor',
      subtask: 'look',
      step: 1,
      repeat: true,
      delay_ms: look_ms,
      reply: 'There are notes.',
    },
  ];
  for (const [id, answers] of Object.entries(WORK)) {
    answers.forEach((calls, step) => {
      entries.push({ role: 'executor', subtask: id, step, repeat: true, calls });
    });
    entries.push({
      role: 'executor',
      subtask: id,
      step: answers.length,
      repeat: true,
      reply: `${id} is done.`,
    });
  }
  // JSON is YAML
  return JSON.stringify(entries);
}

export function prepareWorkspace(box: Sandbox): void {
  box.write('notes.md', '# Notes\n\n- END\n');
  box.write('old.txt', 'old\n');
  box.write('junk.txt', 'junk\n');
}
