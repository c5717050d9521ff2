/** Rules of a process: a match of the pattern is a violation. */
import { safePattern } from '../../../tools/safe-pattern.ts';
import { advisory, type Check, failed, passed, type RegexRule, unsure } from './check.ts';
import type { World } from './world.ts';

const MAX_CHARS = 1024 * 1024;

export async function regexRules(world: World): Promise<Check[]> {
  return Promise.all(world.rules.regex.map(rule => judge(world, rule)));
}

async function judge(world: World, rule: RegexRule): Promise<Check> {
  const name = `rule_${rule.id}`;
  // Without flags of their own, rules look at lines and not at case.
  const pattern = await safePattern(rule.pattern, rule.flags ?? 'im');
  if (!pattern) return unsure(name, `Rule ${rule.id} has no valid pattern: ${rule.pattern}.`);
  for (const [where, text] of await targets(world, rule.target)) {
    const found = pattern.find(text);
    if (!found) continue;
    if (found === 'too_slow')
      return unsure(
        name,
        `Rule ${rule.id} could not be judged in time on ${where}: write its pattern without repetitions inside repetitions.`,
      );
    const detail = `${where} breaks the rule ${rule.id}: ${rule.message} ("${found.match.slice(0, 80)}").`;
    return rule.enforcement === 'hard' ? failed(name, detail) : advisory(name, detail);
  }
  return passed(name, `Rule ${rule.id} holds.`);
}

async function targets(world: World, target: RegexRule['target']): Promise<[where: string, text: string][]> {
  if (target === 'output') return [['The answer', world.answer]];
  const paths = target === 'deliverables' ? world.node.deliverables : world.changed;
  const texts = await Promise.all(
    paths.map(async path => [path, (await world.see(path))?.text ?? ''] as const),
  );
  return texts.map(([path, text]) => [path, text.slice(0, MAX_CHARS)]);
}
