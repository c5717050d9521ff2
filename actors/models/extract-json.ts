/** Finds the one JSON object a planner or verifier was asked for, wherever in its answer it stands. */
import { balancedEnd, isObject, parseLoose } from '../../tools/calls/json-repair.ts';
import { splitThinking } from './thinking.ts';

interface ExtractedJson {
  value: Record<string, unknown>;
  /** The text was not valid JSON as it stood. */
  repaired: boolean;
}

const BLOCK = /(```|~~~)[ \t]*[\w+-]*[ \t]*\r?\n([\s\S]*?)(?:\r?\n[ \t]*\1|$)/g;
/** Objects looked at before giving up on a long answer full of braces. */
const MOST = 50;

/** Texts that may be the object, most likely first: the whole answer, code blocks, bracketed pieces. */
function* pieces(text: string): Generator<string> {
  const whole = text.trim();
  if (whole.startsWith('{')) yield whole;
  for (const block of text.matchAll(BLOCK)) if (block[2]?.includes('{')) yield block[2].trim();
  let from = 0;
  for (let n = 0; n < MOST; n++) {
    const start = text.indexOf('{', from);
    if (start < 0) return;
    const end = balancedEnd(text, start);
    yield text.slice(start, end < 0 ? undefined : end);
    from = end < 0 ? start + 1 : end;
  }
}

function holding(value: unknown, keys: string[], depth = 2): Record<string, unknown> | null {
  if (!isObject(value)) return null;
  if (keys.every(key => key in value)) return value;
  if (depth === 0) return null;
  for (const inner of Object.values(value)) {
    const found = holding(inner, keys, depth - 1);
    if (found) return found;
  }
  return null;
}

/** The first object that holds all of `expectKeys`, valid JSON before repaired; else the first object at all; else null. */
export function extractJson(text: string, expectKeys: string[] = []): ExtractedJson | null {
  const { content } = splitThinking(text);
  const found: ExtractedJson[] = [];
  for (const piece of pieces(content)) {
    const parsed = parseLoose(piece);
    const repaired = (parsed?.repaired.length ?? 0) > 0;
    if (parsed && isObject(parsed.value)) found.push({ value: parsed.value, repaired });
    else if (parsed && Array.isArray(parsed.value) && repaired)
      for (const value of parsed.value) if (isObject(value)) found.push({ value, repaired });
  }
  for (const wanted of [false, true])
    for (const { value, repaired } of found) {
      const hit = repaired === wanted ? holding(value, expectKeys) : null;
      if (hit) return { value: hit, repaired };
    }
  return found[0] ?? null;
}

/** The first list of objects that all have `keys`, wherever in the answer it stands; null when there is none. */
export function extractList(text: string, keys: string[]): Record<string, unknown>[] | null {
  const { content } = splitThinking(text);
  let from = 0;
  for (let n = 0; n < MOST; n++) {
    const start = content.indexOf('[', from);
    if (start < 0) return null;
    const end = balancedEnd(content, start);
    const list = parseLoose(content.slice(start, end < 0 ? undefined : end))?.value;
    const fits = (item: unknown) => isObject(item) && keys.every(key => key in item);
    if (Array.isArray(list) && list.length > 0 && list.every(fits)) return list as Record<string, unknown>[];
    from = start + 1;
  }
  return null;
}

/** Whether JSON begins in this text and the text ends in the middle of it: inside a string, or where more must follow.
 *  A closing bracket that was merely forgotten is no cut. */
export function endsInside(text: string): boolean {
  const { content } = splitThinking(text);
  const start = content.search(/[{[]/);
  if (start < 0) return false;
  let depth = 0;
  let quoted = false;
  for (let i = start; i < content.length; i++) {
    const c = content[i]!;
    if (quoted) {
      if (c === '\\') i += 1;
      else if (c === '"') quoted = false;
    } else if (c === '"') quoted = true;
    else if (c === '{' || c === '[') depth += 1;
    else if (c === '}' || c === ']') {
      depth -= 1;
      // What follows the value is prose.
      if (depth === 0) return false;
    }
  }
  return quoted || /[,:]\s*$/.test(content);
}
