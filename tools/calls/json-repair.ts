/** Reads JSON as models write it, and says what had to be repaired. */
import { jsonrepair } from 'jsonrepair';
import { mendText, tornApart } from './json-mend.ts';

/** Why a text was not JSON: a stable word each, for the journal. */
type Defect =
  | 'trailing_comma'
  | 'single_quotes'
  | 'python_literals'
  | 'comments'
  | 'unquoted'
  | 'unclosed'
  | 'unclosed_text'
  | 'fence'
  | 'double_encoded'
  | 'surrounding_text'
  | 'control_characters'
  | 'malformed';

interface LooseJson {
  value: unknown;
  repaired: Defect[];
}

const FENCE = /^\s*(```|~~~)[ \t]*[\w+-]*[ \t]*\r?\n?([\s\S]*?)\r?\n?[ \t]*(?:\1[ \t]*\s*$|$)/;

/** The inside of a text that is one code block, else null. */
function insideFence(text: string): string | null {
  return FENCE.exec(text)?.[2] ?? null;
}

function strict(text: string): { value: unknown } | null {
  try {
    return { value: JSON.parse(text) as unknown };
  } catch {
    return null;
  }
}

interface Scan {
  defects: Set<Defect>;
  /** Brackets still open, or a string without its end. */
  unclosed: boolean;
}

/** One pass over almost-JSON: what is wrong with it, as far as can be told without parsing. */
function scan(text: string): Scan {
  const defects = new Set<Defect>();
  const open: string[] = [];
  let lastMark = '';
  let i = 0;
  while (i < text.length) {
    const c = text[i]!;
    if (c === '"' || c === "'" || c === '`') {
      if (c !== '"') defects.add('single_quotes');
      let end = i + 1;
      while (end < text.length && text[end] !== c) {
        if (text[end] === '\n' || text[end] === '\t') defects.add('control_characters');
        end += text[end] === '\\' ? 2 : 1;
      }
      if (end >= text.length) {
        defects.add('unclosed_text');
        return { defects, unclosed: true };
      }
      lastMark = '"';
      i = end + 1;
      continue;
    }
    if (c === '{' || c === '[') open.push(c);
    else if (c === '}' || c === ']') {
      if (lastMark === ',') defects.add('trailing_comma');
      if (open.at(-1) === (c === '}' ? '{' : '[')) open.pop();
      else defects.add(open.length > 0 ? 'unclosed' : 'malformed');
    } else if (c === '/' && (text[i + 1] === '/' || text[i + 1] === '*')) {
      defects.add('comments');
      const end = text.indexOf(text[i + 1] === '/' ? '\n' : '*/', i + 2);
      i = end < 0 ? text.length : end + 2;
      continue;
    } else if (/[A-Za-z_$]/.test(c)) {
      const word = /^[\w$.-]+/.exec(text.slice(i))?.[0] ?? c;
      if (/^(True|False|None)$/.test(word)) defects.add('python_literals');
      else if (!/^(true|false|null)$/.test(word) && !/^[eE]/.test(word)) defects.add('unquoted');
      i += word.length;
      lastMark = 'w';
      continue;
    }
    if (!/\s/.test(c)) lastMark = c;
    i++;
  }
  if (lastMark === ',' && open.length === 0) defects.add('trailing_comma');
  if (open.length > 0) defects.add('unclosed');
  return { defects, unclosed: open.length > 0 };
}

/** End (exclusive) of the JSON value that begins with the bracket at `start`; -1 when it does not close. */
export function balancedEnd(text: string, start: number): number {
  let depth = 0;
  for (let i = start; i < text.length; i++) {
    const c = text[i]!;
    if (c === '"') {
      for (i++; i < text.length && text[i] !== '"'; i++) if (text[i] === '\\') i++;
    } else if (c === '{' || c === '[') depth++;
    else if ((c === '}' || c === ']') && --depth === 0) return i + 1;
  }
  return -1;
}

