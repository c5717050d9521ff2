/** Carries a change within a line over to the file's own spelling of that line. */

import { plain } from './fold.ts';
import { commonPairs, stepsOf } from './line-diff.ts';

interface Token {
  text: string;
  /** White space before it. */
  space: string;
}

const TOKEN = /(\s*)([\p{L}\p{N}\p{M}_$]+|\S)/gsu;

const tokensOf = (line: string): Token[] =>
  [...line.matchAll(TOKEN)].map(([, space, text]) => ({ space: space!, text: text! }));

const spelling = (text: string): string => plain(text).replaceAll("'", '"');
const QUOTE = /["'`]/;

/** How the model spells what the file spells otherwise. */
export interface Drift {
  /** It decorated what is plain in the file. */
  toPlain: boolean;
  /** Quotes are others in the file: of the other kind, or typographic. How a new one is to be spelt cannot be told. */
  quotes: boolean;
  /** Dashes are typographic in the file: whether a new one is to be cannot be told. */
  dashes: boolean;
}

export function driftOf(old: string, found: string): Drift {
  if (old.trim() === found.trim()) return { toPlain: false, quotes: false, dashes: false };
  const [a, b] = [tokensOf(old), tokensOf(found)];
  const differ = a.map((token, i) => [token.text, b[i]?.text ?? ''] as const).filter(([o, f]) => o !== f);
  const toPlain = (o: string, f: string) => o !== f && plain(o) === f;
  return {
    toPlain: differ.some(([o, f]) => toPlain(o, f)) || (plain(old) !== old && plain(found) === found),
    quotes: differ.some(([o, f]) => QUOTE.test(plain(o)) && QUOTE.test(plain(f)) && !toPlain(o, f)),
    dashes: differ.some(([o, f]) => o === '-' && plain(f) === '-'),
  };
}

/** True when new text has quotes whose spelling nobody can tell. */
export const unspelt = (text: string, drift: Drift): boolean => drift.quotes && QUOTE.test(plain(text));

/**
 * `old` → `now` done to `found`, which says the same as `old` with other quotes, dashes or spaces.
 * @param drift of all lines of the place
 * @returns null when one cannot tell which part of `found` is meant, or how a new quote is to be spelt
 */
export function transfer(old: string, now: string, found: string, drift: Drift): string | null {
  if (!drift.toPlain && old.trim() === found.trim()) return now.trim();
  const [o, n, f] = [tokensOf(old.trim()), tokensOf(now.trim()), tokensOf(found.trim())];
  if (o.length !== f.length || o.some((token, i) => spelling(token.text) !== spelling(f[i]!.text)))
    return null;
  const pairs = commonPairs(o.length, n.length, (i, j) => (o[i]!.text === n[j]!.text ? 1 : 0));
  const steps = stepsOf(pairs, [...o.keys()], [...n.keys()]);
  let text = '';
  for (const step of steps) {
    if (step.same) {
      const [before, after, there] = [o[step.old]!, n[step.now]!, f[step.old]!];
      text += (before.space === after.space ? there.space : after.space) + there.text;
      continue;
    }
    const first = step.old[0];
    for (const [k, j] of step.now.entries()) {
      const token = n[j]!;
      if (unspelt(token.text, drift) || (drift.dashes && token.text === '-')) return null;
      const asBefore = k === 0 && first !== undefined && o[first]!.space === token.space;
      const own = token.space + token.text;
      const fresh = drift.toPlain ? plain(own) : own;
      text += asBefore ? f[first]!.space + fresh.trimStart() : fresh;
    }
  }
  return text;
}
