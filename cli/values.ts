/** Option values as text, read with checks. A wrong one is a UsageError that names option and value. */

import { UsageError } from './failure.ts';
import { nearest } from './nearest.ts';

export class Values {
  readonly #raw: Record<string, string[] | boolean>;

  /** Keys are long option names without dashes, as typed: `max-tokens`. */
  constructor(raw: Record<string, string[] | boolean>) {
    this.#raw = raw;
  }

  flag(name: string): boolean {
    return this.#raw[name] === true;
  }

  list(name: string): string[] {
    const value = this.#raw[name];
    return Array.isArray(value) ? value : [];
  }

  text(name: string): string | undefined {
    const values = this.list(name);
    if (values.length > 1) throw new UsageError(`--${name} is given twice`);
    if (values[0] === '') throw new UsageError(`--${name} needs a value`);
    return values[0];
  }

  /** A number greater than zero. */
  number(name: string, kind: 'whole' | 'any' = 'any'): number | undefined {
    const text = this.text(name);
    if (text === undefined) return undefined;
    const value = /^[0-9]*\.?[0-9]+(e[0-9]+)?$/i.test(text) ? Number(text) : Number.NaN;
    if (!Number.isFinite(value) || value <= 0)
      throw new UsageError(`--${name} takes a number greater than zero, not "${text}"`);
    if (kind === 'whole' && !Number.isSafeInteger(value))
      throw new UsageError(`--${name} takes a whole number, not "${text}"`);
    return value;
  }

  choice<T extends string>(name: string, choices: readonly T[]): T | undefined {
    const text = this.text(name);
    if (text === undefined) return undefined;
    const found = choices.find(choice => choice === text);
    if (found !== undefined) return found;
    const near = nearest(text, [...choices]);
    throw new UsageError(
      `--${name} is one of ${choices.join(', ')}, not "${text}"${near ? `; did you mean ${near}?` : ''}`,
    );
  }
}
