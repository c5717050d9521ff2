/** What models swap without meaning to: typographic quotes, dashes and spaces, and white space of every kind. */

const SINGLE = '\u2018\u2019\u201a\u201b\u2032\u02bc';
const DOUBLE = '\u201c\u201d\u201e\u201f\u2033';
const DASHES = '\u2010-\u2015\u2212';
const SPACES = '\u00a0\u1680\u2000-\u200a\u202f\u205f\u3000';
const IGNORED = '\u00ad\u200b-\u200d\u2060\ufe0f\ufeff';
const SMART = new RegExp(`[${SINGLE}${DOUBLE}${DASHES}\u2026${SPACES}${IGNORED}]`, 'g');
const [SINGLES, DOUBLES, DASH, SPACE] = [SINGLE, DOUBLE, DASHES, SPACES].map(set => new RegExp(`[${set}]`));
const NOT_ASCII = /[^\0-\x7f]/;
const CLUSTER = /\P{M}\p{M}*|\p{M}+/gsu;

const plainOf = (char: string): string => {
  if (SINGLES!.test(char)) return "'";
  if (DOUBLES!.test(char)) return '"';
  if (DASH!.test(char)) return '-';
  if (SPACE!.test(char)) return ' ';
  return char === '\u2026' ? '...' : '';
};

/** Quotes, dashes and spaces as a keyboard writes them; composed letters; nothing invisible. */
export const plain = (text: string): string =>
  NOT_ASCII.test(text) ? text.normalize('NFC').replace(SMART, plainOf) : text;

/** What is left of a line when white space and the kind of quote do not count. */
export const keyOf = (text: string): string => plain(text).replace(/\s+/g, '').replaceAll("'", '"');

/** For every character of `keyOf(text)` where it begins in `text`; null where characters melt into others. */
export function keyPositions(text: string): number[] | null {
  const at: number[] = [];
  if (!NOT_ASCII.test(text)) {
    for (let i = 0; i < text.length; i++) if (!/\s/.test(text[i]!)) at.push(i);
    return at;
  }
  for (const cluster of text.matchAll(CLUSTER))
    for (let n = keyOf(cluster[0]).length; n > 0; n--) at.push(cluster.index);
  return at.length === keyOf(text).length ? at : null;
}

const WORD = /[\p{L}\p{N}_$]/u;
/** Scripts that write without spaces: every place between two letters is as good as a word's end. */
const SPACELESS = /[\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}\p{Script=Thai}\p{Script=Hangul}]/u;
const OPERATORS = new Set(
  '== != <= >= => -> <- ++ -- += -= *= /= %= |= &= ^= := ~= && || ** // << >> :: .. ?? ?. <> =~ !~'.split(
    ' ',
  ),
);

const isWord = (char: string): boolean => WORD.test(char) && !SPACELESS.test(char);

/** True when no reader would put a boundary between these neighbours: inside a word, a number or an operator. */
const belongsTogether = (before: string, after: string): boolean =>
  before !== '' && after !== '' && ((isWord(before) && isWord(after)) || OPERATORS.has(before + after));

/** True when an edit that begins or ends between `before` and `after` would cut a word, a number or an operator. */
export function splitsToken(before: string, after: string): boolean {
  const [left, right] = [before.slice(-1), after.slice(0, 1)];
  if (belongsTogether(left, right)) return true;
  // 3|.5 and 3.|5
  return (/\d$/.test(before) && /^\.\d/.test(after)) || (/\d\.$/.test(before) && /^\d/.test(after));
}

/** True for the end of a line that adds nothing to what was said: closing brackets, quotes and separators. */
export const closesOnly = (rest: string): boolean => /^[\s,;:)\]}>'"`\\]*$/.test(rest);

/** Several lines are a place beyond doubt: they may begin within a word, if the edit leaves that word alone. */
export function keepsHead(old: string, now: string): boolean {
  const head = /^[\p{L}\p{N}_$]*/u.exec(old)![0];
  return old.trim().includes('\n') && head !== '' && now.startsWith(head);
}

/** White space differs only where it separates nothing: `a+b` and `a + b`, not `not a` and `nota`, nor within quotes. */
export function sameTokens(one: string, other: string): boolean {
  const [a, b] = [one, other].map(text =>
    plain(text)
      .replaceAll("'", '"')
      .trim()
      .replace(/\s*\n\s*/g, '\n')
      .replace(/[^\S\n]+/g, ' '),
  );
  const isSpace = (char: string | undefined) => char === ' ' || char === '\n';
  let [i, j] = [0, 0];
  let quoted = false;
  while (i < a!.length && j < b!.length) {
    const [spaceA, spaceB] = [isSpace(a![i]), isSpace(b![j])];
    if (a![i] === '\n' || b![j] === '\n') quoted = false;
    if (spaceA) i++;
    if (spaceB) j++;
    if (a![i] !== b![j]) return false;
    const before = (spaceA ? a![i - 2] : a![i - 1]) ?? '';
    const after = a![i] ?? '';
    if (spaceA !== spaceB && (quoted || belongsTogether(before, after))) return false;
    const apostrophe = after === '"' && isWord(before) && isWord(a![i + 1] ?? '');
    if ((after === '"' && !apostrophe) || after === '`') quoted = !quoted;
    i++;
    j++;
  }
  return i === a!.length && j === b!.length;
}
