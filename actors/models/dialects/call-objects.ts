/** Calls written as JSON objects: `{"name": …, "arguments": {…}}` and the keys other models use. */
import { isObject } from '../../../tools/calls/json-repair.ts';
import { brokenCall, CUT, type Reading, type WrittenCall } from './dialect.ts';
import { jsonBody, lackingBraces } from './json-body.ts';

const NAME_KEYS = ['name', 'tool', 'tool_name', 'function_name', 'function', 'action'];
const ARGUMENT_KEYS = ['arguments', 'parameters', 'args', 'params', 'input', 'tool_input', 'action_input'];

const INVALID = 'the call is not valid JSON: send {"name": …, "arguments": {…}}';

interface Called {
  name: string;
  args: unknown;
  hasArgs: boolean;
}

function calledFor(value: Record<string, unknown>): Called | null {
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
}

/** The calls in a parsed value: one, a list, or a wrapper with `tool_calls`. Null when anything in it is not a call. */
export function callsIn(value: unknown, repaired: string[], needArguments: boolean): WrittenCall[] | null {
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

/** `{"read_file": {"path": "a"}}`: the one key is the tool. */
export function keyedCall(value: unknown): WrittenCall | null {
  if (!isObject(value)) return null;
  const [key, ...others] = Object.keys(value);
  if (!key || others.length > 0 || !isObject(value[key])) return null;
  return { name: key, arguments: value[key], repaired: [] };
}

/** The name in a call that cannot be read. */
const nameIn = (text: string): string =>
  /["'](?:name|tool|tool_name|function)["']\s*:\s*["']([^"'\n]+)["']/.exec(text)?.[1] ?? '';

/** A call that breaks off: whole when only the object around its arguments is unclosed. */
function cutCall(text: string, closed: boolean): WrittenCall {
  const lacking = closed ? null : lackingBraces(text);
  const [call] = (lacking && callsIn(lacking.value, ['unclosed'], true)) ?? [];
  const args = call?.arguments;
  // Which object is open can only be told by where the text ends: in the arguments, or behind them.
  if (call && isObject(args))
    return lacking?.open === 1 && text.endsWith('}') ? call : { ...call, unended: true };
  return brokenCall(nameIn(text), text, closed ? INVALID : CUT);
}

/** Call objects in JSON behind a mark; null when no JSON stands there. */
export function readCallObjects(text: string, from: number, close: RegExp): Reading | null {
  const body = jsonBody(text, from, close);
  if (!body) return null;
  const calls = body.values.flatMap(
    value =>
      callsIn(value, body.repaired, false) ?? [
        brokenCall(nameIn(JSON.stringify(value)), JSON.stringify(value), INVALID),
      ],
  );
  if (body.rest) calls.push(cutCall(body.rest.text, body.rest.closed));
  return { calls, end: body.end };
}
