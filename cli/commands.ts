/** Every command as data: words, options, where its code is. Loading this loads no command. */
import type { Run } from './run-command.ts';

export interface CommandSpec {
  name: string;
  /** As in help: `<x>` is required, `[x]` is not. */
  args: string;
  summary: string;
  options: OptionSpec[];
  examples?: string[];
  load: () => Promise<{ command: Run }>;
}

/** `<value>` in the flag means that it takes one. */
export type OptionSpec = [flag: string, description: string];

export const GLOBAL_OPTIONS: OptionSpec[] = [
  ['-w, --workspace <dir>', 'Work in this folder (default: the current one)'],
  ['--config <file>', 'Settings (default: ./loom.toml, then ~/.loom/loom.toml)'],
  ['-m, --model <alias>', 'Model that does the work, by its alias in loom.toml'],
  ['--output <form>', 'text, json (one object) or stream-json (one event per line)'],
  ['--no-color', 'No colours (also NO_COLOR)'],
];

const RULES: OptionSpec[] = [
  ['--allow <rule>', "Let calls pass without asking, e.g. 'shell_execute(npm test*)'"],
  ['--deny <rule>', 'Refuse calls, e.g. write_file(secrets/**)'],
];

const LIMITS: OptionSpec[] = [
  ...RULES,
  ['--max-tokens <n>', 'Stop, resumable, after this many tokens'],
  ['--max-cost <usd>', 'Stop, resumable, after this much money'],
  ['--max-model-calls <n>', 'Stop, resumable, after this many model calls'],
  ['--max-tool-calls <n>', 'Stop, resumable, after this many tool calls'],
  ['--timeout <seconds>', 'Stop, resumable, after this much time of work'],
  ['--deltas', 'stream-json only: also pieces of answers while they are written'],
];

const UNDO_OPTIONS: OptionSpec[] = [
  ['--subtask <id>', 'Only what this subtask changed'],
  ['--dry-run', 'Only say what would happen'],
  ['--force', 'Also where somebody else changed the file since'],
];

