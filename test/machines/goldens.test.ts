/** Stored runs of every version keep working: each golden state restores whole and can be driven to its end, and no
 *  machine changes its states, events or sources without its version being raised.
 *
 *  `npm run goldens` writes them anew. Until a version is released that is all it takes; from then on its files stay as
 *  they are, the version of the changed machine is raised, and a migration takes the old states along. */
import { createHash } from 'node:crypto';
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import type { AnyStateMachine } from 'xstate';
import { restore } from '../../machines/actor-entry.ts';
import type { EffectEntry, Run } from '../../machines/react.ts';
import { attach, catalogue, type Drive } from './drive.ts';
import { points } from './golden-points.ts';
import { answer, composed, node, noted, ok, planned, settled, text, toolDone, verdict } from './results.ts';

const FOLDER = join(import.meta.dirname, 'goldens');
const PRINTS = join(FOLDER, 'fingerprints.json');

/** Machine → version → what its stored states refer to. */
type Fingerprints = Record<string, Record<string, string>>;

function fingerprint(machine: AnyStateMachine): string {
  const states: string[] = [];
  const collect = (child: { id: string; states: object }): void => {
    states.push(child.id);
    for (const below of Object.values(child.states)) collect(below);
  };
  collect(machine.root as unknown as { id: string; states: object });
  const parts = { states: states.sort(), events: [...machine.events].sort() };
  const sources = Object.keys(machine.implementations.actors).sort();
  return createHash('sha256')
    .update(JSON.stringify([parts.states, parts.events, sources]))
    .digest('hex')
    .slice(0, 16);
}

const current = (): Fingerprints =>
  Object.fromEntries(
    Object.entries(catalogue.machines).map(([name, machine]) => [
      name,
      { [String(catalogue.versions[name])]: fingerprint(machine) },
    ]),
  );

if (process.env['LOOM_WRITE_GOLDENS'] === '1') {
  mkdirSync(FOLDER, { recursive: true });
  for (const [name, arrive] of Object.entries(points))
    writeFileSync(join(FOLDER, `v1-${name}.json`), `${JSON.stringify(arrive().run, null, 1)}\n`);
  writeFileSync(PRINTS, `${JSON.stringify(current(), null, 1)}\n`);
}

const files = readdirSync(FOLDER).filter(file => /^v\d+-/.test(file));
const load = (file: string): Run => JSON.parse(readFileSync(join(FOLDER, file), 'utf8')) as Run;

/** The answer that brings the run nearer to its end. */
function kindly(effect: EffectEntry): unknown {
  const { choices = [] } = (effect.input ?? {}) as { choices?: string[] };
  const word = effect.source === 'question' ? (choices[0] ?? 'blue') : '';
  const kind: Record<string, unknown> = {
    plan: planned(node('a')),
    replan: planned(node('instead')),
    prepare: { ok: true, tokens: 700 },
    model: text(),
    tool: toolDone(),
    note: noted,
    question: answer(word),
    checks: verdict('pass', { tier: 1, checks_passed: 1 }),
    review: verdict('pass', { confidence: 1, checks_passed: 1 }),
    settle: settled,
    compose: composed(),
  };
  return kind[effect.source] ?? ok;
}

function drivenToItsEnd(drive: Drive): Drive {
  for (let turn = 0; turn < 200; turn++) {
    const effects = Object.values(drive.run.effects).filter(effect => effect.state !== 'held');
    if (drive.run.output !== undefined && effects.length === 0) return drive;
    const next =
      effects.find(effect => effect.state === 'stopping' || effect.source !== 'alarm') ??
      effects.find(({ id }) => id === 'backoff');
    if (!next) drive.command(drive.run.root.startsWith('session/') ? 'CLOSE' : 'RESUME');
    else
      drive.react({
        type: 'settled',
        key: next.key,
        output: next.state === 'stopping' ? null : kindly(next),
      });
  }
  throw new Error(`no end in sight: ${drive.open().join(', ')}`);
}

describe('golden states', () => {
  it('cover the points worth coming back to', () => {
    expect(files.filter(file => file.startsWith('v1-')).sort()).toEqual(
      Object.keys(points)
        .map(name => `v1-${name}.json`)
        .sort(),
    );
  });

  it.each(files)('%s restores whole', file => {
    const run = load(file);
    for (const [path, entry] of Object.entries(run.actors)) {
      expect(entry.version, `${path} has a version nobody migrates`).toBe(catalogue.versions[entry.machine]);
      const machine = catalogue.machines[entry.machine]!;
      const stored = entry.snapshot as { children: Record<string, unknown>; value: unknown };
      const restored = restore(machine, entry);
      expect(restored.status).toBe('active');
      expect(restored.value).toEqual(stored.value);
      expect(Object.keys(restored.children).sort()).toEqual(Object.keys(stored.children).sort());
    }
  });

  it.each(files)('%s can be driven to its end', file => {
    const drive = drivenToItsEnd(attach(load(file)));
    const status = file.includes('cancelled') ? 'cancelled' : 'completed';
    expect(drive.run.output).toMatchObject({ status: file.includes('session') ? 'closed' : status });
    expect(drive.run).toMatchObject({ actors: {}, effects: {} });
  });

  it.each(Object.keys(points))('%s still means the same states and values', name => {
    const today = points[name]!().run;
    const stored = load(`v1-${name}.json`);
    expect(Object.keys(stored.actors).sort()).toEqual(Object.keys(today.actors).sort());
    for (const [path, entry] of Object.entries(stored.actors)) {
      const was = entry.snapshot as { value: unknown; context: object };
      const is = today.actors[path]!.snapshot as { value: unknown; context: object };
      expect(is.value).toEqual(was.value);
      // A new value is fine where its machine can do without; a dropped or renamed one needs a migration.
      expect(Object.keys(is.context)).toEqual(expect.arrayContaining(Object.keys(was.context)));
    }
  });
});

describe('fingerprints', () => {
  const kept = JSON.parse(readFileSync(PRINTS, 'utf8')) as Fingerprints;

  it.each(Object.keys(catalogue.machines))('%s changes only together with its version', name => {
    const version = String(catalogue.versions[name]);
    const advice = `states, events or sources of ${name} changed: raise its version in machines/catalogue.ts and write a migration, or, while version ${version} is unreleased, run "npm run goldens"`;
    expect(kept[name]?.[version], advice).toBe(current()[name]![version]);
  });
});
