/** What a tool is. One file per tool: schema, limits, assessment, run. Nothing host-side travels in the model's arguments. */

import type { Risk } from '../machines/approval.ts';
import type { EffectClass } from '../machines/effects.ts';
import type { Failure } from '../machines/failure.ts';
import type { BlobRef, Blobs } from '../store/blobs-port.ts';
import type { Artifacts } from './artifacts.ts';
import type { Delegate } from './delegated.ts';
import type { Tracker } from './tracker.ts';
import type { WebAccess } from './web/access.ts';

/** JSON Schema of an object, `additionalProperties: false`. Every string, array and number has bounds; an optional value has its
 *  `default`, or a description that says what its absence means. */
interface ParametersSchema {
  type: 'object';
  properties: Record<string, Record<string, unknown>>;
  required?: string[];
  additionalProperties: false;
  [keyword: string]: unknown;
}

export type Args = Record<string, unknown>;

/** What an operation does to the world: reads, changes files, runs programs, reaches other machines. */
type Reach = 'read' | 'write' | 'exec' | 'network';

/** What one operation does, where its reach alone does not say it all. */
export interface Operation {
  does: Reach | Reach[];
  /** What a crash in the middle of it means. By default of its reach: `exec` unknowable, `write` checkable, else repeatable. */
  effect?: EffectClass;
  /** Whether its calls run in order. By default when it writes or executes. */
  mutates?: boolean;
}

type Declared = Reach | Operation;

/** Credentials a tool needs, by the provider's name in `auth.toml`. */
interface AuthRequirement {
  provider: string;
  /** Works without, but better with. */
  optional?: boolean;
}

/** What `list_tools` groups by. */
type Category = 'files' | 'search' | 'shell' | 'web' | 'documents' | 'code' | 'data' | 'task' | 'tools';

/** What one call would do, judged before it happens. Approval, parallelism, recovery and locks derive from it. */
export interface Assessment {
  /** The highest risk decides the gate; order: read < network < write < exec < secret < destructive. */
  risks: Risk[];
  effect: EffectClass;
  /** True unless proven read-only: such calls run in order and, for shell, under the workspace lock. */
  mutates: boolean;
  /** What a person or a rule matches on: the path relative to the workspace, the command, the host. At most 2,000 chars. */
  subject: string;
  /** What a person who is asked should know of it: what would be lost, reached or seen. */
  why?: string;
}

export interface ToolContext {
  workspace: Workspace;
  /** Stable key of this execution; the same key is used again when a crash made Loom repeat it. */
  key: string;
  /** Aborts on cancel, deadline and interrupt; the tool settles within 1 s. */
  signal: AbortSignal;
  /** Whose reads the lost-update check compares with; null for calls from the command line. */
  subtask: string | null;
  /** Hash of what this subtask last read or wrote of a path (relative, `/`-separated). */
  lastRead(path: string): string | undefined;
  /** Must resolve before the first byte of the world changes; its value comes back as `recovered` after a crash. */
  checkpoint(value: unknown): Promise<void>;
  /** What an unfinished execution of the same key had checkpointed before the process died. */
  recovered?: unknown;
  /** Exclusive workspace lock; returns the release function. */
  lock(): Promise<() => Promise<void>>;
  blobs: Blobs;
  /** Absent where no task may be delegated: outside runs, and at the depth limit. */
  delegate?: Delegate;
  /** Contents that a model may read later, by id. */
  artifacts: Artifacts;
  /** The caller's own list of steps. */
  tracker: Tracker;
  /** What this run has changed so far, in order; nothing outside a run. */
  history(): Promise<ChangelogEntry[]>;
  /** Folder of Loom's own, outside every workspace, for the working copies of commands. */
  scratch: string;
  web: WebAccess;
  /** Records a child's process group so that whoever takes the run over can kill survivors. */
  child(group: { pgid: number; started: string; boot: string } | null): Promise<void>;
  /** Network allowed for this call (the gate let it pass). */
  network: boolean;
  sandbox: 'auto' | 'required' | 'off';
  /** Time limit of a shell command that names none, s. */
  commandSeconds: number;
  /** Characters of output that go to the model; the rest becomes a blob. */
  outputLimit: number;
}

