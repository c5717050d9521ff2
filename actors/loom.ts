/** The interface of Loom as a library; the command line and later servers use nothing else. Implemented in `engine.ts`. */

import type { BackedUp } from '../store/backup.ts';
import type { ApprovalMode, Config } from '../store/config.ts';
import type { ConfigReport } from '../store/config-report.ts';
import type { RunStatus } from '../store/port.ts';
import type { Network } from '../tools/web/connection.ts';
import type { Answer, JournalEvent, Preview, Question } from './events.ts';
import type { Session, SessionOptions, SessionSummary } from './session/types.ts';

export type { Answer, BackedUp, ConfigReport, JournalEvent, Preview, Question };

export interface OpenOptions {
  /** Default: `LOOM_HOME` or `~/.loom`. */
  home?: string;
  /** Default: the current folder. */
  workspace?: string;
  /** A loaded configuration, or the path of a loom.toml; default: the search order of the README. */
  config?: Config | string;
  /** Alias of the model that takes the executor and session roles. */
  model?: string;
  /** Default: `process.env`. */
  env?: NodeJS.ProcessEnv;
  /** How the web tools resolve names and connect, for programs with a network of their own. Every address is judged first. */
  network?: Network;
  /** Told what a person should know but no result carries: warnings of the configuration, models that were found. */
  onNotice?: (line: string) => void;
}

export interface RunOptions {
  goal: string;
  workspace?: string;
  model?: string;
  approval?: ApprovalMode;
  allow?: string[];
  deny?: string[];
  plan_only?: boolean;
  max_tokens?: number;
  max_cost?: number;
  max_model_calls?: number;
  max_tool_calls?: number;
  /** Time in which processes work on the run, all of them together. */
  timeout_seconds?: number;
  /** Refuse to adopt runs of this workspace whose owner died. Default: adopt. */
  adopt?: boolean;
  signal?: AbortSignal;
  onEvent?: (event: JournalEvent) => void;
  onPreview?: (preview: Preview) => void;
  /** Asked when a decision is needed; absent or null: the run stops with exit code 3. */
  onQuestion?: (question: Question, signal: AbortSignal) => Promise<Answer | null>;
}

export type ResumeOptions = Pick<
  RunOptions,
  | 'allow'
  | 'deny'
  | 'max_tokens'
  | 'max_cost'
  | 'max_model_calls'
  | 'max_tool_calls'
  | 'timeout_seconds'
  | 'signal'
  | 'onEvent'
  | 'onPreview'
  | 'onQuestion'
>;

export interface SubtaskReport {
  id: string;
  status: string;
  description: string;
  depends_on: string[];
  attempts: number;
  verification: { outcome: string; reason_code: string; confidence: number; independent: boolean } | null;
  summary: string;
}

export interface UsageReport {
  input_tokens: number;
  output_tokens: number;
  model_calls: number;
  /** null: a model without a price took part. */
  cost_usd: number | null;
}

/** Ranges `[at best, at worst]`, before anything has run. */
export interface Estimate {
  model_calls: [number, number];
  tokens: [number, number];
  /** null: a model without a price would take part. */
  cost_usd: [number, number] | null;
}

/** The object `--output json` prints and `run()` resolves to. */
export interface RunResult {
  type: 'result';
  task_id: string;
  status: RunStatus;
  exit_code: number;
  goal: string;
  workspace: string;
  summary: string;
  subtasks: SubtaskReport[];
  deliverables: string[];
  files_changed: string[];
  usage: UsageReport;
  duration_ms: number;
  error?: { code: string; message: string };
  /** Open questions when the run stopped at a decision. */
  questions?: Question[];
  plan_only?: true;
  /** Only with `plan_only`. */
  estimate?: Estimate;
}

/** One line of `loom tasks`. */
export interface TaskSummary {
  task_id: string;
  status: RunStatus;
  goal: string;
  workspace: string;
  created_at: string;
  updated_at: string;
  exit_code: number | null;
  /** A process owns it right now. */
  live: boolean;
  parked: { reason: string; message: string } | null;
}

export interface TaskDetail extends TaskSummary {
  result: RunResult;
  questions: Question[];
}

export interface FileChange {
  /** What `loom undo` takes. */
  id: string;
  subtask_id: string | null;
  tool: string;
  operation: 'create' | 'modify' | 'delete' | 'rename';
  path: string;
  from?: string;
  diff: string;
  undoable: boolean;
  undone: boolean;
}

export interface UndoOptions {
  subtask?: string;
  /** Only tell what would happen. */
  dry_run?: boolean;
  /** Also where somebody else changed the file since; what is overwritten can be had back with `redo`. */
  force?: boolean;
}

export interface UndoReport {
  /** What was (or with dry_run would be) put back. */
  reverted: { id: string; path: string; operation: string }[];
  /** Left alone, with the reason, e.g. changed since by somebody else. */
  refused: { id: string; path: string; reason: string }[];
  dry_run: boolean;
}

export interface ModelReport {
  alias: string;
  provider: string;
  model: string;
  base_url: string;
  roles: string[];
  tier: number;
  /** Only after a check. */
  ok?: boolean;
  window?: number;
  latency_ms?: number;
  error?: { code: string; message: string };
}

export interface DoctorLine {
  name: string;
  status: 'ok' | 'warn' | 'fail';
  message: string;
}

