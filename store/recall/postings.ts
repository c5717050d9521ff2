/** Lists of document numbers as text: each number as its distance from the one before, in digits of base 45 with a mark on all
 *  but the last, then one character that says how much the word weighs in that document. JSON keeps every character as it is. */

/** Printable ASCII without quote and backslash. */
const ALPHABET =
  '!#$%&()*+,-./0123456789:;<=>?@ABCDEFGHIJKLMNOPQRSTUVWXYZ[]^_`abcdefghijklmnopqrstuvwxyz{|}~'.slice(0, 90);
const BASE = 45;
const VALUE = new Uint8Array(128);
for (let i = 0; i < ALPHABET.length; i++) VALUE[ALPHABET.charCodeAt(i)] = i;
/** Largest weight. */
export const MOST_WEIGHT = ALPHABET.length - 1;

export interface Postings {
  docs: number[];
  weights: number[];
}

/** One entry behind `before`, the newest document of the list so far (0 for none). */
export function encode(doc: number, before: number, weight: number): string {
  let rest = doc - before;
  let digits = ALPHABET[rest % BASE]!;
  for (rest = Math.floor(rest / BASE); rest > 0; rest = Math.floor(rest / BASE))
    digits = ALPHABET[BASE + (rest % BASE)]! + digits;
  return digits + ALPHABET[weight]!;
}

/** Appends the entries of `text` to `into`. @param before the newest document before them */
export function decode(text: string, before: number, into: Postings): Postings {
  let doc = before;
  let number = 0;
  for (let i = 0; i < text.length; i++) {
    const value = VALUE[text.charCodeAt(i)]!;
    if (value >= BASE) {
      number = number * BASE + value - BASE;
      continue;
    }
    doc += number * BASE + value;
    number = 0;
    into.docs.push(doc);
    into.weights.push(VALUE[text.charCodeAt(++i)]!);
  }
  return into;
}

/** BM25's share of a word in one document, k1 = 1.2, b = 0.75 (Robertson & Zaragoza 2009). The mean length is a constant, so
 *  that a weight once written never changes. */
const K1 = 1.2;
const B = 0.75;
const MEAN_LENGTH = 60;

/** @param times how often the word stands in the document @param length words of the document */
export const weightOf = (times: number, length: number): number =>
  Math.max(1, Math.round((times / (times + K1 * (1 - B + (B * length) / MEAN_LENGTH))) * MOST_WEIGHT));

/** The weight as BM25 counts it. */
export const shareOf = (weight: number): number => ((K1 + 1) * weight) / MOST_WEIGHT;