export interface ChangeRecord {
  operation: 'create' | 'modify' | 'delete' | 'rename';
  /** Relative to the workspace, `/`-separated; for a rename the new path. */
  path: string;
  from?: string;
  /** Contents before, null for a create. */
  before: BlobRef | null;
  /** sha256 after, null for a delete. */
  after: string | null;
  /** What stands there; a file when absent. Folders have no contents, a link's contents are its target. */
  kind?: 'directory' | 'symlink';
  /** What stood there, of a change that turns a file, folder or link into something else. */
  kind_before?: 'file' | 'directory' | 'symlink';
  /** Contents after, where kept: makes the record a complete, repeatable and reversible instruction. */
  after_ref?: BlobRef;
  /** Permission bits before and after (null where the file did not exist). */
  mode_before: number | null;
  mode_after: number | null;
  /** Time of last change that a command gave the file, ms; build tools compare them. */
  mtime?: number;
  /** False: Loom knows that it changed but kept no contents (ignored folders, very large files). */
  undoable: boolean;
}

/** A row of the changelog. */
export interface ChangelogEntry {
  id: string;
  key: string;
  subtask: string | null;
  /** `undo` for an undo, `redo` for one that took an undo back. */
  tool: string;
  changes: ChangeRecord[];
  /** Id of the undo entry that took it back. */
  undone_by?: string;
  /** An undo that a crash cut off and that could not be ended: the next one begins by taking it back. */
  cut?: true;
}

/** A picture beside a result's text, for models that can see. */
export interface ToolImage {
  blob: BlobRef;
  media_type: string;
}

export interface ToolResult {
  success: boolean;
  /** What the model reads. */
  output: string;
  error: Failure | null;
  /** `diff` (40 lines), `exit_code`, … small JSON. */
  data: Record<string, unknown>;
  files_changed: string[];
  changes?: ChangeRecord[];
  /** path → sha256 of what the model has now seen or written. */
  reads?: Record<string, string>;
  /** Ids of changelog entries that this call has taken back. */
  undone?: string[];
  images?: ToolImage[];
  /** The whole where `output` or the diff was cut; the registry names it in the text by its artifact id. */
  artifact?: BlobRef;
  /** The output was written by somebody outside: a page, a search result, a fetched file. It reaches the prompt as data, under
   *  the name of its source, and makes the gate stricter for whoever has read it. */
  untrusted?: { source: string };
}

/** The one declaration that approval, recovery, parallelism, locks, limits and what models are offered derive from. */
export interface Tool {
  name: string;
  /** One or two short sentences: every request carries it. At most 120 characters. */
  description: string;
  category: Category;
  /** Words of a subtask that make this tool a likely one, beside those of its name and description. */
  keywords?: string[];
  parameters: ParametersSchema;
  /** What a call does; or the name of the parameter that chooses the operation, with what each of its values does. */
  effects: Declared | { by: string; operations: Record<string, Declared> };
  /** Parameters that hold workspace paths. They are judged, shown and matched by rules as the paths they mean; the tool itself
   *  opens them through `Workspace.resolve`, with the access that its effects declare. */
  paths?: string[];
  /** The parameter that rules and people know a call by. By default its paths, else its first required parameter. */
  subject?: string;
  /** Limit of one call, ms. */
  timeoutMs: number;
  auth?: AuthRequirement[];
  /** Refines what was declared where it depends on more: commands, addresses. Gets complete arguments. */
  assess?(args: Args, workspace: Workspace, declared: Assessment): Assessment | Promise<Assessment>;
  /** Gets arguments that fit the schema, defaults filled in. Throws LoomError for a refusal. */
  run(args: Args, context: ToolContext): Promise<ToolResult>;
}

/** The one door to files. Implemented in `workspace.ts`. */
export interface Workspace {
  /** Real path of the root. */
  readonly root: string;
  /**
   * Relative `/`-path of what `path` means inside the jail ('.' for the root), free of links.
   * Throws LoomError `path_outside`, `path_denied`, `path_invalid`; `not_found` with `mustExist`.
   */
  resolve(path: string, options?: ResolveOptions): Promise<string>;
}

export interface ResolveOptions {
  mustExist?: boolean;
  /** `write` also protects `.loom/`. Default `read`. */
  access?: 'read' | 'write';
  /** false: a link as last component means the link itself. Default true. */
  follow?: boolean;
}