/** The first bracketed value of a text. */
function bracketed(text: string): string | null {
  const start = text.search(/[{[]/);
  if (start < 0) return null;
  const end = balancedEnd(text, start);
  return text.slice(start, end < 0 ? undefined : end);
}

/** Parses JSON, repairing what has one reading. `cut`: the text was cut off, so nothing unclosed may be completed.
 *  Null: there is no reading. */
export function parseLoose(text: string, options: { cut?: boolean } = {}): LooseJson | null {
  const plain = strict(text);
  if (plain) return unwrapString(plain.value, options);
  const inner = insideFence(text);
  if (inner !== null) {
    const found = parseLoose(inner, options);
    return found && { value: found.value, repaired: ['fence', ...found.repaired] };
  }
  const body = text.trim();
  const start = body.search(/[{[]/);
  if (start > 0) {
    // Prose around the value, perhaps with a code block in it.
    const block = /(```|~~~)[ \t]*[\w+-]*[ \t]*\r?\n([\s\S]*?)\1/.exec(body)?.[2];
    const value = block !== undefined && /^\s*[{[]/.test(block) ? block : bracketed(body);
    const found = value === null ? null : repairBrackets(value, options);
    return found && { value: found.value, repaired: ['surrounding_text', ...found.repaired] };
  }
  return start === 0 ? repairBrackets(body, options) : null;
}

function repairBrackets(body: string, options: { cut?: boolean }): LooseJson | null {
  const plain = strict(body);
  if (plain) return { value: plain.value, repaired: [] };
  const end = balancedEnd(body, 0);
  if (end > 0 && end < body.length) {
    // A whole value with something behind it: what follows is not part of it.
    const head = strict(body.slice(0, end));
    // Closed too early: what follows are more of its keys.
    if (head && body[0] === '{' && /^,\s*["'][\s\S]*\}$/.test(body.slice(end)))
      return repairBrackets(body.slice(0, end - 1) + body.slice(end), options);
    if (head) return { value: head.value, repaired: ['surrounding_text'] };
  }
  // Words in braces are prose, not an object without values.
  if (/^\{\s*[^\s}]/.test(body) && !body.includes(':')) return null;
  const { defects, unclosed } = scan(body);
  if (unclosed && options.cut) return null;
  const labels: Defect[] = defects.size > 0 ? [...defects] : ['malformed'];
  const mended = mendText(body);
  if (mended === null) return null;
  const last = Math.max(mended.lastIndexOf('}'), mended.lastIndexOf(']')) + 1;
  for (const piece of last > 0 && last < mended.length ? [mended, mended.slice(0, last)] : [mended])
    try {
      const value = JSON.parse(jsonrepair(piece)) as unknown;
      if (!tornApart(value, piece)) return { value, repaired: labels };
    } catch {}
  return null;
}

/** A string that is itself JSON of an object or array was encoded twice. */
function unwrapString(value: unknown, options: { cut?: boolean }): LooseJson | null {
  if (typeof value !== 'string' || !/^\s*(```\w*\s*)?[{[]/.test(value)) return { value, repaired: [] };
  const inner = parseLoose(value, options);
  return inner && { value: inner.value, repaired: ['double_encoded', ...inner.repaired] };
}

export const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/** Whether another object than the one that was read stands behind it: then nobody can tell which was meant. */
function otherObject(text: string, read: unknown): boolean {
  const end = balancedEnd(text, text.search(/[{[]/));
  const rest = end < 0 ? '' : text.slice(end);
  const next = rest.indexOf('{');
  const close = next < 0 ? -1 : balancedEnd(rest, next);
  const other = close < 0 ? null : strict(rest.slice(next, close));
  return other !== null && JSON.stringify(other.value) !== JSON.stringify(read);
}

/** Parses the arguments of a call into an object; nothing written means no arguments. Null: there is no reading. */
export function parseArguments(
  text: string,
  options: { cut?: boolean } = {},
): { value: Record<string, unknown>; repaired: Defect[] } | null {
  if (text.trim() === '' || text.trim() === 'null') return options.cut ? null : { value: {}, repaired: [] };
  const found = parseLoose(text, options);
  if (!found || (found.repaired.includes('surrounding_text') && otherObject(text, found.value))) return null;
  if (isObject(found.value)) return { value: found.value, repaired: found.repaired };
  const only = Array.isArray(found.value) && found.value.length === 1 ? (found.value[0] as unknown) : null;
  return isObject(only) ? { value: only, repaired: [...found.repaired, 'malformed'] } : null;
}
