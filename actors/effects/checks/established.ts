/** Whether anything observable stands behind a subtask. If not, nothing was proven wrong, and nothing right either. */
import { type Check, unsure } from './check.ts';
import type { World } from './world.ts';

const WORK =
  /\b(?:write|create|add|fix|implement|update|edit|change|modify|refactor|rename|replace|append|generate|produce|build|convert|translate|migrate|remove|delete|correct|improve|extend|document|draft|save)\b/i;

export async function supported(world: World): Promise<Check[]> {
  const { node, touched, traces } = world;
  // A person looked at what an interrupted call did: that is an observation, though nobody knows of what.
  if (traces.some(trace => trace.confirmed)) return [];
  const idle: Check[] = [];
  for (const path of node.deliverables) {
    if (touched.has(path) || (await world.changedElsewhere(path)) || !(await world.see(path))) continue;
    idle.push(unsure(`untouched_${path}`, `${path} was there before, and nothing in this run changed it.`));
  }
  if (touched.size > 0) return idle;
  if (!traces.some(trace => trace.success))
    return [...idle, unsure('no_observation', 'This attempt changed nothing and observed nothing.')];
  if (node.deliverables.length === 0 && WORK.test(node.description))
    return [...idle, unsure('no_change', 'The subtask asks for a change, and this attempt changed no file.')];
  return idle;
}
