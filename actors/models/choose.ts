/** Which configured models may serve a role, best first. Pure. */
import type { Config, ConfigRole, ModelConfig, Role } from '../../store/config.ts';
import { tierOf } from './tier.ts';

/** The role in the configuration that decides about a role of the engine. */
const CONFIGURED: Record<Role, ConfigRole> = {
  planner: 'planner',
  replanner: 'planner',
  resolver: 'resolver',
  executor: 'executor',
  session: 'executor',
  verifier: 'verifier',
  extractor: 'extractor',
  compactor: 'compactor',
};

/** Who stands in for a role that no model was given. A verifier rather comes from the planner's side than the executor's. */
const STAND_INS: Record<ConfigRole, ConfigRole[]> = {
  planner: ['executor'],
  resolver: ['planner', 'executor'],
  executor: ['planner'],
  verifier: ['planner', 'executor'],
  extractor: ['executor', 'planner'],
  compactor: ['extractor', 'executor', 'planner'],
};

export interface Candidate {
  config: ModelConfig;
  tier: number;
}

/** All models of the role: the lowest tier that suffices first, then larger ones, then smaller ones from the largest down. */
export function candidatesFor(role: Role, models: Candidate[], tier = 1): Candidate[] {
  const wanted = CONFIGURED[role];
  const having = [wanted, ...STAND_INS[wanted]]
    .map(name => models.filter(({ config }) => config.roles.includes(name)))
    .find(list => list.length > 0);
  // In the end any model serves, so that one alone fills every role, whatever its record says.
  const list = [...(having ?? models)];
  if (role === 'resolver') list.push(...strongerExecutors(list, models));
  const rank = (candidate: Candidate) =>
    candidate.tier >= tier ? candidate.tier - tier : 100 + (tier - candidate.tier);
  return list.sort((a, b) => rank(a) - rank(b));
}

/** Advice comes from the strongest, be it a planner or an executor; a model named for it is never outvoted. */
function strongerExecutors(list: Candidate[], models: Candidate[]): Candidate[] {
  if (list.some(({ config }) => config.roles.includes('resolver'))) return [];
  const best = Math.max(...list.map(({ tier }) => tier));
  return models.filter(({ config, tier }) => config.roles.includes('executor') && tier > best);
}

/** What the retry ladder has to climb with: the strongest executor's tier, and whether somebody can advise it. That is a
 *  model with the role of its own, or one of a higher tier than the executor that begins. */
export function strengthOf(config: Pick<Config, 'models'>): { resolver: boolean; top_tier: number } {
  const models = Object.values(config.models).map(model => ({
    config: model,
    tier: tierOf(model.model, model.tier),
  }));
  const [first] = candidatesFor('executor', models);
  const tiers = candidatesFor('executor', models).map(candidate => candidate.tier);
  const named = models.some(({ config: { roles } }) => roles.includes('resolver'));
  const stronger = candidatesFor('resolver', models, 3).some(({ tier }) => tier > (first?.tier ?? 3));
  return { resolver: named || stronger, top_tier: Math.max(1, ...tiers) };
}

/** Two records that lead to the same weights. */
export const sameModel = (a: ModelConfig, b: ModelConfig): boolean =>
  a.provider === b.provider && a.base_url === b.base_url && a.model === b.model;