export interface PurgeReport {
  /** What was (or with dry_run would be) removed. */
  runs: { task_id: string; status: RunStatus; goal: string; workspace: string }[];
  refused: { task_id: string; reason: string }[];
  rows: number;
  /** Stored contents that no run names any more, and their size. */
  blobs: number;
  bytes: number;
  /** Of those, too young to be removed for sure; they go with a later clean-up. */
  kept_blobs: number;
  dry_run: boolean;
}

/** One thing that runs taught. */
export interface LearnedPattern {
  /** What `loom learned --delete` takes. */
  id: string;
  type: 'behavioral_correction' | 'behavioral_gap' | 'success_rate' | 'retry_hint' | 'plan_template';
  description: string;
  /** How often it was observed, and when. */
  seen: number;
  first_seen: string;
  last_seen: string;
  /** It changes how Loom works at present; a success rate does only when its model is passed over. */
  active: boolean;
  /** The fields of its type. */
  data: Record<string, unknown>;
}

export interface ToolReport {
  success: boolean;
  output: string;
  error: { code: string; message: string } | null;
  data: Record<string, unknown>;
  files_changed: string[];
}

/** A state, or the state of each region by its name. */
export type StatePosition = string | { [state: string]: StatePosition };

/** A live actor of a run: which states it is in and what it waits for. */
export interface ActorPosition {
  /** Below the task, e.g. `s:fix-wrap@1/turn`; '' for the task itself. */
  path: string;
  machine: string;
  version: number;
  value: StatePosition;
  waits_for: { id: string; source: string; state: 'running' | 'open' | 'held' | 'stopping' }[];
}

export interface RunChart {
  task: TaskSummary;
  /** From the task down; none when the run is over. */
  actors: ActorPosition[];
}

export type {
  HistoryEntry,
  Session,
  SessionEvent,
  SessionOptions,
  SessionState,
  SessionSummary,
  SessionUsage,
} from './session/types.ts';

export interface Loom {
  readonly home: string;
  readonly workspace: string;
  /** Throws LoomError `config` when the file that was found cannot be read. */
  readonly config: Config;
  run(options: RunOptions): Promise<RunResult>;
  /** A full id or a unique prefix; `last` for the newest unfinished run of this workspace. */
  resume(id: string, options?: ResumeOptions): Promise<RunResult>;
  /** From `from` (default 1); ends after the terminal event, or at the present end with `follow: false`. */
  events(
    id: string,
    options?: { from?: number; follow?: boolean; signal?: AbortSignal },
  ): AsyncIterable<JournalEvent>;
  tasks(filter?: { workspace?: string }): Promise<TaskSummary[]>;
  task(id: string): Promise<TaskDetail>;
  /** Where the run's machines stand at this moment. */
  chart(id: string): Promise<RunChart>;
  /** Resolves when the command is stored; `wait` until the run has ended. */
  /** Opens a conversation; its calls go through the same gate as a task's. Throws LoomError `unknown_id`, `ambiguous_id`,
   *  `owned_elsewhere`, `no_model`. */
  openSession(options?: SessionOptions): Promise<Session>;
  /** The one used last first. */
  sessions(filter?: { workspace?: string }): Promise<SessionSummary[]>;
  /** The whole conversation, word for word. */
  exportSession(id: string, format: 'markdown' | 'json'): Promise<string>;
  cancel(id: string, options?: { wait?: boolean }): Promise<TaskSummary>;
  /** Running work ends its step, nothing new begins; `resume` goes on. */
  pause(id: string): Promise<TaskSummary>;
  /** The whole instruction reaches running subtasks at their next step and every later prompt. */
  steer(id: string, instruction: string): Promise<TaskSummary>;
  /** A question id, or a task id with exactly one open question. */
  answer(id: string, answer: Answer): Promise<Question>;
  changes(id: string): Promise<FileChange[]>;
  /** A task, `task/subtask`, a subtask's id alone, or a change. */
  undo(id: string, options?: UndoOptions): Promise<UndoReport>;
  /** Takes the newest undo of any of these back. Throws LoomError `nothing_to_redo`. */
  redo(id: string, options?: UndoOptions): Promise<UndoReport>;
  models(options?: { check?: boolean }): Promise<ModelReport[]>;
  doctor(): Promise<DoctorLine[]>;
  verifyStore(): Promise<{ runs: number; rows: number; problems: string[] }>;
  /** Into a folder that is a home itself; others go on meanwhile. */
  backupStore(folder: string): Promise<BackedUp>;
  /** Gives free space back to the disk; throws LoomError `store_busy` while a run is at work. */
  compactStore(): Promise<{ before: number; after: number }>;
  /** A run by id, or every run of a workspace; runs at work are refused. */
  purge(target: string, options?: { dry_run?: boolean }): Promise<PurgeReport>;
  /** What runs taught: success rates of models, retry hints, plan templates. */
  learned(): Promise<LearnedPattern[]>;
  /** Forgets one of them, by its id or a unique prefix. Throws LoomError `unknown_id`, `ambiguous_id`. */
  forgetLearned(id: string): Promise<LearnedPattern>;
  /** Forgets all of them. */
  resetLearning(): Promise<{ removed: number }>;
  tools: {
    list(): { name: string; description: string; parameters: Record<string, unknown> }[];
    call(name: string, args: Record<string, unknown>, options?: { workspace?: string }): Promise<ToolReport>;
    parse(
      text: string,
      options?: { tools?: { name: string; parameters: Record<string, unknown> }[] },
    ): {
      calls: { name: string; arguments: Record<string, unknown>; repaired: string[] }[];
      thinking: string;
      content: string;
    };
  };
  close(): Promise<void>;
}
