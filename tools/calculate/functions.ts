/** What can be called in an expression, and the names of constants. */

import {
  bitsOf,
  double,
  failure,
  finite,
  multiply,
  numeric,
  power,
  type Value,
  whole,
} from './arithmetic.ts';
import { cagr, fv, irr, npv, pmt, pv, wacc } from './finance.ts';

export const CONSTANTS = new Map<string, Value>([
  ['pi', Math.PI],
  ['e', Math.E],
  ['tau', 2 * Math.PI],
  ['true', true],
  ['false', false],
  ['True', true],
  ['False', false],
]);

const MAX_FACTORIAL = 3_000n;

interface Callable {
  /** How it is called, for errors. */
  usage: string;
  least: number;
  most: number;
  call(args: Value[]): Value;
}

/** A list, or all arguments. */
const items = (args: Value[]): Value[] => (args.length === 1 && typeof args[0] === 'object' ? args[0] : args);

function listOf(value: Value | undefined, name: string): number[] {
  if (typeof value !== 'object')
    throw failure(`${name}: the flows must be a list, e.g. ${name}(… [-1000, 300, 400])`);
  return value.map(double);
}

const decimals = (usage: string, count: number, formula: (...args: number[]) => number): Callable => ({
  usage,
  least: count,
  most: count,
  call: args => finite(formula(...args.map(double))),
});

const domain = (name: string, holds: boolean): void => {
  if (!holds) throw failure(`${name} is not defined there`);
};

/** To a whole number, whatever its size; Python's int, floor and ceil. */
const toWhole = (usage: string, round: (n: number) => number): Callable => ({
  usage,
  least: 1,
  most: 1,
  call([value]) {
    const number = numeric(value!);
    return typeof number === 'bigint' ? number : BigInt(round(number));
  },
});

const best = (usage: string, better: (a: Value, b: Value) => boolean): Callable => ({
  usage,
  least: 1,
  most: 1_000,
  call(args) {
    const values = items(args).map(numeric);
    if (values.length === 0) throw failure(`${usage}: the list is empty`);
    return values.reduce((a, b) => (better(b, a) ? b : a));
  },
});

const statistic = (usage: string, least: number, formula: (values: number[]) => number): Callable => ({
  usage,
  least: 1,
  most: 1_000,
  call(args) {
    const values = items(args).map(double);
    if (values.length < least) throw failure(`${usage}: at least ${least} values are needed`);
    return finite(formula(values));
  },
});

const mean = (values: number[]): number => values.reduce((sum, value) => sum + value, 0) / values.length;

const squares = (values: number[]): number => {
  const middle = mean(values);
  return values.reduce((sum, value) => sum + (value - middle) ** 2, 0);
};

function median(values: number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  const half = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[half]! : (sorted[half - 1]! + sorted[half]!) / 2;
}

/** Ties go to the even neighbour, judged by the exact value of the double. */
function roundDecimal(number: number, digits: number): number {
  const exact = number.toFixed(100);
  const [before = '', after = ''] = exact.split('.');
  const rest = after.slice(digits);
  const kept = Number(`${before}.${after.slice(0, digits)}`);
  const even = Number((after.slice(0, digits) || before).at(-1)) % 2 === 0;
  if (/^50*$/.test(rest) && even) return kept;
  return Number(number.toFixed(digits));
}

function roundWhole(number: bigint, unit: bigint): bigint {
  const rest = ((number % unit) + unit) % unit;
  const low = number - rest;
  if (rest * 2n === unit) return (low / unit) % 2n === 0n ? low : low + unit;
  return rest * 2n < unit ? low : low + unit;
}

function round([value, places]: Value[]): Value {
  const number = numeric(value!);
  const digits = places === undefined ? 0 : Number(whole(places, 'the number of places'));
  if (Math.abs(digits) > 100) throw failure('round: at most 100 places');
  if (typeof number === 'bigint') return digits >= 0 ? number : roundWhole(number, 10n ** BigInt(-digits));
  if (digits < 0) return Number(roundWhole(BigInt(Math.trunc(number)), 10n ** BigInt(-digits)));
  if (Math.abs(number) >= 1e21) return places === undefined ? BigInt(number) : number;
  const rounded = roundDecimal(number, digits);
  return places === undefined ? BigInt(rounded) : rounded;
}

function factorial([value]: Value[]): Value {
  const n = whole(value!, 'factorial');
  if (n < 0n || n > MAX_FACTORIAL) throw failure(`factorial: from 0 to ${MAX_FACTORIAL}`);
  let product = 1n;
  for (let i = 2n; i <= n; i++) product *= i;
  return product;
}

/** Choices of k of n, in order (perm) or not (comb). */
function choices(name: string, ordered: boolean): Callable {
  return {
    usage: `${name}(n, k)`,
    least: 2,
    most: 2,
    call([first, second]) {
      const n = whole(first!, 'n');
      let k = whole(second!, 'k');
      if (n < 0n || k < 0n) throw failure(`${name}: both numbers must be 0 or more`);
      if (k > n) return 0n;
      if (!ordered && k > n - k) k = n - k;
      if (k > MAX_FACTORIAL) throw failure(`${name}: k may be at most ${MAX_FACTORIAL}`);
      let product: Value = 1n;
      for (let i = 0n; i < k; i++) {
        product = multiply(product, n - i);
        if (!ordered) product = (product as bigint) / (i + 1n);
      }
      return product;
    },
  };
}