export const COMMANDS: CommandSpec[] = [
  {
    name: 'cowork',
    args: '',
    summary: 'Work together in this folder (the same as loom without a command)',
    options: [
      ['--resume <id>', 'Go on with this conversation (an id or its beginning)'],
      ['--continue', 'Go on with the last conversation of this folder'],
      ...RULES,
    ],
    load: () => import('./commands/cowork.ts'),
  },
  {
    name: 'run',
    args: '<goal>',
    summary: 'Plan a goal, do it, verify it; GOAL or @FILE',
    options: [
      ['--approval <mode>', 'auto, manual or confidence_threshold'],
      ...LIMITS,
      ['--plan-only', 'Print the plan and stop'],
      ['--no-adopt', 'Leave runs alone whose process died'],
    ],
    examples: ['loom run "Fix the failing test"', 'loom run @goal.md --max-tokens 200000'],
    load: () => import('./commands/run.ts'),
  },
  {
    name: 'resume',
    args: '[id]',
    summary: 'Go on with a run that stopped',
    options: [['--last', 'The newest unfinished run of this workspace'], ...LIMITS],
    load: () => import('./commands/resume.ts'),
  },
  {
    name: 'status',
    args: '<id>',
    summary: 'Where a run stands',
    options: [['--wait', 'Wait for its end and exit with its code']],
    load: () => import('./commands/status.ts'),
  },
  {
    name: 'show',
    args: '<id>',
    summary: 'Plan, verdicts, files and usage of a run',
    options: [],
    load: () => import('./commands/show.ts'),
  },
  {
    name: 'logs',
    args: '<id>',
    summary: 'Everything that happened in a run',
    options: [['-f, --follow', 'Stay and print what comes']],
    load: () => import('./commands/logs.ts'),
  },
  {
    name: 'tasks',
    args: '',
    summary: 'Runs, newest first (-w: of one workspace)',
    options: [],
    load: () => import('./commands/tasks.ts'),
  },
  {
    name: 'diff',
    args: '<id>',
    summary: 'What a run changed',
    options: [['--subtask <id>', 'Only what this subtask changed']],
    load: () => import('./commands/diff.ts'),
  },
  {
    name: 'undo',
    args: '<id>',
    summary: 'Put back what a run, a subtask (RUN/SUBTASK) or one change did to files',
    options: UNDO_OPTIONS,
    load: () => import('./commands/undo.ts'),
  },
  {
    name: 'redo',
    args: '<id>',
    summary: 'Take the last undo of a run, a subtask or a change back',
    options: UNDO_OPTIONS,
    load: () => import('./commands/redo.ts'),
  },
  {
    name: 'cancel',
    args: '<id>',
    summary: 'Stop a run for good, also one of another terminal',
    options: [],
    load: () => import('./commands/cancel.ts'),
  },
  {
    name: 'pause',
    args: '<id>',
    summary: 'Let a running task end its step and wait; resume goes on',
    options: [],
    load: () => import('./commands/pause.ts'),
  },
  {
    name: 'steer',
    args: '<id> <instruction>',
    summary: 'Tell a running task something; it counts from the next step on',
    options: [],
    load: () => import('./commands/steer.ts'),
  },
  {
    name: 'approve',
    args: '<id>',
    summary: 'Say yes to an open question (question or task id)',
    options: [],
    load: () => import('./commands/approve.ts'),
  },
  {
    name: 'reject',
    args: '<id>',
    summary: 'Say no to an open question',
    options: [['--reason <text>', 'Why; the model reads it']],
    load: () => import('./commands/reject.ts'),
  },
  {
    name: 'answer',
    args: '<id> <answer>',
    summary: 'Answer an open question with a choice or a text',
    options: [],
    load: () => import('./commands/answer.ts'),
  },
  {
    name: 'chart',
    args: '[name]',
    summary: 'Draw a machine (task, subtask, turn, verifier, session …), or where a run (ID) stands in them',
    options: [
      ['--format <form>', 'text, mermaid, dot or svg (default: text)'],
      ['--active', 'Of a run: only the lit states and where they can go'],
    ],
    examples: ['loom chart task', 'loom chart k3x9 --active', 'loom chart turn --format svg > turn.svg'],
    load: () => import('./commands/chart.ts'),
  },
  {
    name: 'models',
    args: '',
    summary: 'Models and their roles',
    options: [['--check', 'Ask each one whether it answers']],
    load: () => import('./commands/models.ts'),
  },
  {
    name: 'doctor',
    args: '',
    summary: 'Check that everything Loom needs is there',
    options: [],
    load: () => import('./commands/doctor.ts'),
  },
  {
    name: 'setup',
    args: '',
    summary: 'Find models, try one, write loom.toml',
    options: [
      ['--non-interactive', 'Ask nothing: the best local model, or what these say'],
      ['--provider <name>', 'ollama, openai_compatible or anthropic'],
      ['--base-url <url>', 'Where the server is'],
      ['--chat-model <name>', 'The model, by its name at the server'],
      ['--judge-model <name>', 'Another model of that server that judges results'],
      ['--key-env <variable>', 'Variable that holds the key'],
      ['--no-check', 'Write without trying the model'],
    ],
    examples: [
      'loom setup',
      'loom setup --non-interactive --provider openai_compatible --base-url http://127.0.0.1:8000/v1',
    ],
    load: () => import('./commands/setup.ts'),
  },
  {
    name: 'config',
    args: '<action>',
    summary: 'show (what is in effect, and from where) · check · schema (for editors)',
    options: [],
    load: () => import('./commands/config.ts'),
  },
  {
    name: 'tool',
    args: '<action> [name] [json]',
    summary: 'list · call NAME JSON · parse (a model answer from stdin)',
    options: [
      ['--tools <file>', 'parse: JSON list of the tools that were offered; without it any name is a call'],
    ],
    examples: [
      `loom tool call read_file '{"path": "README.md"}'`,
      'loom tool parse --tools tools.json < answer.txt',
    ],
    load: () => import('./commands/tool.ts'),
  },
  {
    name: 'store',
    args: '<action> [dir]',
    summary: 'verify (read and check every row) · backup DIR · compact (give free space back)',
    options: [],
    examples: ['loom store backup ~/loom-backup'],
    load: () => import('./commands/store.ts'),
  },
  {
    name: 'purge',
    args: '<target>',
    summary: 'Remove a run (id), or all runs of a workspace (path), for good',
    options: [
      ['--yes', 'Do not ask'],
      ['--dry-run', 'Only say what would be removed'],
    ],
    load: () => import('./commands/purge.ts'),
  },
  {
    name: 'learned',
    args: '',
    summary: 'What earlier runs taught and what Loom makes of it',
    options: [
      ['--all', 'Also what has no effect at present'],
      ['--type <type>', 'behavioral_correction, behavioral_gap, success_rate, retry_hint or plan_template'],
      ['--limit <n>', 'At most this many (default: 30)'],
      ['--delete <id>', 'Forget this one'],
    ],
    load: () => import('./commands/learned.ts'),
  },
  {
    name: 'reset-learning',
    args: '',
    summary: 'Forget everything that earlier runs taught',
    options: [['--yes', 'Do not ask']],
    load: () => import('./commands/reset-learning.ts'),
  },
  {
    name: 'version',
    args: '',
    summary: 'Print the version',
    options: [],
    load: () => import('./commands/version.ts'),
  },
];
