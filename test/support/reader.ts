/** A model with no memory but its prompt: whatever it knows of the work it sees in the request. Stands behind the fake servers
 *  and does four jobs, as long as the harness keeps what matters within the window. */
import { Scenario, type ScenarioMessage, type ScenarioTurn } from '../../actors/models/scenario.ts';
import { subtasks } from './script.ts';

type Call = [name: string, args: Record<string, unknown>];
type Move = { calls: Call[] } | { done: string; files: string[] };

const LAST_LINE = /must end with the line "([^"]+)"/;
const quoted = (text: string): string => `'${text.replace(/'/g, `'\\''`)}'`;

interface Seen {
  /** The prompt of the subtask. */
  prompt: string;
  /** Results of the newest answer. */
  results: string[];
}

/** Reads a long file window by window and writes down its headings as it goes. */
function index({ prompt, results }: Seen): Move {
  const window = results.find(text => /showing lines/.test(text));
  if (results.length === 0) return { calls: [['read_file', { path: 'long.md' }]] };
  if (!window) return { done: 'The index is written.', files: ['index.md'] };
  const headings = window.match(/^## .+$/gm) ?? [];
  const next = /continue with line_start=(\d+)/.exec(window)?.[1];
  const lines = next ? headings : [...headings, LAST_LINE.exec(prompt)?.[1] ?? '(forgot how it must end)'];
  const write: Call[] =
    lines.length > 0
      ? [['shell_execute', { command: `printf '%s\\n' ${lines.map(quoted).join(' ')} >> index.md` }]]
      : [];
  const read: Call[] = next ? [['read_file', { path: 'long.md', line_start: Number(next) }]] : [];
  return { calls: [...write, ...read] };
}

/** Prints a log in several ways, all of them too long, and then only what it needs. */
function errors({ results }: Seen): Move {
  const long = ['cat app.log', 'sort app.log', 'tac app.log', 'nl app.log', "cat app.log | tr 'a-z' 'A-Z'"];
  const [text = ''] = results;
  if (results.length === 0) return { calls: [['shell_execute', { command: `${long[0]}; echo printed 1` }]] };
  const printed = Number(/^printed (\d+)$/m.exec(text)?.[1] ?? 0);
  if (printed > 0 && printed < long.length)
    return {
      calls: [['shell_execute', { command: `${long[printed]}; echo printed ${printed + 1}` }]],
    };
  if (printed > 0) return { calls: [['shell_execute', { command: "grep -n 'ERROR' app.log" }]] };
  const found = text.match(/^\d+:.*ERROR.*$/gm);
  if (found) return { calls: [['write_file', { path: 'errors.md', content: `${found.join('\n')}\n` }]] };
  return { done: 'The errors are listed.', files: ['errors.md'] };
}

/** Changes many files, three at a time, and looks for the rest after each round. */
function rename({ results }: Seen): Move {
  const search: Call = ['ripgrep_search', { pattern: 'version: 1', path: 'src' }];
  const files = results.flatMap(text => /^\/\/ (f\d+\.js)/.exec(text)?.[1] ?? []);
  if (results.length === 0) return { calls: [search] };
  if (files.length > 0)
    return {
      calls: [
        ...files.map(
          (file): Call => [
            'edit_file',
            { path: `src/${file}`, old_str: 'version: 1,', new_str: 'version: 2,' },
          ],
        ),
        search,
      ],
    };
  const rest = [...new Set(results.at(-1)?.match(/f\d+\.js/g) ?? [])].slice(0, 3);
  if (rest.length === 0) return { done: 'No file says version 1 any more.', files: [] };
  return { calls: rest.map((file): Call => ['read_file', { path: `src/${file}` }]) };
}

/** Writes what the prompt says, from what another subtask left. */
function title({ prompt, results }: Seen): Move {
  if (results.length > 0) return { done: 'The title is written.', files: ['title.md'] };
  const left = /^- index: (.+)$/m.exec(prompt)?.[1] ?? '(nothing was left by index)';
  return { calls: [['write_file', { path: 'title.md', content: `${left.split(' (files')[0]}\n` }]] };
}

const JOBS: Record<string, (seen: Seen) => Move> = { index, errors, rename, title };

const PLANS: Record<string, Parameters<typeof subtasks>[0]> = {
  'Index the handbook': [
    {
      id: 'index',
      files: ['index.md'],
      tier: 2,
      description: `Write every heading of long.md into index.md. ${'Keep their order and their words. '.repeat(12)}`,
      criteria: 'index.md has all headings and must end with the line "-- end of the index --".',
    },
    { id: 'title', needs: ['index'], files: ['title.md'] },
  ],
  'List the errors': [{ id: 'errors', files: ['errors.md'], tier: 2 }],
  'Raise the version': [{ id: 'rename', tier: 2, criteria: 'No file in src says version: 1.' }],
};

export const GOALS = Object.keys(PLANS);

export class Reader extends Scenario {
  constructor() {
    super([], 'reader');
  }

  override next(messages: ScenarioMessage[]): ScenarioTurn {
    const system = messages.find(message => message.role === 'system')?.text ?? '';
    const prompt = messages.find(message => message.role === 'user')?.text ?? '';
    const turn = (text: string, calls: Call[] = []): ScenarioTurn => ({
      text,
      reasoning: '',
      calls: calls.map(([name, args]) => ({ name, arguments: JSON.stringify(args) })),
      finish: calls.length > 0 ? 'tool_calls' : 'stop',
      delay_ms: 0,
    });
    const role = /^# Loom (\w+)/.exec(system)?.[1];
    if (role === 'planner') {
      const goal = GOALS.find(text => prompt.includes(text));
      return turn(JSON.stringify({ subtasks: subtasks(PLANS[goal ?? ''] ?? []) }));
    }
    if (role === 'verifier') {
      const passed = /## Changes really made\n(?!\(no file)/.test(prompt);
      return turn(
        JSON.stringify({
          passed,
          outcome: passed ? 'pass' : 'fail',
          confidence: 0.9,
          feedback: '',
          issues: [],
        }),
      );
    }
    const id = /^Subtask: (\S+)/m.exec(prompt)?.[1] ?? '';
    const results: string[] = [];
    for (const message of [...messages].reverse()) {
      if (message.role !== 'tool') break;
      results.unshift(message.text);
    }
    const move = JOBS[id]?.({ prompt, results }) ?? { done: `I see no job called "${id}".`, files: [] };
    if ('calls' in move) return turn('', move.calls);
    const { done, files } = move;
    return turn(JSON.stringify({ status: 'success', summary: done, deliverables_touched: files }));
  }
}
