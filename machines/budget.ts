/** The ledger of a run: what may be spent, what is spent, what open effects have reserved. Pure.
 *  Invariant: `reserved` equals the sum over the open effects' reservations, so nothing can be stranded. */

/** Amounts in tokens, US dollars and counts. */
export interface Cost {
  tokens: number;
  usd: number;
  model_calls: number;
  tool_calls: number;
}

/** A missing limit is no limit. */
export type Limits = Partial<Cost>;

export interface Ledger {
  limits: Limits;
  spent: Cost;
  reserved: Cost;
}

export const NO_COST: Cost = { tokens: 0, usd: 0, model_calls: 0, tool_calls: 0 };
const NAMES = ['tokens', 'usd', 'model_calls', 'tool_calls'] as const;

export const newLedger = (limits: Limits): Ledger => ({ limits, spent: NO_COST, reserved: NO_COST });

const nano = (usd: number): number => Math.round(usd * 1e9);

const combine = (a: Cost, b: Cost, sign: 1 | -1): Cost => ({
  tokens: a.tokens + sign * b.tokens,
  // Dollars are sums of fractions: counting whole billionths keeps reservations and their releases exactly equal.
  usd: (nano(a.usd) + sign * nano(b.usd)) / 1e9,
  model_calls: a.model_calls + sign * b.model_calls,
  tool_calls: a.tool_calls + sign * b.tool_calls,
});

export const isFree = (cost: Cost): boolean => NAMES.every(name => cost[name] === 0);

/** The limit that a further `cost` would break, or null when there is room for its worst case. */
export function exceeded(
  ledger: Ledger,
  cost: Cost,
): { budget_name: string; observed: number; limit: number } | null {
  for (const name of NAMES) {
    const limit = ledger.limits[name];
    if (limit === undefined || cost[name] === 0) continue;
    const observed = ledger.spent[name] + ledger.reserved[name] + cost[name];
    if (observed > limit) return { budget_name: name, observed, limit };
  }
  return null;
}

export const reserve = (ledger: Ledger, cost: Cost): Ledger => ({
  ...ledger,
  reserved: combine(ledger.reserved, cost, 1),
});

/** Ends a reservation and books what was really used. */
export const settle = (ledger: Ledger, reserved: Cost, used: Cost): Ledger => ({
  ...ledger,
  reserved: combine(ledger.reserved, reserved, -1),
  spent: combine(ledger.spent, used, 1),
});

/** Books a cost nobody can measure any more (a call that was in flight when the process died). */
export const charge = (ledger: Ledger, used: Cost): Ledger => ({
  ...ledger,
  spent: combine(ledger.spent, used, 1),
});
