/** Recognises tool calls that a model wrote into its text: bare JSON, a code block, or `<tool_call>` tags. */
import { toolsNamed } from './fit-call.ts';
import { balancedEnd, isObject, isUnclosed, parseLoose } from './json-repair.ts';
import type { ToolSchema } from './model.ts';

/** A call as written; arguments are an object, or text still to be read. */
export interface WrittenCall {
  name: string;
  arguments: unknown;
  repaired: string[];
  /** It breaks off, or cannot be read. */
  broken?: string;
}

interface TextCalls {
  calls: WrittenCall[];
  /** The text around the calls. */
  content: string;
}

const NAME_KEYS = ['name', 'tool', 'tool_name', 'function_name', 'function', 'action'];
const ARGUMENT_KEYS = ['arguments', 'parameters', 'args', 'params', 'input', 'tool_input', 'action_input'];

/** Words before a call that make it an example or a report, not a call. */
const EXAMPLE = /\b(for example|for instance|e\.\s?g\.|examples?|such as)(?![\w.])[^\n.!?]{0,160}$/i;
const QUOTED =
  /\b(like this|looks? like|would (look|be|call|use|write)|could (call|use|write)|(you|one) (can|could|would|should|might)|the (format|syntax)|in the form(at)? of|I (called|ran|used|executed|invoked)|I('ve| have) (called|run|used|executed))\b[^\n.!?]{0,160}$/i;
/** The model speaks of what it does next: then it is a call, however it is introduced. */
const INTENT =
  /\b(I('| wi)ll|I am going to|I'm going to|let me|let's|I need to|I should|I must|I want to|now I)\b[^\n.!?]{0,160}$/i;
const CUT = 'the answer was cut off inside this call; send it again, whole';

const calledFor = (
  value: Record<string, unknown>,
): { name: string; args: unknown; hasArgs: boolean } | null => {
  const inner = value['function'];
  if (isObject(inner) && typeof inner['name'] === 'string')
    return calledFor({ ...inner, function: undefined });
  const nameKey = NAME_KEYS.find(key => typeof value[key] === 'string' && value[key] !== '');
  if (!nameKey) return null;
  const argumentKey = ARGUMENT_KEYS.find(key => key in value);
  return {
    name: String(value[nameKey]),
    args: argumentKey ? value[argumentKey] : {},
    hasArgs: argumentKey !== undefined,
  };
};

/** The calls in a parsed value: one, a list, or a wrapper with `tool_calls`. Null when anything in it is not a call. */
function callsIn(value: unknown, repaired: string[], needArguments: boolean): WrittenCall[] | null {
  if (Array.isArray(value)) {
    const lists = value.map(item => callsIn(item, repaired, needArguments));
    return lists.length > 0 && lists.every(list => list !== null) ? lists.flat() : null;
  }
  if (!isObject(value)) return null;
  const wrapped = value['tool_calls'];
  if (Array.isArray(wrapped)) return callsIn(wrapped, repaired, needArguments);
  const found = calledFor(value);
  if (!found || (needArguments && !found.hasArgs)) return null;
  return [{ name: found.name, arguments: found.args, repaired }];
}

/** One or more JSON values standing one after the other. */
function jsonValues(body: string, cut: boolean): { values: unknown[]; repaired: string[] } | null {
  const whole = parseLoose(body, { cut });
  const values: unknown[] = [];
  let rest = body.trim();
  while (/^[{[]/.test(rest)) {
    const end = balancedEnd(rest, 0);
    const piece = end < 0 ? rest : rest.slice(0, end);
    const parsed = parseLoose(piece, { cut });
    if (!parsed) break;
    values.push(parsed.value);
    rest = end < 0 ? '' : rest.slice(end).replace(/^[\s,;]+/, '');
  }
  if (values.length > 1 && rest === '') return { values, repaired: [] };
  return whole && { values: [whole.value], repaired: whole.repaired };
}

interface Context {
  /** null: any name will do. */
  tools: ToolSchema[] | null;
  cut: boolean;
}

/** Without tags only names that were offered are calls; everything else is an answer in JSON. */
const offered = (calls: WrittenCall[], { tools }: Context): boolean =>
  tools === null || calls.every(call => toolsNamed(call.name, tools).length > 0);

const beforeOf = (content: string, at: number): string => {
  const before = content.slice(Math.max(0, at - 300), at).trimEnd();
  // Only the paragraph that leads to the call speaks about it.
  return before.slice(before.lastIndexOf('\n\n') + 1).replace(/\n/g, ' ');
};

const meant = (content: string, at: number): boolean => {
  const before = beforeOf(content, at);
  if (/`$/.test(before) || EXAMPLE.test(before)) return false;
  return INTENT.test(before) || !QUOTED.test(before);
};

const TAG = /<(tool_call|function_call|tool_use)>([\s\S]*?)(?:<\/\1>|(?=<\1>)|$)/g;

/** `<tool_call>` blocks, closed or at the end of the text. */
function tagged(content: string, context: Context): TextCalls | null {
  const calls: WrittenCall[] = [];
  let rest = '';
  let from = 0;
  for (const match of content.matchAll(TAG)) {
    const at = match.index;
    const whole = match[0];
    const body = (match[2] ?? '').trim();
    const closed = /<\/\w+>$/.test(whole);
    const fenced = (content.slice(0, at).match(/^[ \t]*```/gm)?.length ?? 0) % 2 === 1;
    const after = content.slice(at + whole.length).replace(/^\s*```\s*/, '');
    const quoted = fenced && after.trim() !== '' && !after.trim().startsWith('<');
    if (!/^(```\w*\s*)?[{[]/.test(body) || quoted || !meant(stripFence(content.slice(0, at)), at)) continue;
    const read = jsonValues(body, context.cut && !closed);
    const found = read?.values.map(value => callsIn(value, read.repaired, false));
    if (found?.every(list => list !== null)) calls.push(...found.flat());
    else calls.push(broken(body, context.cut && !closed));
    rest += content.slice(from, at);
    from = at + whole.length;
  }
  if (calls.length === 0) return null;
  return { calls, content: (rest + content.slice(from)).replace(/```\w*\s*(```)?\s*$/, '').trim() };
}

/** A code fence that only introduces a tag says nothing. */
const stripFence = (text: string): string => text.replace(/```[\w-]*\s*$/, '');

function broken(body: string, cut: boolean): WrittenCall {
  const name = /"(?:name|tool)"\s*:\s*"([^"]+)"/.exec(body)?.[1] ?? '';
  return {
    name,
    arguments: body,
    repaired: [],
    broken: cut ? CUT : 'the call is not valid JSON: send {"name": …, "arguments": {…}}',
  };
}

const BLOCK =
  /^[ \t]*```[ \t]*(json5?|tool_call|tool_calls|tool|tool_code|javascript|js)?[ \t]*\r?\n([\s\S]*?)(?:\r?\n[ \t]*```|(?![\s\S]))/gim;
/** A remark after a code block may be this long before the block counts as quoted. */
const REMARK = 160;

/** Code blocks that hold nothing but calls of offered tools, at the end of the answer. */
function fenced(content: string, context: Context): TextCalls | null {
  const calls: WrittenCall[] = [];
  let rest = '';
  let from = 0;
  for (const match of content.matchAll(BLOCK)) {
    const body = (match[2] ?? '').trim();
    if (!/^[{[]/.test(body) || !meant(content, match.index)) continue;
    const read = jsonValues(body, context.cut && from === 0);
    const found = read?.values.map(value => callsIn(value, read.repaired, true));
    if (!found?.every(list => list !== null) || !offered(found.flat(), context)) {
      if (isCutCall(body, context)) calls.push(broken(body, true));
      continue;
    }
    calls.push(...found.flat());
    rest += content.slice(from, match.index);
    from = match.index + match[0].length;
  }
  const after = content.slice(from).trim();
  if (calls.length === 0 || after.length > REMARK || /\b(example|returned|result was)\b/i.test(after))
    return null;
  return { calls, content: `${rest.trim()}\n${after}`.trim() };
}

/** An answer that broke off inside what was going to be a call. */
function isCutCall(body: string, context: Context): boolean {
  if (!context.cut || !isUnclosed(body)) return false;
  const name = /^[{[\s]*"(?:name|tool|function)"\s*:\s*"([^"]+)"/.exec(body)?.[1];
  return name !== undefined && (context.tools === null || toolsNamed(name, context.tools).length > 0);
}

/** JSON that is the whole answer, or its last thing after prose. */
function bare(content: string, context: Context): TextCalls | null {
  const text = content.trim();
  for (const start of starts(text)) {
    const body = text.slice(start);
    if (start > 0 && !meant(text, start)) continue;
    if (isCutCall(body, context))
      return { calls: [broken(body, true)], content: text.slice(0, start).trim() };
    // After prose only valid JSON is a call: what needs repair there may as well be prose in braces.
    const read = start === 0 ? jsonValues(body, context.cut) : strictValues(body);
    if (!read || read.repaired.includes('surrounding_text')) continue;
    const found = read.values.map(value => callsIn(value, read.repaired, true) ?? keyed(value, context));
    const calls = found.every(list => list !== null) ? found.flat() : [];
    if (calls.length > 0 && offered(calls, context)) return { calls, content: text.slice(0, start).trim() };
  }
  return null;
}

/** Places looked at before giving up on an answer that is full of brackets. */
const MOST_STARTS = 64;

/** Positions where the last thing of a text may begin: the text itself, or a bracket at the start of a line or after a sentence. */
function starts(text: string): number[] {
  const inside = [...text.matchAll(/(?:\n[ \t]*|[:.!?]\s*)[{[]/g)].map(
    match => match.index + match[0].length - 1,
  );
  const late = inside.filter(at => at > 0).slice(-MOST_STARTS);
  return /^[{[]/.test(text) ? [0, ...late] : late;
}

function strictValues(body: string): { values: unknown[]; repaired: string[] } | null {
  const values: unknown[] = [];
  let rest = body.trim();
  while (rest) {
    const end = /^[{[]/.test(rest) ? balancedEnd(rest, 0) : -1;
    if (end < 0) return null;
    try {
      values.push(JSON.parse(rest.slice(0, end)));
    } catch {
      return null;
    }
    rest = rest.slice(end).replace(/^[\s,;]+/, '');
  }
  return { values, repaired: [] };
}

/** `{"read_file": {"path": "a"}}`: the one key is the tool. */
function keyed(value: unknown, { tools }: Context): WrittenCall[] | null {
  if (!isObject(value) || !tools) return null;
  const [key, ...others] = Object.keys(value);
  if (!key || others.length > 0 || !isObject(value[key])) return null;
  const exact = tools.some(tool => tool.name === key);
  return exact ? [{ name: key, arguments: value[key], repaired: [] }] : null;
}

/** The calls in a text without think blocks; null when there are none. `cut`: the answer ended at its length limit. */
export function findTextCalls(content: string, tools: ToolSchema[] | null, cut: boolean): TextCalls | null {
  if (tools?.length === 0 || !/[{[]/.test(content)) return null;
  const context = { tools, cut };
  return tagged(content, context) ?? fenced(content, context) ?? bare(content, context);
}
