/** Words of a text for the index: any alphabet, without case and accents. Scripts without spaces give a word per character;
 *  what stands together is found again as a phrase. */

/** Longer words are told apart by their beginning. */
const MOST_CHARS = 48;
const WORD = /[\p{L}\p{N}]+/gu;
const ACCENTS = /\p{M}+/gu;
const PLAIN = /^[\x20-\x7e\n\t]*$/;
/** Han, Hiragana, Katakana, Thai, Lao, Khmer, Myanmar: written without spaces. */
const UNSPACED =
  /[\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}\p{Script=Thai}\p{Script=Lao}\p{Script=Khmer}\p{Script=Myanmar}]/u;

/** In the order of the text, with repetitions. */
export function tokensOf(text: string): string[] {
  const folded = PLAIN.test(text)
    ? text.toLowerCase()
    : text.normalize('NFKD').replace(ACCENTS, '').toLowerCase();
  const words = folded.match(WORD) ?? [];
  if (!UNSPACED.test(folded)) return words.map(word => (word.length > MOST_CHARS ? cut(word) : word));
  return words.flatMap(word => (UNSPACED.test(word) ? split(word) : [cut(word)]));
}

const cut = (word: string): string => [...word.slice(0, MOST_CHARS + 1)].join('').slice(0, MOST_CHARS);

function split(word: string): string[] {
  const parts: string[] = [];
  let run = '';
  for (const char of word) {
    if (!UNSPACED.test(char)) {
      run += char;
      continue;
    }
    if (run !== '') parts.push(cut(run));
    run = '';
    parts.push(char);
  }
  if (run !== '') parts.push(cut(run));
  return parts;
}

/** Pairs of neighbours share so many lists: few enough rows to write, and short enough lists to look through. */
const PAIRS = 65_536;

/** The list in which two neighbouring words are noted (FNV-1a). */
export function pairOf(first: string, second: string): string {
  let hash = 0x811c9dc5;
  for (const word of [first, ' ', second])
    for (let i = 0; i < word.length; i++) hash = Math.imul(hash ^ word.charCodeAt(i), 0x01000193);
  return ((hash >>> 0) % PAIRS).toString(36);
}
