/** Which configured models may serve a role, best first. Pure. */
import type { ConfigRole, ModelConfig, Role } from '../../store/config.ts';

/** The role in the configuration that decides about a role of the engine. */
const CONFIGURED: Record<Role, ConfigRole> = {
  planner: 'planner',
  replanner: 'planner',
  resolver: 'planner',
  executor: 'executor',
  session: 'executor',
  verifier: 'verifier',
  extractor: 'extractor',
  compactor: 'compactor',
};

/** Who stands in for a role that no model was given. A verifier rather comes from the planner's side than the executor's. */
const STAND_INS: Record<ConfigRole, ConfigRole[]> = {
  planner: ['executor'],
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
  const list = having ?? models;
  const rank = (candidate: Candidate) =>
    candidate.tier >= tier ? candidate.tier - tier : 100 + (tier - candidate.tier);
  return [...list].sort((a, b) => rank(a) - rank(b));
}

/** Two records that lead to the same weights. */
export const sameModel = (a: ModelConfig, b: ModelConfig): boolean =>
  a.provider === b.provider && a.base_url === b.base_url && a.model === b.model;
