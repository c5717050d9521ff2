/** Killed while a command runs or while what it changed is merged: it counts once, and nothing of it is lost. */
import { mkdirSync, readdirSync, readFileSync, symlinkSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { afterEach, beforeAll, describe, expect, test } from 'vitest';
import type { FileChange, Question } from '../../actors/loom.ts';
import type { CrashPoint } from '../../store/crash-points.ts';
import { DEEP, random, spread } from '../support/lanes.ts';
import { type Sandbox, sandbox } from '../support/loom-process.ts';
import { done, plan, script, shell, verdict } from '../support/script.ts';
import { treeOf } from '../support/tree.ts';

/** Everything that a merge has to do: contents, modes, links, moves, turns, folders, and a folder that is not kept. */
const COMMAND = [
  'echo counted >> count.log',
  'sed -i s/one/two/ a.txt; chmod 640 a.txt',
  'mv src lib; mkdir src; echo new > src/new.txt',
  'rm -r gone; ln -s a.txt link; rm turned; mkdir turned; echo in > turned/in',
  'mkdir -p deep/er/still hollow; for i in 1 2 3 4 5; do echo $i > deep/er/$i; done',
  'mkdir -p node_modules/m; echo m > node_modules/m/index.js; rm -rf node_modules/old',
].join('; ');

const SCENARIO = script(
  { ...plan({ id: 'one', criteria: 'The command ran.' }), repeat: true },
  { ...shell('one', COMMAND), step: 0, repeat: true },
  { ...done('one'), step: 1, repeat: true },
  { ...verdict('one', true), repeat: true },
);

const boxes: Sandbox[] = [];
afterEach(() => {
  for (const one of boxes.splice(0)) one.remove();
});

function box(): Sandbox {
  const made = sandbox();
  boxes.push(made);
  made.scenario(SCENARIO);
  made.write('a.txt', 'one\n');
  made.write('src/x.txt', 'x\n');
  made.write('src/y/z.txt', 'z'.repeat(6_000));
  made.write('gone/g.txt', 'g\n');
  made.write('turned', 'a file\n');
  made.write('node_modules/old/index.js', 'old\n');
  return made;
}

const RUN = ['run', 'Do it', '--allow', 'shell_execute'];
const kept = (tree: Record<string, string>) =>
  Object.fromEntries(Object.entries(tree).filter(([path]) => !path.startsWith('node_modules')));

let before: Record<string, string>;
let after: Record<string, string>;
let passages: Partial<Record<CrashPoint, number>>;

beforeAll(async () => {
  const here = box();
  before = treeOf(here.workspace);
  const counts = join(here.folder, 'passages.json');
  const ended = await here.run(RUN, { LOOM_CRASH_COUNTS: counts });
  expect(ended.code, ended.stderr).toBe(0);
  after = treeOf(here.workspace);
  passages = JSON.parse(readFileSync(counts, 'utf8')) as typeof passages;
  here.remove();
});

test('an undisturbed command does all of it in steps that a kill can fall between', () => {
  expect(passages['file-changed']).toBeGreaterThan(12);
  expect(passages['checkpointed']).toBeGreaterThanOrEqual(2);
  expect(after['node_modules/m/index.js']).toBeDefined();
  expect(after['node_modules/old']).toBeUndefined();
});

/** Others are crossed by the suite of all boundaries. */
const POINTS = DEEP
  ? (['checkpointed', 'file-changed', 'effect-done', 'blob-written'] as const)
  : (['checkpointed', 'file-changed'] as const);

describe.each(POINTS)('killed at %s', point => {
  test('it counts once, is undone to the first state and redone to the last', async () => {
    const all = passages[point] ?? 0;
    for (const n of spread(all, DEEP ? all : point === 'file-changed' ? 4 : 2, random(11))) {
      const here = box();
      const killed = await here.run(RUN, { LOOM_CRASH_AT: `${point}:${n}` });
      expect(killed.signal, killed.stderr).toBe('SIGKILL');
      const resumed = await here.run(['resume', '--last']);
      // Sandboxed and without network it can have reached nothing else, so that nobody is asked.
      expect(resumed.code, `${point}:${n} ${resumed.stderr}`).toBe(0);
      expect(treeOf(here.workspace), `${point}:${n}`).toEqual(after);
      const id = (await here.json<{ task_id: string }[]>(['tasks'])).value[0]!.task_id;
      // What is not kept is named, and that is all that stays.
      expect((await here.run(['undo', id])).code).toBe(1);
      expect(kept(treeOf(here.workspace)), `${point}:${n} undone`).toEqual(kept(before));
      await here.run(['redo', id]);
      expect(treeOf(here.workspace), `${point}:${n} redone`).toEqual(after);
      expect(readdirSync(join(here.home, 'scratch/overlays'))).toEqual([]);
      here.remove();
    }
  });
});

/** A PATH on which the program that enters namespaces is missing. */
function withoutNamespaces(here: Sandbox): Record<string, string> {
  const bin = join(here.folder, 'bin');
  mkdirSync(bin);
  for (const folder of (process.env['PATH'] ?? '').split(delimiter)) {
    let names: string[] = [];
    try {
      names = readdirSync(folder);
    } catch {
      // Not every folder of a PATH exists.
    }
    for (const name of names)
      if (!['unshare', 'bwrap'].includes(name))
        try {
          symlinkSync(join(folder, name), join(bin, name));
        } catch {
          // An earlier folder has it.
        }
  }
  return { PATH: bin };
}

describe('without an overlay', () => {
  test('a command that a kill cut off is a question, and what it had changed by then is undone', async () => {
    const here = box();
    here.scenario(
      script(
        { ...plan({ id: 'one', criteria: 'The command ran.' }), repeat: true },
        { ...shell('one', `${COMMAND}; touch ready; sleep 30`), step: 0, repeat: true },
        { ...done('one'), step: 1, repeat: true },
        { ...verdict('one', true), repeat: true },
      ),
    );
    const env = withoutNamespaces(here);
    const running = here.start(RUN, env);
    await expect.poll(() => here.tree()['ready'], { timeout: 20_000 }).toBe('');
    running.process.kill('SIGKILL');
    await running.ended;
    const asked = await here.run(['resume', '--last'], env);
    expect(asked.code, asked.stderr).toBe(3);
    const id = (await here.json<{ task_id: string }[]>(['tasks'])).value[0]!.task_id;
    const { value } = await here.json<{ questions: Question[] }>(['status', id]);
    expect(value.questions).toMatchObject([{ kind: 'uncertain' }]);
    const listed = (await here.json<FileChange[]>(['diff', id])).value.map(change => change.path);
    expect(listed).toContain('lib/y/z.txt');
    expect((await here.run(['cancel', id])).code).toBe(0);
    await here.run(['undo', id]);
    expect(kept(treeOf(here.workspace))).toEqual(kept(before));
  });

  test('it is recorded and undone like any other when nothing comes between', async () => {
    const here = box();
    const ended = await here.run(RUN, withoutNamespaces(here));
    expect(ended.code, ended.stderr).toBe(0);
    expect(treeOf(here.workspace)).toEqual(after);
    const id = (await here.json<{ task_id: string }[]>(['tasks'])).value[0]!.task_id;
    await here.run(['undo', id]);
    expect(kept(treeOf(here.workspace))).toEqual(kept(before));
    await here.run(['redo', id]);
    expect(treeOf(here.workspace)).toEqual(after);
  });
});
