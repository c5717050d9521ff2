/** A long conversation, seeded: words as frequent as in any language (Zipf), messages as long as people and tools write them. */
import type { Row } from '../../store/port.ts';

const VOCABULARY = 20_000;
const SYLLABLES = 'ba de fi go hu ka le mi no pu ra se ti vo wu xa ze chi sho dra'.split(' ');

const wordAt = (rank: number): string => {
  let rest = rank + 1;
  let word = '';
  for (; rest > 0; rest = Math.floor(rest / SYLLABLES.length)) word += SYLLABLES[rest % SYLLABLES.length]!;
  return word;
};
const WORDS = Array.from({ length: VOCABULARY }, (_, rank) => wordAt(rank));
export class Corpus {
  #state: number;
  readonly #limits = new Float64Array(VOCABULARY);

  constructor(seed: number) {
    this.#state = seed;
    let sum = 0;
    for (let rank = 0; rank < VOCABULARY; rank++) {
      sum += 1 / (rank + 1);
      this.#limits[rank] = sum;
    }
  }

  /** Between 0 and 1 (mulberry32). */
  random(): number {
    this.#state = (this.#state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(this.#state ^ (this.#state >>> 15), 1 | this.#state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  }

  word(): string {
    const wanted = this.random() * this.#limits[VOCABULARY - 1]!;
    let low = 0;
    let high = VOCABULARY - 1;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (this.#limits[middle]! < wanted) low = middle + 1;
      else high = middle;
    }
    return WORDS[low]!;
  }

  /** A word by its rank, 0 for the most frequent. */
  frequent(rank: number): string {
    return WORDS[rank]!;
  }

  /** 8 to 72 words, most of them short. */
  text(): string {
    const length = 8 + Math.floor(64 * this.random() ** 2);
    return Array.from({ length }, () => this.word()).join(' ');
  }
}

/** Messages as a session stores them: `from` and `to` count messages, two to a turn. */
export function messageRows(corpus: Corpus, from: number, to: number): Row[] {
  const rows: Row[] = [];
  for (let n = from; n < to; n++) {
    const thread = `t${String(Math.floor(n / 2) + 1).padStart(7, '0')}`;
    const role = n % 2 === 0 ? 'user' : 'assistant';
    const key = role === 'user' ? `m/${thread}/0000.b000` : `m/${thread}/0001.b`;
    rows.push({ key, value: { message: { role, content: corpus.text() } } });
  }
  return rows;
}
