/** Plays a YAML scenario instead of a model. One engine for the scripted provider and the fake servers of the tests. */
import { readFile } from 'node:fs/promises';
import { modelError } from './errors.ts';

/** What a request looks like to a scenario, whatever wire it came over. */
export interface ScenarioMessage {
  role: 'system' | 'user' | 'assistant' | 'tool';
  text: string;
}

export interface ScenarioCall {
  name: string;
  /** An object, or a raw string that plays malformed JSON. */
  arguments: Record<string, unknown> | string;
}

interface ScenarioError {
  status: number;
  message: string;
  /** Seconds. */
  retry_after?: number;
}

/** cut_stream: the connection dies in the middle · no_done: the stream ends without its end mark ·
 *  stream_error: an error arrives in the middle · hang: no answer until the caller gives up. */
type ScenarioFault = 'cut_stream' | 'no_done' | 'stream_error' | 'hang';

export interface ScenarioEntry {
  role: string;
  subtask?: string;
  attempt?: number;
  /** Number of assistant messages in the request, from 0. */
  step?: number;
  /** A part of the goal, for a scenario that serves several runs. */
  goal?: string;
  /** Never used up. */
  repeat?: boolean;
  reply?: unknown;
  reasoning?: string;
  calls?: ScenarioCall[];
  error?: ScenarioError;
  fault?: ScenarioFault;
  delay_ms?: number;
  finish?: 'stop' | 'length' | 'tool_calls' | 'refusal';
}

/** What an entry answers with. */
export interface ScenarioTurn {
  text: string;
  reasoning: string;
  calls: { name: string; arguments: string }[];
  finish: 'stop' | 'length' | 'tool_calls' | 'refusal';
  delay_ms: number;
  error?: ScenarioError;
  fault?: ScenarioFault;
}

export interface Asked {
  role: string;
  subtask: string;
  attempt: number;
  step: number;
}

const KEYS = new Set([
  'role',
  'subtask',
  'attempt',
  'step',
  'goal',
  'repeat',
  'reply',
  'reasoning',
  'calls',
  'error',
  'fault',
  'delay_ms',
  'finish',
]);

/** Who asks, read from the request itself: `# Loom <role>`, `Subtask: <id>`, `Attempt: <n>`. */
function askedBy(messages: ScenarioMessage[]): Asked {
  const system = messages.find(message => message.role === 'system')?.text ?? '';
  // Tool results may quote anything, also when they are sent as user messages.
  const prompts = messages.filter(
    message =>
      (message.role === 'system' || message.role === 'user') && !/^\s*<tool_response>/.test(message.text),
  );
  const found = (pattern: RegExp) => prompts.flatMap(message => pattern.exec(message.text)?.[1] ?? []);
  return {
    role: /^# Loom (\w+)/.exec(system)?.[1] ?? '',
    subtask: found(/^Subtask: *(\S+)/m)[0] ?? '',
    attempt: Number(found(/^Attempt: *(\d+)/m).at(-1) ?? 1),
    step: messages.filter(message => message.role === 'assistant').length,
  };
}

const asText = (reply: unknown): string =>
  reply === undefined || reply === null ? '' : typeof reply === 'string' ? reply : JSON.stringify(reply);

function turnOf(entry: ScenarioEntry): ScenarioTurn {
  const calls = (entry.calls ?? []).map(call => ({
    name: call.name,
    arguments: typeof call.arguments === 'string' ? call.arguments : JSON.stringify(call.arguments ?? {}),
  }));
  return {
    text: asText(entry.reply),
    reasoning: entry.reasoning ?? '',
    calls,
    finish: entry.finish ?? (calls.length > 0 ? 'tool_calls' : 'stop'),
    delay_ms: entry.delay_ms ?? 0,
    ...(entry.error ? { error: entry.error } : {}),
    ...(entry.fault ? { fault: entry.fault } : {}),
  };
}

export class Scenario {
  readonly #entries: ScenarioEntry[];
  readonly #used = new Set<ScenarioEntry>();
  readonly #source: string;

  constructor(entries: ScenarioEntry[], source = 'scenario') {
    this.#entries = entries;
    this.#source = source;
  }

