/** The rows that effects of a task write and read, by name instead of by key. */

import { obligationsRowKey, planRowKey } from '../../machines/catalogue.ts';
import type { Obligations } from '../../machines/obligations.ts';
import type { Plan, PlanNode } from '../../machines/plan.ts';
import type { Feedback } from '../../machines/subtask.ts';
import type { Verdict } from '../../machines/verdict.ts';
import type { Row, Store } from '../../store/port.ts';
import { ARTIFACT_PREFIX, type ArtifactRow, artifactKey } from '../../tools/artifacts.ts';
import { isGitsOwn } from '../../tools/records.ts';
import type { ToolImage, ChangelogEntry as UndoableEntry } from '../../tools/tool.ts';
import type { TrackedList } from '../../tools/tracker.ts';
import { isUndone } from '../../tools/undo.ts';
import type { Message } from '../models/model.ts';

const four = (n: number): string => String(n).padStart(4, '0');
const two = (n: number): string => String(n).padStart(3, '0');

/** Position of a message in its thread: 0 is the prompt, then per iteration what was added, the answer, the results. */
export const messageKey = {
  prompt: (thread: string, n: number): string => `m/${thread}/${four(0)}.b${two(n)}`,
  added: (thread: string, iteration: number): string => `m/${thread}/${four(iteration)}.a`,
  answer: (thread: string, iteration: number): string => `m/${thread}/${four(iteration)}.b`,
  result: (thread: string, iteration: number, n: number): string =>
    `m/${thread}/${four(iteration)}.c${two(n)}`,
};

/** One tool call of an answer as it will be executed. */
export interface StoredCall {
  id: string;
  name: string;
  arguments: Record<string, unknown>;
  repaired: string[];
  /** The name under which the model called it: it answers to that. */
  via?: string;
}

export interface StoredMessage {
  message: Message;
  /** Of an assistant message: its calls, parsed and repaired; null where one was refused. */
  calls?: (StoredCall | null)[];
  /** Alias of the model that wrote it. */
  alias?: string;
  /** Of a tool's result: pictures for models that can see. */
  images?: ToolImage[];
  /** Keys of the user's instructions that this message carries. */
  instructions?: string[];
}

/** Arguments that a person put in the place of the model's. */
export interface EditedCall {
  arguments: Record<string, unknown>;
  subject: string;
}

export const editedKey = (thread: string, iteration: number, n: number): string =>
  `ed/${thread}/${four(iteration)}.${two(n)}`;

/** An instruction given while the task runs. */
export interface Instruction {
  key: string;
  text: string;
}

/** What one tool call changed; the unit of undo. */
export interface ChangelogEntry extends UndoableEntry {
  at: string;
}

export interface SubtaskSummary {
  summary: string;
  claim: string;
  files: string[];
  deliverables: string[];
  /** Key of its memory, where it left any. */
  memory?: string;
}

/** Names of the tools that a conversation carries. */
export const offeredKey = (thread: string): string => `to/${thread}`;

/** What a person answered to a question of the model's. */
export interface Decision {
  question: string;
  answer: string;
}

export const MEMORY_TYPES = [
  'decision',
  'error',
  'tool_result',
  'discovery',
  'artifact',
  'context',
  'user_instruction',
] as const;
export type MemoryType = (typeof MEMORY_TYPES)[number];

/** Something a completed subtask leaves for others. */
export interface MemoryEntry {
  subtask: string;
  type: MemoryType;
  /** At most 150 characters. */
  summary: string;
  /** At most 200 characters, '' for none. */
  detail: string;
  /** Paths, commands, names: a subtask that mentions one of them is concerned. */
  tags: string[];
  /** Ids of subtasks it was written for. */
  relevance_to: string[];
}

/** The first source of it. */
export interface Taint {
  source: string;
}

/** What a tool did, for verification: not the transcript. */
export interface ToolTrace {
  tool: string;
  subject: string;
  success: boolean;
  exit_code?: number;
  files_changed: string[];
  destructive: boolean;
  /** Not proven read-only. */
  mutates?: boolean;
  /** Interrupted, and found done by a person: what it changed is not known, that it happened is. */
  confirmed?: true;
  /** Code of the failure. */
  error?: string;
  /** End of what it printed or answered. */
  output?: string;
  /** Of a command: where its stored call stands. */
  at?: { thread: string; iteration: number; n: number };
}

