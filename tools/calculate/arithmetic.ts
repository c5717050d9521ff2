/** Arithmetic as Python has it: whole numbers are exact and of any size within a bound, the rest are doubles. */

import { refusal } from '../result.ts';

export type Scalar = bigint | number | boolean;
export type Value = Scalar | Value[];

/** About 19,000 digits: what the largest operation allowed takes stays below a millisecond. */
const MAX_BITS = 64_000;
const MAX_EXPONENT = 10_000n;

export const failure = (message: string) => refusal('calculation_failed', message);

/** @throws LoomError for lists; true and false count as 1 and 0 */
export function numeric(value: Value): bigint | number {
  if (typeof value === 'boolean') return value ? 1n : 0n;
  if (typeof value === 'object')
    throw failure('a list cannot be calculated with; give it to sum, min, max, mean …');
  return value;
}

export function double(value: Value): number {
  const number = Number(numeric(value));
  if (!Number.isFinite(number)) throw failure('the number is too large for a calculation with decimals');
  return number;
}

/** @throws LoomError when it has a fraction */
export function whole(value: Value, what: string): bigint {
  const number = numeric(value);
  if (typeof number === 'bigint') return number;
  if (!Number.isInteger(number)) throw failure(`${what} must be a whole number, not ${number}`);
  return BigInt(number);
}

export const bitsOf = (n: bigint): number => (n < 0n ? -n : n).toString(16).length * 4;

function bounded(bits: number): void {
  if (bits > MAX_BITS)
    throw failure('the result has too many digits; calculate with decimals (e.g. 2.0 ** 100)');
}

export function finite(number: number): number {
  if (Number.isNaN(number)) throw failure('the result is not a real number');
  if (!Number.isFinite(number)) throw failure('the result is too large');
  return number;
}

/** Two whole numbers, or both as doubles. */
function pair(a: Value, b: Value): [bigint, bigint] | [number, number] {
  const [x, y] = [numeric(a), numeric(b)];
  return typeof x === 'bigint' && typeof y === 'bigint' ? [x, y] : [double(x), double(y)];
}

const bothWhole = (both: [bigint, bigint] | [number, number]): both is [bigint, bigint] =>
  typeof both[0] === 'bigint';

export function add(a: Value, b: Value): Scalar {
  const both = pair(a, b);
  return bothWhole(both) ? both[0] + both[1] : finite(both[0] + both[1]);
}

export function subtract(a: Value, b: Value): Scalar {
  const both = pair(a, b);
  return bothWhole(both) ? both[0] - both[1] : finite(both[0] - both[1]);
}

export function multiply(a: Value, b: Value): Scalar {
  const both = pair(a, b);
  if (!bothWhole(both)) return finite(both[0] * both[1]);
  bounded(bitsOf(both[0]) + bitsOf(both[1]));
  return both[0] * both[1];
}

const nonZero = (b: bigint | number): void => {
  if (b === 0 || b === 0n) throw failure('division by zero');
};

/** Always a decimal. */
export function divide(a: Value, b: Value): Scalar {
  let [x, y] = [numeric(a), numeric(b)];
  nonZero(y);
  if (typeof x === 'bigint' && typeof y === 'bigint') {
    // Beyond the range of doubles both lose the same number of bits.
    const shift = BigInt(Math.max(0, Math.max(bitsOf(x), bitsOf(y)) - 1_000));
    x >>= shift;
    y >>= shift;
    if (y === 0n) throw failure('the result is too large');
  }
  return finite(double(x) / double(y));
}

/** Has the sign of the divisor. */
export function modulo(a: Value, b: Value): Scalar {
  const both = pair(a, b);
  nonZero(both[1]);
  if (bothWhole(both)) {
    const rest = both[0] % both[1];
    return rest !== 0n && rest < 0n !== both[1] < 0n ? rest + both[1] : rest;
  }
  const rest = both[0] % both[1];
  return rest !== 0 && rest < 0 !== both[1] < 0 ? rest + both[1] : rest;
}

/** Rounds towards minus infinity. */
export function floorDivide(a: Value, b: Value): Scalar {
  const both = pair(a, b);
  const rest = modulo(a, b);
  if (bothWhole(both)) return (both[0] - (rest as bigint)) / both[1];
  // Without the rest the quotient is whole but for rounding.
  return finite(Math.round((both[0] - (rest as number)) / both[1]));
}

export function power(a: Value, b: Value): Scalar {
  const both = pair(a, b);
  if (bothWhole(both)) {
    const [base, exponent] = both;
    const trivial = base === 0n || base === 1n || base === -1n;
    if (!trivial && (exponent > MAX_EXPONENT || exponent < -MAX_EXPONENT))
      throw failure(`exponent too large: ${exponent} (at most ${MAX_EXPONENT} for whole numbers)`);
    if (exponent < 0n) {
      nonZero(base);
      return finite(double(base) ** double(exponent));
    }
    if (!trivial) bounded(bitsOf(base) * Number(exponent));
    return trivial && exponent > 1n ? base ** (2n - (exponent % 2n)) : base ** exponent;
  }
  const [base, exponent] = both;
  if (base === 0 && exponent < 0) throw failure('division by zero');
  if (base < 0 && !Number.isInteger(exponent))
    throw failure('a root of a negative number is not a real number');
  return finite(base ** exponent);
}

export function compare(operator: string, a: Value, b: Value): boolean {
  const [x, y] = [numeric(a), numeric(b)];
  switch (operator) {
    case '<':
      return x < y;
    case '<=':
      return x <= y;
    case '>':
      return x > y;
    case '>=':
      return x >= y;
    case '!=':
      // Whole numbers and decimals are compared by value.
      return !(x <= y && x >= y);
    default:
      return x <= y && x >= y;
  }
}

/** As many significant digits as a decimal is shown with. */
const DIGITS = 10;

function shownDouble(number: number): string {
  if (Number.isInteger(number) && Math.abs(number) < 1e15) return String(BigInt(number));
  const [mantissa, power] = number.toExponential(DIGITS - 1).split('e') as [string, string];
  const exponent = Number(power);
  if (exponent < -4 || exponent >= DIGITS) {
    const sign = exponent < 0 ? '-' : '+';
    return `${mantissa.replace(/\.?0+$/, '')}e${sign}${String(Math.abs(exponent)).padStart(2, '0')}`;
  }
  const fixed = number.toFixed(Math.max(0, DIGITS - 1 - exponent));
  return fixed.includes('.') ? fixed.replace(/\.?0+$/, '') : fixed;
}

/** As Python would write it, decimals with 10 significant digits. */
export function shownValue(value: Value): string {
  if (typeof value === 'object') return `[${value.map(shownValue).join(', ')}]`;
  if (typeof value === 'boolean') return value ? 'True' : 'False';
  return typeof value === 'bigint' ? value.toString() : shownDouble(value);
}
