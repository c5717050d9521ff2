/** Notices a model that goes round in circles. Pure.
 *
 *  The measure is information: a model call brings something new when one of its tool calls has a result that this call
 *  did not have a moment ago. Polling whose output changes, and retries with edits in between, are therefore never
 *  circles, while a cycle of any calls is one from its first repetition on, in whatever order they come again. Calls that
 *  could not be read and answers that were cut off bring nothing.
 *
 *  `REMIND_AT` such model calls in a row get one nudge, `STOP_AT` end the turn. */

/** Informative steps that are remembered: more than the longest cycle (5), so that a variation in it does not hide it. */
const MEMORY = 8;
/** The third time of one and the same. */
const REMIND_AT = 2;
/** Five model calls after the first repetition. */
const STOP_AT = 6;

/** What a call that could not be read showed. */
export const UNREADABLE = '?';

/** A compaction must take away at least this part, or the same would be done again and again. */
const LEAST_SHRINKAGE = 0.05;

/** Whether a compaction was worth it; sizes in tokens. */
export const shrank = (before: number, after: number): boolean => after <= before * (1 - LEAST_SHRINKAGE);

/** What is said to the model before it is asked again. */
export type Nudge = '' | 'repeats' | 'unreadable' | 'undecided';

export interface Watch {
  /** What the calls of the present step showed. */
  shown: string[];
  /** The same of the newest informative steps, oldest first. */
  seen: string[][];
  /** Model calls in a row that brought nothing new. */
  idle: number;
  /** The model was told so in this row. */
  nudged: boolean;
}

export const NOTHING_SEEN: Watch = { shown: [], seen: [], idle: 0, nudged: false };

/** One call and its result as they are remembered. */
export const entry = (call: string, result: string): string => `${call.slice(0, 10)}:${result.slice(0, 10)}`;

const informative = ({ shown, seen }: Watch): boolean => {
  const known = new Set([UNREADABLE, ...seen.flat()]);
  return shown.some(one => !known.has(one));
};

/** The row when the present step is over. */
const idleAfter = (watch: Watch): number => (informative(watch) ? 0 : watch.idle + 1);

/** The present step makes it a circle. */
export const circling = (watch: Watch): boolean => idleAfter(watch) >= STOP_AT;

/** A step ends: what is remembered of it, and what the model must be told. */
export function stepped(watch: Watch): Watch & { nudge: Nudge } {
  const { shown, seen } = watch;
  if (informative(watch))
    return {
      shown: [],
      seen: [...seen, [...new Set(shown)]].slice(-MEMORY),
      idle: 0,
      nudged: false,
      nudge: '',
    };
  const idle = idleAfter(watch);
  const due = idle >= REMIND_AT && !watch.nudged;
  const unreadable = shown.length > 0 && shown.every(one => one === UNREADABLE);
  const nudge = due ? (unreadable ? 'unreadable' : 'repeats') : '';
  return { shown: [], seen, idle, nudged: watch.nudged || due, nudge };
}

/** Why the turn ends, for the person who must do something about it, and for the next attempt.
 *  @param calls the newest ones, as `tool subject` */
export function circleReason(watch: Watch, calls: string[]): string {
  const times = `${STOP_AT} model calls in a row brought nothing new`;
  const names = [...new Set(calls)].map(call => (call.length > 80 ? `${call.slice(0, 80)}…` : call));
  const last = names.slice(0, 3).join(', ');
  if (watch.shown.length > 0 && watch.shown.every(one => one === UNREADABLE))
    return `the model kept sending tool calls that cannot be read (${times}; the last: ${last}): use a model that is better at calling tools, or set capabilities.tools = false so that it writes them as text`;
  return `the model kept repeating the same calls with the same results (${times}${last ? `; the last: ${last}` : ''}): say more precisely what to do, or use a stronger model`;
}