/** A verdict with the effect that reached it. */
export interface StoredVerdict extends Verdict {
  effect: string;
  by: 'checks' | 'review';
}

const keyOrder = (effectKey: string): string => {
  const [path = '', step = '0', index = '0'] = effectKey.split('|');
  return `${step.padStart(8, '0')}.${index.padStart(3, '0')}.${path.split('/').at(-2) ?? ''}`;
};

/** Key of a changelog row: per subtask, in the order in which the intents were committed. */
export const changelogKey = (subtask: string | null, effectKey: string): string =>
  `c/${subtask ?? '-'}/${keyOrder(effectKey)}`;
/** Steps that a subtask has noted for itself. */
export const trackedKey = (subtask: string | null): string => `todo/${subtask ?? '-'}`;
export const readKey = (subtask: string | null, path: string): string => `r/${subtask ?? '-'}/${path}`;
export const verdictKey = (thread: string): string => `v/${thread}`;
export const checksKey = (thread: string): string => `vc/${thread}`;
/** What the resolver advised after an attempt. */
export const fixKey = (thread: string): string => `fix/${thread}`;
export const SUMMARY_PREFIX = 'sum/';
export const summaryKey = (subtask: string): string => SUMMARY_PREFIX + subtask;
/** In the order in which subtasks were settled. */
export const memoryKey = (effectKey: string): string => `${MEMORY_PREFIX}${keyOrder(effectKey)}`;
/** What the extractor read out of an attempt; becomes part of the memory when the subtask settles. */
export const extractedKey = (thread: string): string => `mx/${thread}`;
export const decisionKey = (subtask: string | null, effectKey: string): string =>
  `d/${subtask ?? '-'}/${keyOrder(effectKey)}`;
export const traceKey = (thread: string, effectKey: string): string => `t/${thread}/${keyOrder(effectKey)}`;
export const TAINT_PREFIX = 'taint/';
/** That a subtask, or the session ('-'), has read untrusted content. */
/** Of a run whose very goal somebody tainted has written. No subtask has this name. */
export const TAINTED_RUN = `${TAINT_PREFIX}*`;
export const taintKey = (subtask: string | null): string => TAINT_PREFIX + (subtask ?? '-');
const INSTRUCTION_PREFIX = 'steer/';
const MEMORY_PREFIX = 'mem/';

export const row = (key: string, value: unknown): Row => ({ key, value });

