/** What runs taught: success rates, retry hints and shapes of plans, shared by all runs of a home.
 *
 *  A run writes what it observed as a row `learn/<what ended>` of its own, in the commit that ends a subtask or the task.
 *  The same transaction folds that row into the global rows `learned/<type>/…`, and only when the run does not have it
 *  yet: a crash before the commit taught nothing, after it everything, and nothing is ever learned twice. A reset removes
 *  the global rows alone, so that what was forgotten does not come back. */

import { createHash } from 'node:crypto';
import { globalKey, rowKey, type Writing } from './database.ts';
import type { Row } from './port.ts';

/** A model of a role that did, or could not do, one piece of work of a kind. */
export interface RateObservation {
  type: 'success_rate';
  role: string;
  kind: string;
  alias: string;
  model: string;
  passed: boolean;
}

/** What was wrong with the attempt before the one that passed. */
interface HintObservation {
  type: 'retry_hint';
  workspace: string;
  kind: string;
  code: string;
  feedback: string;
}

/** One subtask of a plan, without its words: these may reach another workspace's planner. */
export interface ShapeNode {
  kind: string;
  /** Positions in the plan, from 0. */
  after: number[];
  model_tier: number;
  verification_tier: number;
}

/** A plan whose task was completed. */
interface PlanObservation {
  type: 'plan_template';
  /** Words of the goal, sorted, each once. */
  words: string[];
  shape: ShapeNode[];
}

/** How a person wants things done, from what they corrected or had to ask for. */
export interface RuleObservation {
  type: 'behavioral_correction' | 'behavioral_gap';
  /** One imperative sentence. */
  rule: string;
  /** Its words, sorted, each once: rules that say the same share most of them. */
  words: string[];
}

export type Observation = RateObservation | HintObservation | PlanObservation | RuleObservation;

/** Row `learn/<what ended>` of a run. */
export interface Lesson {
  at: string;
  observations: Observation[];
}

interface Seen {
  /** How often it was observed. */
  seen: number;
  first: string;
  last: string;
}

export type RatePattern = Omit<RateObservation, 'passed'> & Seen & { passed: number; failed: number };
export type HintPattern = HintObservation & Seen;
export type PlanPattern = PlanObservation & Seen;
export type RulePattern = RuleObservation & Seen;
export type Pattern = RatePattern | HintPattern | PlanPattern | RulePattern;

const LESSON_PREFIX = 'learn/';
export const LEARNED_PREFIX = 'learned/';
const DAY_MS = 86_400_000;
/** What was seen once only is forgotten after this time. */
export const FORGET_MS = 90 * DAY_MS;
/** From here on old evidence counts half, so that a model that got better is believed within a few dozen subtasks. */
const MEMORY_OF_RATE = 100;

const digest = (text: string): string => createHash('sha256').update(text).digest('hex').slice(0, 24);

/** Global key of the rate of a model. */
export const rateKey = ({
  role,
  kind,
  alias,
  model,
}: Pick<RateObservation, 'role' | 'kind' | 'alias' | 'model'>) =>
  `${LEARNED_PREFIX}success_rate/${role}/${kind}/${alias}/${model}`;
/** Beginning of the global keys of a workspace's hints, of those for a kind of work where one is given. */
export const hintPrefix = (workspace: string, kind?: string): string =>
  `${LEARNED_PREFIX}retry_hint/${digest(workspace)}/${kind === undefined ? '' : `${kind}/`}`;
export const PLAN_PREFIX = `${LEARNED_PREFIX}plan_template/`;
export const RULE_PREFIX = `${LEARNED_PREFIX}behavioral/`;
/** Share of common words from which two rules say the same (Jaccard index). */
const SAME_RULE = 0.7;

const FILLERS = new Set(
  'the a an and or of to in on at for with it its this that please you your i my me is are be do so'.split(
    ' ',
  ),
);

/** Words of a rule that carry its meaning; `not` and `never` are among them. */
export const ruleWords = (rule: string): string[] =>
  [...new Set(rule.toLowerCase().match(/[\p{L}\p{N}]+/gu) ?? [])].filter(word => !FILLERS.has(word)).sort();

/** The rule that is known already and says the same, else where this one goes. */
function ruleKey(tx: Writing, { words }: RuleObservation): string {
  const known = tx.range<RulePattern>(globalKey(RULE_PREFIX));
  const same = known.find(({ value }) => {
    const common = value.words.filter(word => words.includes(word)).length;
    return common / (value.words.length + words.length - common || 1) >= SAME_RULE;
  });
  return same ? same.key.slice(globalKey('').length) : `${RULE_PREFIX}${digest(words.join(' '))}`;
}

function keyOf(tx: Writing, observed: Observation): string {
  if (observed.type === 'behavioral_correction' || observed.type === 'behavioral_gap')
    return ruleKey(tx, observed);
  if (observed.type === 'success_rate') return rateKey(observed);
  if (observed.type === 'retry_hint')
    return `${hintPrefix(observed.workspace, observed.kind)}${observed.code}`;
  return `${PLAN_PREFIX}${digest(observed.words.join(' '))}`;
}

function folded(before: Pattern | undefined, observed: Observation, at: string): Pattern {
  const seen: Seen = { seen: (before?.seen ?? 0) + 1, first: before?.first ?? at, last: at };
  // Of rules that say the same, the first one's words stay.
  if (before && 'rule' in before) return { ...before, ...seen };
  if (observed.type !== 'success_rate') return { ...observed, ...seen };
  const { passed: now, ...about } = observed;
  const was = before?.type === 'success_rate' ? before : { passed: 0, failed: 0 };
  const share = was.passed + was.failed >= MEMORY_OF_RATE ? 0.5 : 1;
  return {
    ...about,
    ...seen,
    passed: Math.floor(was.passed * share) + (now ? 1 : 0),
    failed: Math.floor(was.failed * share) + (now ? 0 : 1),
  };
}

/** Folds the lessons among a run's rows into what is known. Called inside their transaction, before they are written. */
export function learn(tx: Writing, run: string, rows: Row[]): void {
  for (const { key, value } of rows) {
    if (!key.startsWith(LESSON_PREFIX) || value === null || tx.get(rowKey(run, key)) !== undefined) continue;
    const { at, observations } = value as Lesson;
    for (const observed of observations) {
      const known = globalKey(keyOf(tx, observed));
      tx.put(known, folded(tx.get<Pattern>(known), observed, at));
    }
  }
}

/** Seen once only, and long ago. */
export const isForgotten = (pattern: Seen, now: number): boolean =>
  pattern.seen <= 1 && now - Date.parse(pattern.last) > FORGET_MS;

/** @param what what ended, unique within its run
 *  @param now milliseconds since the epoch */
export const lessonRow = (what: string, observations: Observation[], now: number): Row => ({
  key: `${LESSON_PREFIX}${what}`,
  value: { at: new Date(now).toISOString(), observations } satisfies Lesson,
});
