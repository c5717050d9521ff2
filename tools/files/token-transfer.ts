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

/** How the model spells what the file spells otherwise: `toPlain` where it decorated, `quotes` where it chose other quotes. */
export interface Drift {
  toPlain: boolean;
  quotes: boolean;
}

export function driftOf(old: string, found: string): Drift {
  const [a, b] = [tokensOf(old), tokensOf(found)];
  const differ = a.map((token, i) => [token.text, b[i]?.text ?? ''] as const).filter(([o, f]) => o !== f);
  return {
    toPlain:
      differ.some(([o, f]) => plain(o) === f && o !== f) || (plain(old) !== old && plain(found) === found),
    quotes: differ.some(([o, f]) => QUOTE.test(plain(o)) && QUOTE.test(plain(f)) && plain(o) !== plain(f)),
  };
}

/**
 * `old` → `now` done to `found`, which says the same as `old` with other quotes, dashes or spaces.
 * @param toPlain what is new is written as a keyboard writes it
 * @returns null when one cannot tell which part of `found` is meant, or how a new quote is to be spelt
 */
export function transfer(old: string, now: string, found: string, toPlain: boolean): string | null {
  if (!toPlain && old.trim() === found.trim()) return now.trim();
  const [o, n, f] = [tokensOf(old.trim()), tokensOf(now.trim()), tokensOf(found.trim())];
  if (o.length !== f.length || o.some((token, i) => spelling(token.text) !== spelling(f[i]!.text)))
    return null;
  const drift = driftOf(old.trim(), found.trim());
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
      if (drift.quotes && QUOTE.test(plain(token.text))) return null;
      const asBefore = k === 0 && first !== undefined && o[first]!.space === token.space;
      const own = token.space + token.text;
      const fresh = toPlain ? plain(own) : own;
      text += asBefore ? f[first]!.space + fresh.trimStart() : fresh;
    }
  }
  return text;
}
