/** Where a subtask starts: at the tier of its plan, unless the model there is known to fail at this kind of work.
 *  A function of what was counted alone: no chance, no clock but for evidence that is too old to count. */

import type { Config, ModelConfig, Role } from '../../store/config.ts';
import { FORGET_MS, type RatePattern, rateKey } from '../../store/lessons.ts';
import type { StoreReader } from '../../store/store.ts';
import { type Candidate, candidatesFor } from '../models/choose.ts';
import { tierOf } from '../models/tier.ts';
import { expected, wilson } from './rate.ts';

/** A model that does fewer than half of the subtasks, as sure as 95 %, is passed over. */
const TOO_FEW = 0.5;

/** A tier at which another model comes first, and what is known of it. */
interface Rung {
  tier: number;
  model: ModelConfig;
  passed: number;
  failed: number;
}

export interface StartTier {
  tier: number;
  planned: number;
  alias: string;
  reason: 'planned' | 'learned';
  /** In words; '' when the plan was followed. */
  why: string;
}

/** From the planned tier upwards, each tier at which another model of the role would be asked first. */
function rungsOf(config: Config, role: Role, planned: number): { tier: number; model: ModelConfig }[] {
  const models: Candidate[] = Object.values(config.models).map(model => ({
    config: model,
    tier: tierOf(model.model, model.tier),
  }));
  const rungs: { tier: number; model: ModelConfig }[] = [];
  for (let tier = planned; tier <= 3; tier++) {
    const model = candidatesFor(role, models, tier)[0]?.config;
    if (model && !rungs.some(rung => rung.model.alias === model.alias)) rungs.push({ tier, model });
  }
  return rungs;
}

export const passedOver = ({ passed, failed }: Pick<RatePattern, 'passed' | 'failed'>): boolean =>
  wilson(passed, failed).high < TOO_FEW;

/** Evidence of a model nobody has asked for so long that it deserves another try. */
export const tooOld = ({ last }: Pick<RatePattern, 'last'>, now: number): boolean =>
  now - Date.parse(last) > FORGET_MS;

/** The first rung whose model is not known to fail; when all are, the one that is expected to fail least. */
function choose(rungs: Rung[]): Rung | undefined {
  const good = rungs.find(rung => !passedOver(rung));
  if (good) return good;
  const worth = (rung: Rung): number => expected(rung.passed, rung.failed);
  return rungs.toSorted((a, b) => worth(b) - worth(a))[0];
}

/** @param now milliseconds since the epoch */
export async function startTier(
  store: Pick<StoreReader, 'getGlobal'>,
  config: Config,
  wanted: { role: Role; kind: string; planned: number },
  now: number,
): Promise<StartTier> {
  const { role, kind, planned } = wanted;
  const rungs = await Promise.all(
    rungsOf(config, role, planned).map(async ({ tier, model }): Promise<Rung> => {
      const known = await store.getGlobal<RatePattern>(
        rateKey({ role, kind, alias: model.alias, model: model.model }),
      );
      const { passed, failed } = known && !tooOld(known, now) ? known : { passed: 0, failed: 0 };
      return { tier, model, passed, failed };
    }),
  );
  const chosen = choose(rungs);
  const alias = chosen?.model.alias ?? '';
  if (!chosen || chosen.tier === planned)
    return { tier: planned, planned, alias, reason: 'planned', why: '' };
  const left = rungs.filter(rung => rung.tier < chosen.tier).map(describe);
  return { tier: chosen.tier, planned, alias, reason: 'learned', why: `${kind}: ${left.join(', ')}` };
}

/** The choice as a fact of the journal. `about`: whose it is. */
export const chosenLine = (
  about: Record<string, unknown>,
  { tier, planned, alias, reason, why }: StartTier,
) => ({
  event_type: 'model_tier_chosen',
  data: { ...about, tier, planned_tier: planned, alias, reason, ...(why ? { detail: why } : {}) },
});

function describe({ model, passed, failed }: Rung): string {
  const high = Math.round(wilson(passed, failed).high * 100);
  return `${model.alias} did ${passed} of ${passed + failed} (at most ${high} %, as sure as 95 %)`;
}
