/** What the answer says was written, held against what this subtask really changed. */
import { claimedPaths, type ProseClaim } from '../claimed-paths.ts';
import { type Check, failed, passed, unsure } from './check.ts';
import { present } from './deliverables.ts';
import { isTouched, meant, type World } from './world.ts';

export async function claims(world: World): Promise<Check[]> {
  const { summary, deliverables } = world.claim;
  // Without JSON the summary is the answer itself.
  const words = world.answer.trim().startsWith(summary) ? world.answer : `${summary}\n${world.answer}`;
  const claimed = claimedPaths(words, deliverables, world.root);
  const checks: Check[] = [];
  for (const path of claimed.listed) checks.push(await listed(world, path, claimed.prose));
  for (const sentence of claimed.prose)
    for (const path of sentence.paths)
      if (!claimed.listed.includes(path)) checks.push(...(await said(world, path, sentence)));
  if (claimed.saysWork && world.touched.size === 0 && checks.every(check => check.result !== 'failed'))
    checks.push(
      unsure(
        'claim_without_change',
        'The answer says that something was written or changed, but this subtask changed no file.',
      ),
    );
  return checks;
}

const unchanged = (path: string): string =>
  `The answer says that ${path} was written or changed, but nothing in this run changed it.`;

/** A path of `deliverables_touched`. */
async function listed(world: World, path: string, prose: ProseClaim[]): Promise<Check> {
  const name = `claim_${path}`;
  if (isTouched(world, path)) return touchedPath(world, meant(world, path), name);
  const there = await present(world, path, 'claim');
  if (there.result === 'failed') return there;
  if (await world.changedElsewhere(path)) return passed(name, `${path} was changed in this run.`);
  if (wroteTheSame(world, path))
    return unsure(name, `${path} was written with exactly the contents that it had before.`);
  const insisted =
    world.node.deliverables.includes(path) || prose.some(sentence => sentence.paths.includes(path));
  return insisted ? failed(name, unchanged(path)) : unsure(name, unchanged(path));
}

/** A path in a sentence that speaks of writing; the sentence may name files that it only mentions. */
async function said(world: World, path: string, { paths, objects, passive }: ProseClaim): Promise<Check[]> {
  const name = `claim_${path}`;
  if (isTouched(world, path)) return [await touchedPath(world, meant(world, path), name)];
  if (paths.some(other => isTouched(world, other)) || (await world.changedElsewhere(path))) return [];
  if ((await world.see(path)) === null) {
    const missing = await present(world, path, 'claim');
    // Work that was done elsewhere may speak of a file without having made it.
    return [objects.includes(path) || world.touched.size === 0 ? missing : unsure(name, missing.detail)];
  }
  if (wroteTheSame(world, path))
    return [unsure(name, `${path} was written with exactly the contents that it had before.`)];
  const sure = !passive && world.touched.size === 0;
  return [sure ? failed(name, unchanged(path)) : unsure(name, unchanged(path))];
}

/** Touched, and different from before: a change that was taken back is no change. */
async function touchedPath(world: World, path: string, name: string): Promise<Check> {
  const before = await world.before(path);
  const seen = await world.see(path);
  if (seen && before !== null && before !== '' && seen.text === before)
    return unsure(name, `${path} is exactly as it was before this subtask.`);
  return passed(name, `${path} was changed by this subtask.`);
}

const wroteTheSame = (world: World, path: string): boolean =>
  world.traces.some(trace => trace.success && trace.tool === 'write_file' && trace.subject === path);
