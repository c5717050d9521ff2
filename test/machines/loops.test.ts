/** The loop guard against forty models that loop, and a hundred that only do the same thing again. */
import { afterAll, describe, expect, it } from 'vitest';
import { LOOPING_MODELS, randomLoop } from '../support/looping-models.ts';
import { patientModels } from '../support/patient-models.ts';
import { tell } from '../support/said.ts';
import { text } from './results.ts';

const deep = process.env['LOOM_DEEP'] === '1';
const PATIENT_MODELS = patientModels(10);
const after: number[] = [];
let honest = 0;
let reminded = 0;
afterAll(() => {
  const spread = [...new Set(after)].sort((a, b) => a - b);
  const counts = spread.map(calls => `${after.filter(each => each === calls).length} after ${calls}`);
  console.log(
    `looping models stopped: ${counts.join(', ')} model calls from the first repetition; honest traces: ${honest} model calls, ${reminded} nudges, none stopped`,
  );
});

describe('a model that loops', () => {
  it('is there in forty kinds', () => {
    expect(new Set(LOOPING_MODELS.map(model => model.name)).size).toBe(40);
  });

  it.each(LOOPING_MODELS)(
    '$name: nudged, then stopped within six model calls of the first repetition',
    async model => {
      const told = await tell(model.trace());
      expect(told.output).toMatchObject({ ok: false, failure: { code: 'loop' } });
      expect(told.modelCalls).toBeGreaterThan(model.repeatsAt);
      expect(told.modelCalls - model.repeatsAt).toBeLessThanOrEqual(6);
      after.push(told.modelCalls - model.repeatsAt);
      expect(told.nudged).toHaveLength(1);
      // A person can act on it: what was done again and again, and what helps.
      expect(told.output?.failure?.message).toMatch(/(use a stronger model|better at calling tools)/);
    },
  );
});

describe('any cycle in any disguise', () => {
  it('is stopped within six model calls of its first repetition', async () => {
    for (let seed = 1; seed <= (deep ? 500 : 100); seed++) {
      const model = randomLoop(seed);
      const told = await tell(model.trace());
      expect(told.output, model.name).toMatchObject({ ok: false, failure: { code: 'loop' } });
      expect(told.modelCalls - model.repeatsAt, model.name).toBeLessThanOrEqual(6);
    }
  });
});

describe('a model that only does the same thing again', () => {
  it('is there in a hundred traces', () => {
    expect(new Set(PATIENT_MODELS.map(model => JSON.stringify(model.turns))).size).toBe(100);
  });

  it.each(PATIENT_MODELS)('$name: never stopped', async model => {
    for (const turn of model.turns) {
      const told = await tell(turn);
      expect(told.output, told.output?.failure?.message).toBeUndefined();
      expect(told.modelCalls).toBe(turn.length);
      honest += told.modelCalls;
      reminded += told.nudged.length;
      told.drive.settle('model', text());
      expect(told.drive.run.output).toMatchObject({ ok: true });
    }
  });

  it.runIf(deep)('is not stopped in a thousand more', async () => {
    for (const model of patientModels(110))
      for (const turn of model.turns) expect((await tell(turn)).output, model.name).toBeUndefined();
  });
});
