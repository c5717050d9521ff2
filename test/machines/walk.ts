/** Random walks through a whole task: which effect settles next, with what, or which command comes. */
import * as fc from 'fast-check';
import { type Cost, NO_COST } from '../../machines/budget.ts';
import type { EffectEntry } from '../../machines/react.ts';
import type { Drive } from './drive.ts';
import {
  answer,
  asking,
  askUser,
  calls,
  cut,
  denying,
  failed,
  node,
  noted,
  planned,
  read,
  settled,
  shell,
  text,
  toolDone,
  unestablished,
  verdict,
  write,
} from './results.ts';

/** Numbers to choose by; what they choose among depends on where the run stands. */
export interface Step {
  which: number;
  result: number;
  /** Share of the reservation that was used; above 1: nobody knows. */
  used: number;
}

export const steps = (maxLength: number): fc.Arbitrary<Step[]> =>
  fc.array(
    fc.record({
      which: fc.nat(1_000),
      result: fc.nat(1_000),
      used: fc.double({ min: 0, max: 1.2, noNaN: true }),
    }),
    { maxLength, minLength: Math.floor(maxLength / 2), size: 'max' },
  );

const plans = [
  planned(node('a'), node('b'), node('c', ['a'])),
  planned(node('a', [], { is_critical_path: true, verification_tier: 3 }), node('b', ['a'])),
  planned(node('a'), node('b'), node('c'), node('d', ['a', 'b', 'c'], { is_synthesis: true })),
];

const RESULTS: Record<string, unknown[]> = {
  plan: [...plans, ...plans, planned(), failed('no_model', 'terminal')],
  replan: [planned(node('e'), node('c')), planned(node('a')), planned(), failed('budget', 'terminal')],
  prepare: [{ ok: true, tokens: 500 }],
  model: [
    text(),
    text(),
    text('partial'),
    text('blocked'),
    cut,
    calls(read(0), write(1), read(2)),
    calls(shell(0), read(1)),
    calls(shell(0, asking), askUser(1), write(2, denying), read(3, { valid: false })),
    failed('overloaded'),
    failed('auth', 'terminal'),
  ],
  tool: [toolDone(), toolDone('y'), failed('in_flight', 'uncertain'), failed('aborted')],
  note: [noted],
  alarm: [{ ok: true }],
  checks: [
    verdict('pass', { tier: 1 }),
    verdict('pass', { tier: 1 }),
    verdict('fail', { tier: 1 }),
    unestablished,
    failed('aborted'),
  ],
  review: [verdict(), verdict(), verdict('fail'), verdict('inconclusive'), failed('unreadable')],
  extract: [{ ok: true, entries: 1 }, failed('aborted')],
  settle: [settled],
  finalize: [{ ok: true }],
};

export function resultsOf(effect: EffectEntry): unknown[] {
  if (effect.source !== 'question') return RESULTS[effect.source]!;
  const { kind, choices } = effect.input as { kind: string; choices: string[] };
  return (kind === 'ask_user' ? ['blue'] : choices).map(word => answer(word));
}

/** What was used of a reservation: never more than it, or unknown. */
export function usedOf({ reserved }: EffectEntry, share: number): Cost | 'unknown' {
  if (share > 1) return 'unknown';
  const part = (amount: number) => Math.floor(amount * share);
  if (reserved.model_calls + reserved.tool_calls === 0) return NO_COST;
  return {
    tokens: part(reserved.tokens),
    usd: Math.round(reserved.usd * share * 1e9) / 1e9,
    model_calls: reserved.model_calls,
    tool_calls: reserved.tool_calls,
  };
}

const COMMANDS = ['PAUSE', 'RESUME', 'RESUME', 'RESUME', 'RESUME'];

/** Takes one step; false when the run is over. Alarms ring only when nothing else can happen, or now and then. */
export function walk(drive: Drive, step: Step): boolean {
  const effects = Object.values(drive.run.effects).filter(effect => effect.state !== 'held');
  if (drive.run.output !== undefined && effects.length === 0) return false;
  const work = effects.filter(effect => effect.source !== 'alarm' || step.result % 13 === 0);
  if (step.which % 11 === 0 || work.length === 0) {
    const alarm = effects.find(effect => effect.source === 'alarm');
    if (work.length === 0 && alarm && step.which % 2 === 0)
      drive.react({ type: 'settled', key: alarm.key, output: { ok: true } });
    else drive.command(COMMANDS[step.result % COMMANDS.length]!);
    return true;
  }
  const effect = work[step.which % work.length]!;
  const results = resultsOf(effect);
  const output = results[step.result % results.length];
  drive.react({ type: 'settled', key: effect.key, output, used: usedOf(effect, step.used) });
  return true;
}
