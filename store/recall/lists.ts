/** Reading one list of the index: from the newest message down, or the heaviest entries first. */
import { type Database, rowKey } from '../database.ts';
import { decode, type Postings } from './postings.ts';
import { bestOf, type Open, ordered, WORDS } from './write.ts';

export type Reading = Pick<Database, 'get' | 'range'>;

interface Part extends Postings {
  /** Oldest of its messages. */
  first: number;
}

/** A list of one session, from the newest message down. */
export class List {
  readonly count: number;
  readonly most: number;
  readonly #reading: Reading;
  readonly #prefix: string;
  readonly #newest: Part;
  #part: Part;
  #at: number;

  constructor(reading: Reading, run: string, open: Open, closed: string, name: string) {
    const [count, , most, first, , , entries] = open;
    this.count = count;
    this.most = most;
    this.#reading = reading;
    this.#prefix = rowKey(run, `${closed}${name}/`);
    this.#newest = { first, ...decode(entries, 0, { docs: [], weights: [] }) };
    this.#part = this.#newest;
    this.#at = this.#part.docs.length - 1;
  }

  /** The newest message of the list that is not newer than `doc`; 0: none. Only ever asked for the same or an older one. */
  seek(doc: number): number {
    if (this.#part.docs.length === 0 || this.#part.first > doc) this.#jump(doc);
    const { docs } = this.#part;
    while (this.#at >= 0 && docs[this.#at]! > doc) this.#at--;
    return docs[this.#at] ?? 0;
  }

  /** The weight of the message that `seek` has just found. */
  get weight(): number {
    return this.#part.weights[this.#at] ?? 0;
  }

  #jump(doc: number): void {
    const [found] = this.#reading.range<string>(this.#prefix, {
      from: this.#prefix + ordered(doc),
      reverse: true,
      limit: 1,
    });
    this.#part = found ? partOf(this.#prefix, found) : { first: 0, docs: [], weights: [] };
    this.#at = this.#part.docs.length - 1;
  }
}

const partOf = (prefix: string, { key, value }: { key: string; value: string }): Part => ({
  first: Number.parseInt(key.slice(prefix.length), 36),
  ...decode(value, 0, { docs: [], weights: [] }),
});

/** Parts of a word's list, those with the heaviest entries first, each with its largest weight. */
export function* heaviest(
  reading: Reading,
  run: string,
  name: string,
  open: Open,
): Generator<{ most: number; postings: Postings }> {
  const newest = decode(open[6], 0, { docs: [], weights: [] });
  // Its weights are in no order of the others; it is small and at hand.
  if (newest.docs.length > 0) yield { most: open[2], postings: newest };
  const prefix = rowKey(run, `${WORDS.best}${name}/`);
  let from = prefix;
  for (;;) {
    const page = reading.range<number>(prefix, { from, limit: PAGE });
    for (const { key } of page) {
      const { weight, first } = bestOf(key.slice(prefix.length));
      const entries = reading.get<string>(rowKey(run, `${WORDS.closed}${name}/${ordered(first)}`));
      if (entries !== undefined)
        yield { most: weight, postings: decode(entries, 0, { docs: [], weights: [] }) };
    }
    const last = page.at(-1);
    if (page.length < PAGE || !last) return;
    from = `${last.key}\u0000`;
  }
}

const PAGE = 16;
