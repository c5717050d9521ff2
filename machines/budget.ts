/** The ledger of a run: what may be spent, what is spent, what open effects have reserved; for the task and for each subtask.
 *  Pure. Invariants: `reserved` equals the sum over the open effects' reservations, so nothing can be stranded, and
 *  `spent + reserved` never passes a limit, so nothing that was admitted can overspend. */

/** Amounts in tokens, US dollars and counts. */
export interface Cost {
  tokens: number;
  usd: number;
  model_calls: number;
  tool_calls: number;
}

/** `seconds` of work, of a subtask: time cannot be reserved, so it is looked at before each call. A missing limit is none. */
export type Limits = Partial<Cost & { seconds: number }>;

export interface Account {
  spent: Cost;
  reserved: Cost;
  /** How long its effects have run. */
  work_ms: number;
}

export interface Ledger extends Account {
  limits: Limits;
  /** Holds for each subtask by itself, over all its attempts. */
  subtask_limits: Limits;
  /** By subtask id; each has a row of its own. */
  subtasks: Record<string, Account>;
}

export const NO_COST: Cost = { tokens: 0, usd: 0, model_calls: 0, tool_calls: 0 };
const NAMES = ['tokens', 'usd', 'model_calls', 'tool_calls'] as const;
const NEW: Account = { spent: NO_COST, reserved: NO_COST, work_ms: 0 };

export const newLedger = (limits: Limits, subtask_limits: Limits = {}): Ledger => ({
  ...NEW,
  limits,
  subtask_limits,
  subtasks: {},
});

const nano = (usd: number): number => Math.round(usd * 1e9);

export const add = (a: Cost, b: Cost): Cost => combine(a, b, 1);

const combine = (a: Cost, b: Cost, sign: 1 | -1): Cost => ({
  tokens: a.tokens + sign * b.tokens,
  // Dollars are sums of fractions: counting whole billionths keeps reservations and their releases exactly equal.
  usd: (nano(a.usd) + sign * nano(b.usd)) / 1e9,
  model_calls: a.model_calls + sign * b.model_calls,
  tool_calls: a.tool_calls + sign * b.tool_calls,
});

const isFree = (cost: Cost): boolean => NAMES.every(name => cost[name] === 0);

/** What is missing of `needed` where `ledger` has a limit; null when the reservation is large enough. */
export function shortOf(ledger: Ledger, reserved: Cost, needed: Cost): Cost | null {
  const missing = { ...NO_COST };
  for (const name of NAMES)
    if (ledger.limits[name] !== undefined || ledger.subtask_limits[name] !== undefined)
      missing[name] = Math.max(0, combine(needed, reserved, -1)[name]);
  return isFree(missing) ? null : missing;
}

/** A limit that leaves no room for a further cost. */
export interface Lack {
  budget_name: keyof Limits;
  limit: number;
  /** What would be spent at worst. */
  observed: number;
  subtask_id: string | null;
  /** Only what other effects have reserved is in the way: there may be room once they have settled. */
  passing: boolean;
}

function lackOf(account: Account, limits: Limits, cost: Cost, subtask_id: string | null): Lack | null {
  const { seconds } = limits;
  const worked = account.work_ms / 1_000;
  if (seconds !== undefined && worked >= seconds)
    return { budget_name: 'seconds', limit: seconds, observed: worked, subtask_id, passing: false };
  let passing: Lack | null = null;
  for (const name of NAMES) {
    const limit = limits[name];
    if (limit === undefined || cost[name] === 0) continue;
    const alone = combine(account.spent, cost, 1);
    const observed = combine(alone, account.reserved, 1)[name];
    const lack = { budget_name: name, limit, observed, subtask_id };
    if (alone[name] > limit) return { ...lack, observed: alone[name], passing: false };
    if (observed > limit) passing ??= { ...lack, passing: true };
  }
  return passing;
}

/** What leaves no room for the worst case of an effect, or null when it may start. Free effects always may. */
export function lacking(ledger: Ledger, subtask: string | null, cost: Cost): Lack | null {
  if (isFree(cost)) return null;
  const ofTask = lackOf(ledger, ledger.limits, cost, null);
  if (subtask === null || (ofTask && !ofTask.passing)) return ofTask;
  const own = lackOf(ledger.subtasks[subtask] ?? NEW, ledger.subtask_limits, cost, subtask);
  return own && !own.passing ? own : (ofTask ?? own);
}

