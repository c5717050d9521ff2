/** Runs every family of checks over one attempt and says what they amount to. */
import type { Outcome } from '../../../machines/verdict.ts';
import type { Check } from './check.ts';
import { claims } from './claims.ts';
import { commands } from './commands.ts';
import { criteria } from './criteria.ts';
import { deliverables } from './deliverables.ts';
import { supported } from './established.ts';
import { integrity } from './integrity.ts';
import { placeholders } from './placeholders.ts';
import { regexRules } from './regex-rules.ts';
import { statements } from './statements.ts';
import { syntax } from './syntax.ts';
import { toolOutcomes } from './tool-outcomes.ts';
import { type WorldInput, worldOf } from './world.ts';

const FAMILIES = [
  deliverables,
  criteria,
  statements,
  claims,
  syntax,
  integrity,
  placeholders,
  commands,
  toolOutcomes,
  regexRules,
  supported,
];

/** All deterministic checks of one attempt, in the order of the families; nothing is said twice. */
export async function runChecks(input: WorldInput): Promise<Check[]> {
  const world = worldOf(input);
  const checks: Check[] = [];
  for (const family of FAMILIES) checks.push(...(await family(world)));
  const told = new Set<string>();
  return checks.filter(({ name, detail }) => {
    const again = told.has(detail) || told.has(name);
    told.add(detail).add(name);
    return !again;
  });
}

export interface Judgement {
  outcome: Outcome;
  reason_code: string;
  /** Something observable stands behind the subtask, and nothing is left that a check cannot tell. */
  established: boolean;
  failed: Check[];
  unsure: Check[];
  advisories: Check[];
}

export function judgement(checks: Check[]): Judgement {
  const of = (result: Check['result']): Check[] => checks.filter(check => check.result === result);
  const [failed, unsure, advisories] = [of('failed'), of('unsure'), of('advisory')];
  const shared = { failed, unsure, advisories };
  if (failed.length > 0)
    return { ...shared, outcome: 'fail', reason_code: reasonOf(failed), established: true };
  if (unsure.length > 0)
    return { ...shared, outcome: 'inconclusive', reason_code: 'not_established', established: false };
  const outcome = advisories.length > 0 ? 'pass_with_warnings' : 'pass';
  return { ...shared, outcome, reason_code: '', established: true };
}

const reasonOf = (failed: Check[]): string =>
  failed.some(check => check.name.startsWith('claim'))
    ? 'claimed_deliverable_missing'
    : 'hard_invariant_failed';
