/** Calls without marks of their own: JSON in a code block, JSON or Python as the last thing of an answer.
 *  Without marks only names that were offered are calls; everything else is an answer in JSON or Python. */

import { toolsNamed } from '../../tools/calls/fit-call.ts';
import { balancedEnd } from '../../tools/calls/json-repair.ts';
import { callsIn, keyedCall, readCallObjects } from './dialects/call-objects.ts';
import type { WrittenCall } from './dialects/dialect.ts';
import { jsonBody, NEVER } from './dialects/json-body.ts';
import { readPythonCalls } from './dialects/python-calls.ts';
import type { ToolSchema } from './model.ts';
import { insideSentence, meant } from './quoting.ts';

export interface TextCalls {
  calls: WrittenCall[];
  /** The text around the calls. */
  content: string;
}

interface Context {
  /** null: any name will do. */
  tools: ToolSchema[] | null;
  cut: boolean;
}

const offered = (calls: WrittenCall[], { tools }: Context): boolean =>
  calls.length > 0 &&
  calls.every(call => call.name !== '' && (tools === null || toolsNamed(call.name, tools).length > 0));

/** Call objects that are all of `body`; null when it holds anything else. `closed`: the text goes on behind it. */
function objects(body: string, closed: boolean, context: Context): WrittenCall[] | null {
  const json = jsonBody(body, 0, closed ? /$/ : NEVER);
  if (!json || json.repaired.includes('surrounding_text') || body.slice(json.end).trim() !== '') return null;
  const lists = json.values.map(value => {
    const keyed = context.tools?.some(tool => tool.name === keyedCall(value)?.name) ? keyedCall(value) : null;
    return callsIn(value, json.repaired, true) ?? (keyed && [keyed]);
  });
  if (!lists.every(list => list !== null)) return null;
  const broken = json.rest ? (readCallObjects(json.rest.text, 0, closed ? /$/ : NEVER)?.calls ?? []) : [];
  if (json.rest && broken.length === 0) return null;
  const calls = [...lists.flat(), ...broken];
  return offered(calls, context) ? calls : null;
}

const BLOCK =
  /^[ \t]*```[ \t]*(json5?|tool_call|tool_calls|tool|tool_code|javascript|js)?[ \t]*\r?\n([\s\S]*?)(\r?\n[ \t]*```|(?![\s\S]))/gim;
/** A remark after a call may be this long before the call counts as quoted. */
const REMARK = 160;
const isRemark = (after: string): boolean =>
  after.length <= REMARK && !/\b(example|returned|result was)\b/i.test(after);

/** Code blocks that hold nothing but calls of offered tools, at the end of the answer. */
export function fencedCalls(content: string, context: Context): TextCalls | null {
  const calls: WrittenCall[] = [];
  let rest = '';
  let from = 0;
  for (const match of content.matchAll(BLOCK)) {
    const body = (match[2] ?? '').trim();
    const end = match.index + match[0].length;
    const quoted = insideSentence(content, content.indexOf('`', match.index), end);
    if (!/^[{[]/.test(body) || quoted || !meant(content, match.index)) continue;
    const found = objects(body, match[3] !== '', context);
    if (!found) continue;
    calls.push(...found);
    rest += content.slice(from, match.index);
    from = end;
  }
  const after = content.slice(from).trim();
  if (calls.length === 0 || !isRemark(after)) return null;
  return { calls, content: `${rest.trim()}\n${after}`.trim() };
}

/** JSON or Python that is the whole answer, or its last thing after prose. */
export function bareCalls(content: string, context: Context): TextCalls | null {
  const text = content.trim();
  for (const start of starts(text)) {
    if (start > 0 && !meant(text, start)) continue;
    const calls = python(text, start, context) ?? json(text, start, context);
    if (calls) return { calls, content: text.slice(0, start).trim() };
  }
  return withRemark(text, context);
}

/** After prose only valid JSON is a call: what needs repair there may as well be prose in braces. */
function json(text: string, start: number, context: Context): WrittenCall[] | null {
  const found = objects(text.slice(start), false, context);
  const strict =
    start === 0 || found?.every(call => call.repaired.length === 0 && (!call.broken || context.cut));
  return strict ? found : null;
}

function python(text: string, start: number, context: Context): WrittenCall[] | null {
  if (!/^(\[\s*)?[A-Za-z_][\w.]*\(/.test(text.slice(start, start + 200))) return null;
  const found = readPythonCalls(text, start);
  if (!found || text.slice(found.end).trim() !== '') return null;
  const listed = text[start] === '[';
  // Without brackets it may be a line of any program: then the names must be exactly those that were offered.
  const known = found.calls.every(call => context.tools?.some(tool => tool.name === call.name));
  const whole = found.calls.filter(call => !call.broken);
  const named =
    whole.length > 0 ? offered(whole, context) : context.tools !== null && offered(found.calls, context);
  if (listed ? !named : !known) return null;
  if (!found.closed && !found.calls.some(call => call.broken)) return null;
  return found.calls;
}

/** Llama 3 goes on talking behind its calls: `Here you are: {"name": …, "parameters": {…}}; {…} Anything else?` */
function withRemark(text: string, context: Context): TextCalls | null {
  const at = text.search(/[:.!?\n]\s*\{\s*"name"\s*:\s*"[^"\n]*"\s*,\s*"parameters"\s*:/);
  const start = text.indexOf('{', Math.max(0, at));
  if (at < 0 || !meant(text, start)) return null;
  let end = balancedEnd(text, start);
  for (let next = end; next >= 0; end = next) {
    const more = /^\s*;?\s*(?=\{)/.exec(text.slice(end));
    if (!more) break;
    next = balancedEnd(text, end + more[0].length);
  }
  const after = text.slice(end).trim();
  if (end < 0 || !/^[A-Z]/.test(after) || !isRemark(after)) return null;
  const calls = objects(text.slice(start, end), false, context);
  if (!calls?.every(call => call.repaired.length === 0 && !call.broken)) return null;
  return { calls, content: `${text.slice(0, start).trim()} ${after}` };
}

/** Places looked at before giving up on an answer that is full of brackets. */
const MOST_STARTS = 64;

/** Positions where the last thing of a text may begin: the text itself, or a bracket at the start of a line or after a sentence. */
function starts(text: string): number[] {
  const inside = [...text.matchAll(/(?:\n[ \t]*|[:.!?]\s*)[{[]/g)].map(
    match => match.index + match[0].length - 1,
  );
  const late = inside.filter(at => at > 0).slice(-MOST_STARTS);
  return /^[{[]|^[A-Za-z_][\w.]*\(/.test(text) ? [0, ...late] : late;
}
