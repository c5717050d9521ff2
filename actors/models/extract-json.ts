/** Finds the one JSON object a planner or verifier was asked for, wherever in its answer it stands. */
import { balancedEnd, isObject, parseLoose } from './json-repair.ts';
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