/** Reading half, bound to one run. */
export function taskRows(store: Pick<Store, 'get' | 'range'>, run: string) {
  const plans = new Map<number, Plan>();
  const owed = new Map<number, Obligations>();
  /** A stored plan never changes, so each version is read once. */
  const planIfStored = async (version: number): Promise<Plan | null> => {
    const plan = plans.get(version) ?? (await store.get<Plan>(run, planRowKey(version)));
    if (plan) plans.set(version, plan);
    return plan;
  };
  const values = async <T>(prefix: string): Promise<T[]> =>
    (await store.range<T>(run, prefix)).map(entry => entry.value);
  const history = async (): Promise<ChangelogEntry[]> =>
    (await values<ChangelogEntry>('c/')).sort((a, b) => (keyOrder(a.key) < keyOrder(b.key) ? -1 : 1));
  return {
    values,
    any: async (prefix: string): Promise<boolean> =>
      (await store.range<unknown>(run, prefix, { limit: 1 })).length > 0,
    keys: async (prefix: string): Promise<string[]> =>
      (await store.range<unknown>(run, prefix)).map(entry => entry.key),
    get: <T>(key: string): Promise<T | null> => store.get<T>(run, key),
    planIfStored,
    plan: async (version: number): Promise<Plan> => {
      const plan = await planIfStored(version);
      if (!plan) throw new Error(`plan version ${version} is not stored`);
      return plan;
    },
    /** The same for what is owed under it. */
    obligations: async (version: number): Promise<Obligations> => {
      const known = owed.get(version) ?? (await store.get<Obligations>(run, obligationsRowKey(version)));
      if (!known) return { version, list: [] };
      owed.set(version, known);
      return known;
    },
    messages: (thread: string): Promise<StoredMessage[]> => values<StoredMessage>(`m/${thread}/`),
    feedback: (subtask: string, incarnation: string): Promise<Feedback[]> =>
      values<Feedback>(`fb/${subtask}@${incarnation}/`),
    verdict: (thread: string): Promise<StoredVerdict | null> =>
      store.get<StoredVerdict>(run, verdictKey(thread)),
    summary: (subtask: string): Promise<SubtaskSummary | null> =>
      store.get<SubtaskSummary>(run, summaryKey(subtask)),
    /** In the order of the intents; of one subtask only, where given. Without what git keeps for itself; `undone_by` only
     *  where it is undone at present. */
    changelog: async (subtask?: string): Promise<ChangelogEntry[]> => {
      const all = await history();
      const byId = new Map(all.map(entry => [entry.id, entry]));
      return all
        .filter(entry => subtask === undefined || entry.subtask === subtask)
        .map(({ undone_by, ...entry }) => ({
          ...entry,
          ...(undone_by && isUndone({ ...entry, undone_by }, byId) ? { undone_by } : {}),
          changes: entry.changes.filter(change => !isGitsOwn(change.path)),
        }));
    },
    /** The same, whole: what an undo takes back. */
    history,
    traces: (thread: string): Promise<ToolTrace[]> => values<ToolTrace>(`t/${thread}/`),
    decisions: (subtask: string): Promise<Decision[]> => values<Decision>(`d/${subtask}/`),
    /** Of these keys, and of the subtasks that settled last; newest first, each once. */
    memory: async (keys: string[], newest: number): Promise<MemoryEntry[][]> => {
      const last = await store.range<MemoryEntry[]>(run, MEMORY_PREFIX, { reverse: true, limit: newest });
      const known = new Map(last.map(({ key, value }) => [key, value]));
      for (const key of keys) if (!known.has(key)) known.set(key, (await store.get(run, key)) ?? []);
      return [...known].sort(([a], [b]) => (a < b ? 1 : -1)).map(([, entries]) => entries);
    },
    /** The newest commands of the whole run, in the order of the intents, with the step of each. */
    commands: async (
      limit: number,
    ): Promise<{ trace: ToolTrace; step: number; effect: string; order: string }[]> =>
      (await store.range<ToolTrace>(run, 't/'))
        .filter(({ value }) => value.exit_code !== undefined)
        .map(({ key, value }) => {
          const order = key.slice(key.lastIndexOf('/') + 1);
          return { trace: value, step: Number(order.split('.')[0]), effect: key, order };
        })
        .sort((a, b) => (a.order < b.order ? -1 : 1))
        .slice(-limit),
    trackedByOthers: async (subtask: string | null): Promise<{ subtask: string; list: TrackedList }[]> =>
      (await store.range<TrackedList>(run, 'todo/'))
        .filter(({ key }) => key !== trackedKey(subtask))
        .map(({ key, value }) => ({ subtask: key.slice('todo/'.length), list: value })),
    artifact: (id: string): Promise<ArtifactRow | null> => store.get<ArtifactRow>(run, artifactKey(id)),
    artifacts: (): Promise<{ key: string; value: ArtifactRow }[]> =>
      store.range<ArtifactRow>(run, ARTIFACT_PREFIX),
    /** What the user said to the running task, oldest first. */
    instructions: async (_thread?: string): Promise<Instruction[]> =>
      (await store.range<string>(run, INSTRUCTION_PREFIX)).map(({ key, value }) => ({ key, text: value })),
    lastReads: async (subtask: string | null): Promise<Map<string, string>> => {
      const prefix = readKey(subtask, '');
      const rows = await store.range<string>(run, prefix);
      return new Map(rows.map(({ key, value }) => [key.slice(prefix.length), value]));
    },
  };
}

export type TaskRows = ReturnType<typeof taskRows>;

/** `<subtask>@<incarnation>.<attempt>` taken apart. */
export function threadParts(thread: string): { subtask: string; incarnation: string; attempt: number } {
  const at = thread.lastIndexOf('@');
  const [incarnation = '1', attempt = '1'] = thread.slice(at + 1).split('.');
  return { subtask: thread.slice(0, at), incarnation, attempt: Number(attempt) };
}

export const nodeOf = (plan: Plan, id: string): PlanNode => {
  const node = plan.subtasks.find(candidate => candidate.id === id);
  if (!node) throw new Error(`subtask ${id} is not in plan version ${plan.version}`);
  return node;
};