  /** The first unused matching entry. Throws ModelError `script` when nothing matches. */
  next(messages: ScenarioMessage[]): ScenarioTurn {
    const asked = askedBy(messages);
    const entry = this.#entries.find(
      candidate => !this.#used.has(candidate) && matches(candidate, asked, messages),
    );
    if (!entry) throw this.#noEntry(asked, messages);
    if (!entry.repeat) this.#used.add(entry);
    return turnOf(entry);
  }

  /** Entries that were never played, repeating ones left out. */
  unused(): ScenarioEntry[] {
    return this.#entries.filter(entry => !entry.repeat && !this.#used.has(entry));
  }

  #noEntry(asked: Asked, messages: ScenarioMessage[]) {
    const last = messages.findLast(message => message.role === 'user')?.text ?? '';
    const shown = last.length > 200 ? `…${last.slice(-200)}` : last;
    return modelError(
      'script',
      `${this.#source} has no unused entry for role=${asked.role || '(none)'} subtask=${asked.subtask || '(none)'} ` +
        `attempt=${asked.attempt} step=${asked.step}; last user message: ${JSON.stringify(shown)}. Add an entry that matches, or mark one repeat: true.`,
      { detail: { ...asked } },
    );
  }
}

function matches(entry: ScenarioEntry, asked: Asked, messages: ScenarioMessage[]): boolean {
  if (entry.role !== asked.role) return false;
  if (entry.subtask !== undefined && entry.subtask !== asked.subtask) return false;
  if (entry.attempt !== undefined && entry.attempt !== asked.attempt) return false;
  if (entry.step !== undefined && entry.step !== asked.step) return false;
  const { goal } = entry;
  return (
    goal === undefined ||
    messages.some(message => message.role !== 'assistant' && message.text.includes(goal))
  );
}

/** Entries of a parsed YAML document: a list, or a mapping with `entries`. Throws ModelError `script` naming what is wrong. */
function scenarioOf(document: unknown, source: string): Scenario {
  const list = Array.isArray(document) ? document : (document as { entries?: unknown } | null)?.entries;
  const wrong = (text: string) => modelError('script', `${source}: ${text}`);
  if (!Array.isArray(list)) throw wrong('a scenario is a list of entries, or a mapping with "entries"');
  list.forEach((entry: unknown, i) => {
    const where = `entry ${i + 1}`;
    if (typeof entry !== 'object' || entry === null) throw wrong(`${where} is not a mapping`);
    const unknown = Object.keys(entry).find(key => !KEYS.has(key));
    if (unknown) throw wrong(`${where} has the unknown key "${unknown}"; known: ${[...KEYS].join(', ')}`);
    const { role, reply, calls, error, fault } = entry as Partial<ScenarioEntry>;
    if (typeof role !== 'string' || role === '') throw wrong(`${where} has no role`);
    if (reply === undefined && !calls && !error && !fault)
      throw wrong(`${where} says nothing: give it reply, calls, error or fault`);
    if (calls && !(Array.isArray(calls) && calls.every(call => typeof call?.name === 'string')))
      throw wrong(`${where}: calls is a list of {name, arguments}`);
    if (error && typeof error.status !== 'number') throw wrong(`${where}: error needs a numeric status`);
  });
  return new Scenario(list as ScenarioEntry[], source);
}

/** Reads a scenario from YAML text. Throws ModelError `script`. */
export async function parseScenario(text: string, source = 'scenario'): Promise<Scenario> {
  const { parse } = await import('./yaml.ts');
  let document: unknown;
  try {
    document = parse(text);
  } catch (cause) {
    throw modelError('script', `${source} is not valid YAML: ${(cause as Error).message}`, { cause });
  }
  return scenarioOf(document, source);
}

/** Reads a scenario file. Throws ModelError `script` when it cannot be read or understood. */
export async function loadScenario(path: string): Promise<Scenario> {
  let text: string;
  try {
    text = await readFile(path, 'utf8');
  } catch (cause) {
    throw modelError('script', `cannot read the scenario ${path}: ${(cause as Error).message}`, { cause });
  }
  return parseScenario(text, path);
}
