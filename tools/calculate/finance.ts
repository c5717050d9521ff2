/** Financial formulas. Rates are fractions per period (0.05 for 5 %), money that is paid is negative. */

import { failure, finite } from './arithmetic.ts';

/** Net present value, the first flow today (t = 0). */
export const npv = (rate: number, flows: number[]): number => {
  if (rate <= -1) throw failure('npv: the rate must be greater than -1');
  return finite(flows.reduce((sum, flow, t) => sum + flow / (1 + rate) ** t, 0));
};

/** Compound annual growth rate. */
export function cagr(begin: number, end: number, years: number): number {
  if (begin <= 0 || end < 0) throw failure('cagr: the values must be positive');
  if (years <= 0) throw failure('cagr: years must be greater than 0');
  return finite((end / begin) ** (1 / years) - 1);
}

/** Weighted average cost of capital; interest is tax-deductible. */
export function wacc(
  equity: number,
  debt: number,
  costEquity: number,
  costDebt: number,
  tax: number,
): number {
  const total = equity + debt;
  if (total === 0) throw failure('wacc: equity and debt are both 0');
  return finite((equity / total) * costEquity + (debt / total) * costDebt * (1 - tax));
}

/** Payment at the end of each period of an annuity loan. */
export function pmt(rate: number, periods: number, present: number): number {
  if (periods <= 0) throw failure('pmt: the number of periods must be greater than 0');
  if (rate <= -1) throw failure('pmt: the rate must be greater than -1');
  if (rate === 0) return -present / periods;
  return finite((-present * rate) / (1 - (1 + rate) ** -periods));
}

/** Future value of a present sum and a payment at the end of each period. */
export function fv(rate: number, periods: number, payment: number, present = 0): number {
  if (rate === 0) return -(present + payment * periods);
  const growth = (1 + rate) ** periods;
  return finite(-(present * growth + (payment * (growth - 1)) / rate));
}

/** Present value of a payment at the end of each period and a last sum. */
export function pv(rate: number, periods: number, payment: number, future = 0): number {
  if (rate === 0) return -(future + payment * periods);
  const growth = (1 + rate) ** periods;
  return finite(-(future + (payment * (growth - 1)) / rate) / growth);
}

/** Rates that are tried for a change of sign: dense where real ones lie. */
const RATES = [
  ...Array.from({ length: 200 }, (_, i) => -0.999 + i * 0.005),
  ...Array.from({ length: 200 }, (_, i) => 0.001 + i * 0.01),
  ...Array.from({ length: 100 }, (_, i) => 2.1 * 1.1 ** i),
];

/**
 * Internal rate of return: the rate at which the net present value is 0, found by bisection.
 * @throws LoomError when there is none, or more than one
 */
export function irr(flows: number[]): number {
  if (!flows.some(flow => flow > 0) || !flows.some(flow => flow < 0))
    throw failure('irr: the flows need at least one payment and one return');
  const at = (rate: number) => flows.reduce((sum, flow, t) => sum + flow / (1 + rate) ** t, 0);
  const roots: number[] = [];
  for (let i = 0; i + 1 < RATES.length; i++) {
    let [low, high] = [RATES[i]!, RATES[i + 1]!];
    const sign = Math.sign(at(low));
    if (sign === 0) roots.push(low);
    if (sign === 0 || sign === Math.sign(at(high)) || at(high) === 0) continue;
    for (let step = 0; step < 100 && high - low > 1e-15; step++) {
      const middle = (low + high) / 2;
      if (Math.sign(at(middle)) === sign) low = middle;
      else high = middle;
    }
    roots.push((low + high) / 2);
  }
  if (roots.length === 0)
    throw failure('irr: no rate between -99.9 % and 2,900,000 % makes the flows worth 0');
  if (roots.length > 1)
    throw failure(
      `irr: the flows change sign more than once and have ${roots.length} rates of return: ${roots.map(root => root.toFixed(6)).join(', ')}; compare npv at your own rate instead`,
    );
  // What bisection leaves of a rate of 0.
  return Math.abs(roots[0]!) < 1e-12 ? 0 : roots[0]!;
}
