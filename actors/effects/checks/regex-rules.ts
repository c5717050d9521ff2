/** Rules of a process: a match of the pattern is a violation. */
import { advisory, type Check, failed, passed, type RegexRule, unsure } from './check.ts';
import type { World } from './world.ts';

const MAX_CHARS = 1024 * 1024;

export async function regexRules(world: World): Promise<Check[]> {
  return Promise.all(world.rules.regex.map(rule => judge(world, rule)));
}

async function judge(world: World, rule: RegexRule): Promise<Check> {
  const name = `rule_${rule.id}`;
  const pattern = compiled(rule);
  if (!pattern) return unsure(name, `Rule ${rule.id} has no valid pattern: ${rule.pattern}.`);
  for (const [where, text] of await targets(world, rule.target)) {
    const found = pattern.exec(text);
    if (!found) continue;
    const detail = `${where} breaks the rule ${rule.id}: ${rule.message} ("${found[0].slice(0, 80)}").`;
    return rule.enforcement === 'hard' ? failed(name, detail) : advisory(name, detail);
  }
  return passed(name, `Rule ${rule.id} holds.`);
}

function compiled({ pattern, flags = 'im' }: RegexRule): RegExp | null {
  try {
    // Without `g` and `y`, which would make a match depend on the one before.
    return new RegExp(pattern, flags.replace(/[gy]/g, ''));
  } catch {
    return null;
  }
}

async function targets(world: World, target: RegexRule['target']): Promise<[where: string, text: string][]> {
  if (target === 'output') return [['The answer', world.answer]];
  const paths = target === 'deliverables' ? world.node.deliverables : world.changed;
  const texts = await Promise.all(
    paths.map(async path => [path, (await world.see(path))?.text ?? ''] as const),
  );
  return texts.map(([path, text]) => [path, text.slice(0, MAX_CHARS)]);
}
