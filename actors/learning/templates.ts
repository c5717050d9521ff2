/** Shapes of plans that completed, for goals with the same words. A shape has no text of its plan: it may be shown to
 *  another workspace's planner. */
import type { Plan } from '../../machines/plan.ts';
import { readPatterns } from '../../store/learned.ts';
import { PLAN_PREFIX, type PlanPattern, type ShapeNode } from '../../store/lessons.ts';
import type { Store } from '../../store/port.ts';
import { kindOf } from './kind.ts';

/** Larger plans are not remembered: they fit their goal alone. */
export const MOST_NODES = 24;
const MOST_WORDS = 16;
/** Share of common words from which two goals are alike (Jaccard index). */
const ALIKE = 0.5;
const OFFERED = 2;

const STOP_WORDS = new Set(
  'the a an and or of to in on at for with from by as is are be it its this that these those all each every into your you our we please should must can will then than so do not no'.split(
    ' ',
  ),
);

/** Words of a goal that say what it is about, sorted, each once: no numbers, no short or common ones. */
export function goalWords(goal: string): string[] {
  const words = goal.toLowerCase().match(/\p{L}{3,}/gu) ?? [];
  return [...new Set(words.filter(word => !STOP_WORDS.has(word)))].slice(0, MOST_WORDS).sort();
}

export function shapeOf(plan: Plan): ShapeNode[] {
  const at = new Map(plan.subtasks.map((node, i) => [node.id, i]));
  return plan.subtasks.map(node => ({
    kind: kindOf(node),
    after: node.depends_on.flatMap(id => at.get(id) ?? []).sort((a, b) => a - b),
    model_tier: node.model_tier,
    verification_tier: node.verification_tier,
  }));
}

/** Share of the words of both that are words of each. */
function likeness(a: string[], b: string[]): number {
  const common = a.filter(word => b.includes(word)).length;
  const all = a.length + b.length - common;
  return all === 0 ? 0 : common / all;
}

export function shapeText(shape: ShapeNode[]): string {
  return shape
    .map(({ kind, after, model_tier, verification_tier }, i) => {
      const needs = after.length > 0 ? ` after ${after.map(n => n + 1).join(', ')}` : '';
      return `${i + 1} ${kind}${needs} (model_tier ${model_tier}, verification_tier ${verification_tier})`;
    })
    .join(' · ');
}

/** Lines for the planner: the plans of the goals most like this one, the most frequent first. */
export async function planTemplates(store: Store, goal: string, now: number): Promise<string[]> {
  const words = goalWords(goal);
  const known = await readPatterns<PlanPattern>(store, PLAN_PREFIX, now);
  return known
    .map(({ key, pattern }) => ({ key, pattern, like: likeness(words, pattern.words) }))
    .filter(({ like }) => like >= ALIKE)
    .sort(
      (a, b) =>
        b.like - a.like ||
        b.pattern.seen - a.pattern.seen ||
        (a.pattern.last < b.pattern.last ? 1 : a.pattern.last > b.pattern.last ? -1 : 0) ||
        (a.key < b.key ? -1 : 1),
    )
    .slice(0, OFFERED)
    .map(
      ({ pattern }) =>
        `- completed ${pattern.seen === 1 ? 'once' : `${pattern.seen} times`}: ${shapeText(pattern.shape)}`,
    );
}
