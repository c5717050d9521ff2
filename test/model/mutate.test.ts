/** Mutation: one guard negated or one target swapped at a time; unit tests, goldens and explorations must notice.
 *  A seeded sample in `npm test`; all of them with LOOM_DEEP=1 or `npm run mutate`. */
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { build } from 'esbuild';
import { beforeAll, describe, expect, it } from 'vitest';

interface Check {
  name: string;
  run(): unknown;
}
interface Judges {
  mutants: { name: string; machine: string; apply(): () => void }[];
  explorers: (Check & { machine: string })[];
}

const SAMPLE = 64;
const SEED = 20_261;
const everything = process.env['LOOM_DEEP'] === '1' || process.env['LOOM_MUTATE'] === '1';
const machineTests = join(import.meta.dirname, '../machines');

/** Stands in for vitest: keeps the tests instead of running them. */
function collector(): { tests: Check[]; api: object } {
  const tests: Check[] = [];
  const rows = (table: readonly unknown[]) => table.map(row => (Array.isArray(row) ? row : [row]));
  const group = (_name: string, body: () => void) => body();
  const test = (name: string, run: () => unknown) => void tests.push({ name, run });
  const describeEach = (table: readonly unknown[]) => (_name: string, body: (...args: unknown[]) => void) => {
    for (const row of rows(table)) body(...row);
  };
  const testEach = (table: readonly unknown[]) => (name: string, run: (...args: unknown[]) => unknown) => {
    for (const row of rows(table)) tests.push({ name: `${name} ${String(row[0])}`, run: () => run(...row) });
  };
  const describeApi = Object.assign(group, { each: describeEach });
  const testApi = Object.assign(test, { each: testEach });
  return { tests, api: { describe: describeApi, it: testApi, test: testApi, expect } };
}

/** The judges with machines of their own, which may be mutated without anybody else noticing. */
async function load(): Promise<{ judges: Judges; tests: Check[] }> {
  const { outputFiles } = await build({
    entryPoints: [join(import.meta.dirname, 'judges-main.ts')],
    bundle: true,
    write: false,
    platform: 'node',
    format: 'cjs',
    external: ['vitest'],
    define: { 'import.meta.dirname': JSON.stringify(machineTests) },
  });
  const { tests, api } = collector();
  const required = createRequire(import.meta.url);
  const module = { exports: {} as Judges };
  const run = new Function('require', 'module', 'exports', outputFiles[0]!.text);
  run((id: string) => (id === 'vitest' ? api : required(id)), module, module.exports);
  return { judges: module.exports, tests };
}

/** Seeded order (a linear congruence is enough to choose by). */
function shuffled<T>(list: T[]): T[] {
  let state = SEED;
  const random = () => {
    state = (state * 1_103_515_245 + 12_345) % 2_147_483_648;
    return state / 2_147_483_648;
  };
  return list
    .map(value => ({ value, rank: random() }))
    .sort((a, b) => a.rank - b.rank)
    .map(({ value }) => value);
}

describe('a changed machine', () => {
  let judges: Judges;
  let tests: Check[];
  beforeAll(async () => {
    ({ judges, tests } = await load());
  }, 120_000);

  /** What notices the mutant: the name of a test or what an exploration found; null: nobody does. */
  async function killer(machine: string): Promise<string | null> {
    for (const test of tests) {
      try {
        await test.run();
      } catch {
        return test.name;
      }
    }
    const nearest = [...judges.explorers].sort(
      (a, b) => Number(b.machine === machine) - Number(a.machine === machine),
    );
    for (const { name, run } of nearest) {
      try {
        const wrong = run();
        if (wrong) return `${name}: ${wrong}`;
      } catch (error) {
        return `${name}: ${String(error)}`;
      }
    }
    return null;
  }

  it('is what the judges look for: they find nothing wrong with the sound ones', async () => {
    expect(tests.length).toBeGreaterThan(50);
    expect(await killer('task')).toBeNull();
    expect(judges.explorers.length).toBeGreaterThan(5);
  });

  it(
    'is noticed, nine times out of ten',
    async () => {
      const began = Date.now();
      const chosen = everything ? judges.mutants : shuffled(judges.mutants).slice(0, SAMPLE);
      expect(chosen.length).toBeGreaterThanOrEqual(60);
      const survivors: string[] = [];
      for (const { name, machine, apply } of chosen) {
        const undo = apply();
        try {
          if ((await killer(machine)) === null) survivors.push(name);
        } finally {
          undo();
        }
      }
      const killed = chosen.length - survivors.length;
      const share = killed / chosen.length;
      console.log(
        [
          `mutants: ${killed} of ${chosen.length} (of ${judges.mutants.length}) noticed, ${(100 * share).toFixed(1)} %, ${Date.now() - began} ms`,
          ...survivors.map(name => `  survived: ${name}`),
        ].join('\n'),
      );
      expect(share).toBeGreaterThanOrEqual(0.9);
    },
    everything ? 600_000 : 120_000,
  );
});