function greatestDivisor(a: bigint, b: bigint): bigint {
  let [x, y] = [a < 0n ? -a : a, b < 0n ? -b : b];
  if (bitsOf(x) + bitsOf(y) > 20_000) throw failure('gcd: the numbers are too large');
  while (y > 0n) [x, y] = [y, x % y];
  return x;
}

function logarithm([value, base]: Value[]): Value {
  const number = numeric(value!);
  domain('log of 0 or less', number > 0);
  // Beyond the range of doubles: by way of the number of bits.
  const bits = typeof number === 'bigint' ? Math.max(0, bitsOf(number) - 1_000) : 0;
  const scaled = typeof number === 'bigint' ? Number(number >> BigInt(bits)) : number;
  const natural = Math.log(scaled) + bits * Math.LN2;
  if (base === undefined) return natural;
  const by = double(base);
  domain('log to that base', by > 0 && by !== 1);
  if (bits === 0 && by === 10) return Math.log10(scaled);
  if (bits === 0 && by === 2) return Math.log2(scaled);
  return natural / Math.log(by);
}

const callable = (usage: string, least: number, most: number, call: Callable['call']): Callable => ({
  usage,
  least,
  most,
  call,
});

export const FUNCTIONS = new Map<string, Callable>(
  Object.entries({
    abs: callable('abs(x)', 1, 1, ([value]) => {
      const number = numeric(value!);
      return number < 0 ? -number : number;
    }),
    round: callable('round(x, places)', 1, 2, round),
    min: best('min(a, b, …)', (a, b) => a < b),
    max: best('max(a, b, …)', (a, b) => a > b),
    sum: callable('sum([a, b, …])', 1, 1_000, args =>
      items(args)
        .map(numeric)
        .reduce<Value>((a, b) => {
          const x = numeric(a);
          return typeof x === 'bigint' && typeof b === 'bigint' ? x + b : finite(double(x) + double(b));
        }, 0n),
    ),
    len: callable('len([a, b, …])', 1, 1, ([list]) => {
      if (typeof list !== 'object') throw failure('len: a list is needed, e.g. len([1, 2, 3])');
      return BigInt(list.length);
    }),
    int: toWhole('int(x)', Math.trunc),
    floor: toWhole('floor(x)', Math.floor),
    ceil: toWhole('ceil(x)', Math.ceil),
    float: decimals('float(x)', 1, x => x),
    sqrt: decimals('sqrt(x)', 1, x => {
      domain('the root of a negative number', x >= 0);
      return Math.sqrt(x);
    }),
    cbrt: decimals('cbrt(x)', 1, Math.cbrt),
    exp: decimals('exp(x)', 1, Math.exp),
    log: callable('log(x, base)', 1, 2, logarithm),
    log10: callable('log10(x)', 1, 1, ([x]) => logarithm([x!, 10n])),
    log2: callable('log2(x)', 1, 1, ([x]) => logarithm([x!, 2n])),
    pow: callable('pow(x, y)', 2, 2, ([x, y]) => power(x!, y!)),
    sin: decimals('sin(x)', 1, Math.sin),
    cos: decimals('cos(x)', 1, Math.cos),
    tan: decimals('tan(x)', 1, Math.tan),
    asin: decimals('asin(x)', 1, Math.asin),
    acos: decimals('acos(x)', 1, Math.acos),
    atan: decimals('atan(x)', 1, Math.atan),
    atan2: decimals('atan2(y, x)', 2, Math.atan2),
    hypot: decimals('hypot(x, y)', 2, Math.hypot),
    degrees: decimals('degrees(x)', 1, x => (x * 180) / Math.PI),
    radians: decimals('radians(x)', 1, x => (x * Math.PI) / 180),
    factorial: callable('factorial(n)', 1, 1, factorial),
    comb: choices('comb', false),
    perm: choices('perm', true),
    gcd: callable('gcd(a, b)', 2, 2, ([a, b]) => greatestDivisor(whole(a!, 'a'), whole(b!, 'b'))),
    lcm: callable('lcm(a, b)', 2, 2, ([a, b]) => {
      const [x, y] = [whole(a!, 'a'), whole(b!, 'b')];
      const product = x * y === 0n ? 0n : (x / greatestDivisor(x, y)) * y;
      return product < 0n ? -product : product;
    }),
    mean: statistic('mean([a, b, …])', 1, mean),
    median: statistic('median([a, b, …])', 1, median),
    stdev: statistic('stdev([a, b, …])', 2, values => Math.sqrt(squares(values) / (values.length - 1))),
    pstdev: statistic('pstdev([a, b, …])', 1, values => Math.sqrt(squares(values) / values.length)),
    percent: decimals('percent(part, whole)', 2, (part, all) => (part / all) * 100),
    percent_change: decimals('percent_change(old, new)', 2, (old, now) => ((now - old) / old) * 100),
    npv: callable('npv(rate, [flow0, flow1, …])', 2, 2, ([rate, flows]) =>
      npv(double(rate!), listOf(flows, 'npv')),
    ),
    irr: callable('irr([flow0, flow1, …])', 1, 1, ([flows]) => irr(listOf(flows, 'irr'))),
    cagr: decimals('cagr(begin, end, years)', 3, cagr),
    wacc: decimals('wacc(equity, debt, cost_equity, cost_debt, tax_rate)', 5, wacc),
    pmt: decimals('pmt(rate, periods, present_value)', 3, pmt),
    fv: callable('fv(rate, periods, payment, present_value)', 3, 4, args =>
      fv(...(args.map(double) as [number, number, number])),
    ),
    pv: callable('pv(rate, periods, payment, future_value)', 3, 4, args =>
      pv(...(args.map(double) as [number, number, number])),
    ),
  }),
);
