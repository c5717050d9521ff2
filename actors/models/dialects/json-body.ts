/** JSON behind a dialect's mark: one value or several, valid, mended, or breaking off. */
import { balancedEnd, isObject, parseLoose } from '../../../tools/calls/json-repair.ts';
import { brokenCall, CUT, matchAt, skip, type WrittenCall } from './dialect.ts';

const LEAD = /\s*(?:```[\w-]*[ \t]*\r?\n?\s*)?/y;
const BETWEEN = /[\s,;]*/y;
const FENCE_END = /\s*```/y;

/** Nothing but its own last bracket closes this JSON. */
export const NEVER = /(?!)/;

interface JsonBody {
  values: unknown[];
  repaired: string[];
  /** Where the JSON and its closing mark end. */
  end: number;
  /** What could not be read as it stands. */
  rest: { text: string; closed: boolean } | null;
}

function strict(text: string): { value: unknown } | null {
  try {
    return { value: JSON.parse(text) as unknown };
  } catch {
    return null;
  }
}

/** Valid values one after the other, up to the closing mark. */
function validValues(
  text: string,
  from: number,
  close: RegExp,
): { values: unknown[]; end: number; next: number; more: boolean } {
  const closing = new RegExp(close.source, 'y');
  const values: unknown[] = [];
  let end = from;
  let next = from;
  const more = () => (text[next] === '{' || text[next] === '[') && !matchAt(closing, text, next);
  while (more()) {
    const behind = balancedEnd(text, next);
    const parsed = behind < 0 ? null : strict(text.slice(next, behind));
    if (!parsed) break;
    values.push(parsed.value);
    end = behind;
    next = skip(BETWEEN, text, behind);
  }
  return { values, end, next, more: more() };
}

/** Position behind the closing mark when it stands at `at`, else `at`. */
function behind(close: RegExp, text: string, at: number): number {
  const fence = skip(FENCE_END, text, at);
  // Brackets too many before the mark say nothing.
  const found = matchAt(new RegExp(`[\\s}\\])]*(?:${close.source})`, 'y'), text, fence);
  return found ? fence + found[0].length : fence;
}

/** Reads JSON from `from`; null when there is none. `close`: the mark behind it, looked for only when the JSON is not valid. */
export function jsonBody(text: string, from: number, close: RegExp): JsonBody | null {
  const start = skip(LEAD, text, from);
  if (text[start] !== '{' && text[start] !== '[') return null;
  const valid = validValues(text, start, close);
  if (valid.values.length > 0 && !valid.more)
    return { values: valid.values, repaired: [], end: behind(close, text, valid.end), rest: null };
  const tail = text.slice(valid.next);
  const closing = new RegExp(close.source).exec(tail);
  const body = (closing ? tail.slice(0, closing.index) : tail).replace(/\s*```\s*$/, '').trim();
  const end = valid.next + (closing ? closing.index + closing[0].length : tail.length);
  // Braces doubled, as in a template that was not filled in.
  const single = /^\{\{[\s\S]*\}\}$/.test(body) ? strict(body.slice(1, -1)) : null;
  const loose = single
    ? { value: single.value, repaired: ['malformed'] }
    : parseLoose(body, { cut: closing === null });
  if (loose) return { values: [...valid.values, loose.value], repaired: loose.repaired, end, rest: null };
  if (body.startsWith('[')) {
    // Whole calls before the cut are good.
    const items = validValues(text, skip(/\[\s*/y, text, valid.next), close);
    const rest = body.slice(items.next - valid.next).trim();
    const values = [...valid.values, ...items.values];
    return { values, repaired: [], end, rest: rest ? { text: rest, closed: closing !== null } : null };
  }
  return { values: valid.values, repaired: [], end, rest: { text: body, closed: closing !== null } };
}

/** An object that lacks nothing but closing braces, and how many. A number at the end may lack digits, so it does not count. */
export function lackingBraces(text: string): { value: Record<string, unknown>; open: number } | null {
  if (!/["}\]el]$/.test(text)) return null;
  for (const open of [1, 2]) {
    const value = strict(text + '}'.repeat(open))?.value;
    if (isObject(value)) return { value, open };
  }
  return null;
}

/** Arguments that stand behind the name of a call, as one JSON object. */
export function argumentsAt(
  name: string,
  text: string,
  from: number,
  close: RegExp,
): { call: WrittenCall; end: number } {
  const body = jsonBody(text, from, close);
  if (!body) {
    const end = behind(close, text, from);
    // Nothing between the name and the closing mark: a call without arguments.
    if (end > skip(LEAD, text, from)) return { call: { name, arguments: {}, repaired: [] }, end };
    const line = text.slice(from, from + 200);
    const cut = text.slice(from).trim() === '' || '```json'.startsWith(text.slice(from).trim());
    return {
      call: brokenCall(name, line, cut ? CUT : 'the arguments are not a JSON object'),
      end: cut ? text.length : from,
    };
  }
  const { values, repaired, end, rest } = body;
  if (!rest && values.length === 1) return { call: { name, arguments: values[0], repaired }, end };
  if (rest && values.length === 0) {
    const lacking = rest.closed ? null : lackingBraces(rest.text);
    if (lacking?.open === 1)
      return { call: { name, arguments: lacking.value, repaired: ['unclosed'], unended: true }, end };
  }
  const written = text.slice(from, end).trim();
  return {
    call: brokenCall(name, written, rest && !rest.closed ? CUT : 'the arguments are not a JSON object'),
    end,
  };
}
