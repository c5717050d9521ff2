/** How much of a model's window a prompt may take, learned from what its server counts and refuses.
 *
 *  Prompts are measured without a tokenizer, so each alias has a scale: tokens its server counts for one of ours. It rises at
 *  once and falls slowly, because a prompt that is a little short costs less than one that is cut or refused. */
import { atWorst } from '../machines/catalogue.ts';
import type { Router } from './models/router.ts';

/** Tokens for the answer and, by our estimate, for the prompt. */
export interface Shares {
  answer: number;
  prompt: number;
}

/** Before anything was counted: wire formats and code cost more than plain text. */
const FIRST_SCALE = 1.1;
/** Smaller prompts say little about the scale. */
const TELLING = 300;
/** Part of a small window that an answer may take. */
export const ANSWER_SHARE = 1 / 3;
/** Prompts of one server differ in what they cost: code against prose. */
const MARGIN = 1.15;
/** A refused prompt shrinks to at most this part of itself. */
const SHRINK = 0.7;

/** What a refusal says: the window, and what the request took. */
const LIMIT = [
  /maximum context length (?:is|of) (\d+)/i,
  /tokens? > (\d+)/i,
  /(?:context (?:size|length|window)|n_ctx)\D{0,20}(\d{3,})/i,
];
const COUNTED = /(?:resulted in|requested|too long:|request \()\D{0,12}(\d{3,})/i;

export class WindowGauge {
  readonly #scale = new Map<string, number>();
  readonly #limit = new Map<string, number>();

  /** @param window tokens the server offers @param most tokens the answer may take at most */
  shares(alias: string, window: number, most: number): Shares {
    const room = Math.min(window, this.#limit.get(alias) ?? window);
    const answer = Math.max(1, Math.min(most, Math.floor(room * ANSWER_SHARE)));
    const spare = Math.min(64, Math.floor(room / 32));
    return { answer, prompt: Math.floor((room - answer - spare) / this.#scaleOf(alias)) };
  }

  /** Tokens that the server may count at worst for a prompt of this estimated size, for its reservation. What an alias has
   *  counted before is known from then on; a server whose first count is higher still is told of by the kernel. */
  worst(alias: string, estimate: number): number {
    return Math.max(atWorst(estimate), Math.ceil(estimate * (this.#scale.get(alias) ?? 1) * MARGIN));
  }

  /** A request was answered. @param estimate our measure of it @param counted the server's @param cut the server dropped a part */
  counted(alias: string, estimate: number, counted: number, cut: boolean): void {
    if (cut) this.#limit.set(alias, counted);
    if (cut || counted <= 0 || estimate < TELLING) return;
    const scale = Math.max(1, (counted / estimate) * 1.02);
    const before = this.#scaleOf(alias);
    this.#scale.set(alias, scale >= before ? scale : before * 0.8 + scale * 0.2);
  }

  /** A request was refused as too long. @returns the shares to shrink it to, and to keep to from now on */
  refused(alias: string, estimate: number, shares: Shares, words: string): Shares {
    const limit = LIMIT.map(form => Number(form.exec(words)?.[1] ?? 0)).find(number => number > 0);
    const counted = Number(COUNTED.exec(words)?.[1] ?? 0);
    if (counted > estimate) this.#scale.set(alias, Math.max(this.#scaleOf(alias), counted / estimate));
    const before = shares.prompt * this.#scaleOf(alias) + shares.answer;
    this.#limit.set(alias, limit && limit < before ? limit : Math.floor(before * SHRINK));
    const now = this.shares(alias, Number.POSITIVE_INFINITY, shares.answer);
    return { answer: now.answer, prompt: Math.min(now.prompt, Math.floor(estimate * SHRINK)) };
  }

  #scaleOf(alias: string): number {
    return this.#scale.get(alias) ?? FIRST_SCALE;
  }
}

const gauges = new WeakMap<Router, WindowGauge>();

/** The gauge that goes with a router: what one call learned, the next ones know. */
export function gaugeOf(router: Router): WindowGauge {
  const known = gauges.get(router) ?? new WindowGauge();
  gauges.set(router, known);
  return known;
}
