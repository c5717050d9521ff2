/** Acceptance criteria that name files and words: what has to be there, what has to be gone, what has to be in it. */
import { clausesOf, criteriaPaths, pathsIn } from '../claimed-paths.ts';
import { type Check, failed, passed, unsure } from './check.ts';
import { commandsIn } from './commands.ts';
import { present } from './deliverables.ts';
import { located, type World } from './world.ts';

export async function criteria(world: World): Promise<Check[]> {
  const { acceptance_criteria, deliverables } = world.node;
  const { wanted, unwanted, mentioned } = criteriaPaths(acceptance_criteria);
  const checks: Check[] = [];
  const places = (paths: string[]): Promise<string[]> => Promise.all(paths.map(path => located(world, path)));
  for (const path of await places(wanted))
    if (!deliverables.includes(path)) checks.push(await present(world, path, 'criterion'));
  for (const path of unwanted) checks.push(await absent(world, path));
  for (const path of await places(mentioned))
    if ((await world.see(path)) === null)
      checks.push(unsure(`criterion_${path}`, `The criteria speak of ${path}, which does not exist.`));
  return [...checks, ...(await words(world))];
}

async function absent(world: World, path: string): Promise<Check> {
  const name = `absent_${path}`;
  return (await world.see(path))
    ? failed(name, `${path} should be gone but is there.`)
    : passed(name, `${path} is gone.`);
}

const HOLDS =
  /\b(?:contains?|includes?|has|have|mentions?|exports?|defines?|declares?|lists?|says?|reads?|starts? with|ends? with|named|called|titled|heading|key|field|column)\b/i;
const DENIED = /\b(?:not|no|never|without|neither|nor)\b|n['’]t\b/i;

/** `report.md contains "Risks"`: a quoted word that is not in the file it is asked of. A reader may see why that is fine. */
async function words(world: World): Promise<Check[]> {
  const checks: Check[] = [];
  for (const clause of clausesOf(world.node.acceptance_criteria)) {
    if (!HOLDS.test(clause) || DENIED.test(clause)) continue;
    const paths = pathsIn(clause);
    const path = paths.length === 1 ? await located(world, paths[0]!) : null;
    const text = path === null ? null : ((await world.see(path))?.text ?? null);
    if (path === null || text === null) continue;
    const missing = quoted(clause).filter(word => !pathsIn(word).length && !holds(text, word));
    for (const word of missing.filter(each => !commandsIn(`\`${each}\` passes`).length))
      checks.push(unsure(`criterion_word_${path}`, `"${word}" does not occur in ${path}.`));
  }
  return checks;
}

const quoted = (clause: string): string[] =>
  [...clause.matchAll(/`([^`\n]{2,80})`|"([^"\n]{2,80})"|“([^”\n]{2,80})”/g)].map(
    match => match[1] ?? match[2] ?? match[3]!,
  );

/** Case and spacing aside, and `add()` is there when `add` is. */
const holds = (text: string, word: string): boolean => {
  const plain = (value: string): string => value.toLowerCase().replace(/\s+/g, ' ');
  return plain(text).includes(plain(word.replace(/\(.*\)$/, '')));
};
