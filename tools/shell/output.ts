/** Keeps what a command prints: the beginning and the end for the model, the whole (up to a cap) for the record. */

import { stripVTControlCharacters } from 'node:util';

/** Bytes kept of one command's output; beyond it only the end is kept too. */
export const OUTPUT_CAP = 8 * 1024 * 1024;
const TAIL = 256 * 1024;

export class OutputLog {
  #head: Buffer[] = [];
  #headSize = 0;
  #tail: Buffer[] = [];
  #tailSize = 0;
  /** Bytes printed in all. */
  total = 0;

  add(chunk: Buffer): void {
    this.total += chunk.length;
    const room = OUTPUT_CAP - TAIL - this.#headSize;
    const first = chunk.subarray(0, Math.max(0, room));
    if (first.length > 0) {
      this.#head.push(first);
      this.#headSize += first.length;
    }
    const rest = chunk.subarray(first.length);
    if (rest.length === 0) return;
    this.#tail.push(rest);
    this.#tailSize += rest.length;
    while (this.#tail.length > 1 && this.#tailSize - this.#tail[0]!.length >= TAIL)
      this.#tailSize -= this.#tail.shift()!.length;
  }

  /** Bytes that were printed and not kept. */
  get lost(): number {
    return this.total - this.#headSize - this.#tailSize;
  }

  /** All that was kept; a line says what was not. */
  bytes(): Buffer {
    const gap = this.lost > 0 ? [Buffer.from(`\n[... ${this.lost} bytes not kept ...]\n`)] : [];
    return Buffer.concat([...this.#head, ...gap, ...this.#tail]);
  }

  /** For reading: without colours and cursor movements; a line redrawn with CR shows its last state. */
  text(): string {
    const plain = stripVTControlCharacters(this.bytes().toString('utf8'));
    return plain
      .replace(/\r+\n/g, '\n')
      .replace(/^.*\r(?!$)/gm, '')
      .replace(/\r$/gm, '')
      .trimEnd();
  }
}