/** Applies one change to the task's account and the subtask's. */
function book(ledger: Ledger, subtask: string | null, change: (account: Account) => Account): Ledger {
  const { spent, reserved, work_ms } = ledger;
  const next = { ...ledger, ...change({ spent, reserved, work_ms }) };
  if (subtask === null) return next;
  const own = change(ledger.subtasks[subtask] ?? NEW);
  return { ...next, subtasks: { ...ledger.subtasks, [subtask]: own } };
}

export const reserve = (ledger: Ledger, subtask: string | null, cost: Cost): Ledger =>
  isFree(cost)
    ? ledger
    : book(ledger, subtask, account => ({ ...account, reserved: combine(account.reserved, cost, 1) }));

/** Ends a reservation and books what was really used, and for how long the effect ran. */
export const settle = (ledger: Ledger, subtask: string | null, reserved: Cost, used: Cost, ms = 0): Ledger =>
  isFree(reserved) && isFree(used) && ms === 0
    ? ledger
    : book(ledger, subtask, account => ({
        reserved: combine(account.reserved, reserved, -1),
        spent: combine(account.spent, used, 1),
        work_ms: account.work_ms + ms,
      }));

/** A limit that was passed, because an effect used more than was reserved for it. */
export interface Overspend {
  budget_name: keyof Cost;
  limit: number;
  spent: number;
  subtask_id: string | null;
}

/** Limits that a cost just booked has passed, of the task and of one subtask. */
export function overspent(before: Ledger, after: Ledger, subtask: string | null): Overspend[] {
  const passed = (was: Account, is: Account, limits: Limits, subtask_id: string | null): Overspend[] =>
    NAMES.flatMap(name => {
      const limit = limits[name] ?? Number.POSITIVE_INFINITY;
      return is.spent[name] > limit && is.spent[name] > was.spent[name]
        ? [{ budget_name: name, limit, spent: is.spent[name], subtask_id }]
        : [];
    });
  const ofTask = passed(before, after, after.limits, null);
  if (subtask === null) return ofTask;
  const [was, is] = [before, after].map(ledger => ledger.subtasks[subtask] ?? NEW) as [Account, Account];
  return [...ofTask, ...passed(was, is, after.subtask_limits, subtask)];
}

/** One sentence: which budget, by how much it was passed, and why. */
export function overspentMessage(over: Overspend, source: string, reserved: Cost, used: Cost): string {
  const { budget_name: name, limit, spent, subtask_id } = over;
  const whose = subtask_id === null ? '' : ` of subtask "${subtask_id}"`;
  return `the ${name} budget of ${limit}${whose} was passed (${Number(spent.toFixed(6))}): its server counted ${Number(used[name].toFixed(6))} for one ${source} call where ${Number(reserved[name].toFixed(6))} were reserved`;
}

/** How a limit is raised. */
const RAISE: Record<keyof Limits, { task: string; subtask: string }> = {
  tokens: { task: '--max-tokens', subtask: 'max_subtask_total_tokens' },
  usd: { task: '--max-cost', subtask: 'max_subtask_cost_usd' },
  model_calls: { task: '--max-model-calls', subtask: 'max_subtask_model_invocations' },
  tool_calls: { task: '--max-tool-calls', subtask: 'max_subtask_tool_calls' },
  seconds: { task: '--timeout', subtask: 'max_subtask_work_seconds' },
};

/** One sentence: which budget, how much of it there is, and what raises it. */
export function lackMessage({ budget_name, limit, observed, subtask_id }: Lack): string {
  const { task, subtask } = RAISE[budget_name];
  const whose = subtask_id === null ? '' : ` of subtask "${subtask_id}"`;
  const how = subtask_id === null ? `resume with a higher ${task}` : `raise execution.${subtask} and resume`;
  const said = budget_name === 'seconds' ? `${limit} s of work are spent` : `has no room for this step`;
  const worst = budget_name === 'seconds' ? '' : ` (${Number(observed.toFixed(6))} at worst)`;
  return `the ${budget_name} budget of ${limit}${whose} ${said}${worst}: ${how}`;
}

/** The rows in which a ledger differs from the one before: the task's own, and one for each subtask. */
export function ledgerRows(before: Ledger, { subtasks, ...own }: Ledger): { key: string; value: unknown }[] {
  const changed = Object.entries(subtasks).filter(([id, account]) => before.subtasks[id] !== account);
  return [
    { key: 'ledger', value: own },
    ...changed.map(([id, value]) => ({ key: `${SUBTASK_LEDGER}${id}`, value })),
  ];
}

/** Row prefix of the subtasks' accounts. */
export const SUBTASK_LEDGER = 'ledger/';
