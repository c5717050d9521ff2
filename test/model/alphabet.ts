/** The outputs of a part, as the results of the effect that stands for it in the whole. */
import { newLedger } from '../../machines/budget.ts';
import { type EffectEntry, newRun, type Outside, type Run, react } from '../../machines/react.ts';
import { type Model, TEXTS } from './explore.ts';

/** The value as JSON without texts and without the fields named. */
export const shape = (value: unknown, without: string[] = []): string =>
  JSON.stringify(value, (key, inner) => (TEXTS.has(key) || without.includes(key) ? undefined : inner));

/** One output of each shape. */
export function distinct(outputs: unknown[], without: string[] = []): unknown[] {
  return [...new Map(outputs.map(output => [shape(output, without), output])).values()];
}

/** The first state in which an effect of the source is open, and what the run looks like after each of its outputs. */
function probe(model: Model, source: string, outputs: unknown[]): { output: unknown; after: Run }[] {
  const advance = (run: Run, outside: Outside): Run => {
    const { next, fault } = react(model.catalogue, run, outside);
    if (fault) throw new Error(fault.message);
    return next;
  };
  let run = advance(newRun('x', model.root ?? `${model.machine}/x`, newLedger({})), {
    type: 'start',
    machine: model.machine,
    input: model.input,
  });
  const wanted = (): EffectEntry | undefined =>
    Object.values(run.effects).find(effect => effect.source === source);
  for (let found = wanted(); !found; found = wanted()) {
    const effect = Object.values(run.effects).find(({ state }) => state === 'open');
    if (!effect) throw new Error(`no way to ${source}`);
    run = advance(run, { type: 'settled', key: effect.key, output: model.results(effect, run)[0] });
  }
  const { key } = wanted()!;
  return outputs.map(output => ({ output, after: advance(run, { type: 'settled', key, output }) }));
}

/** Of outputs that lead to the same states and effects, however they are called, so many each. */
export function representatives(model: Model, source: string, outputs: unknown[], each: number): unknown[] {
  const classes = new Map<string, unknown[]>();
  for (const { output, after } of probe(model, source, outputs)) {
    const actors = Object.entries(after.actors).map(([path, { snapshot }]) => [
      path,
      (snapshot as { value: unknown }).value,
    ]);
    const effects = Object.values(after.effects).map(({ path, id, state, input }) => [
      path,
      id,
      state,
      shape(input, ['kind', 'code']),
    ]);
    const ended = shape(after.output ?? null, ['code', 'kind']);
    const kind = Object.values(output as object).filter(value => typeof value === 'boolean');
    const name = JSON.stringify([kind, actors, effects, ended]);
    const known = classes.get(name) ?? [];
    if (known.length < each) classes.set(name, [...known, output]);
  }
  return [...classes.values()].flat();
}

/** What whoever receives an output of the source then knows of it. */
export function received(model: Model, source: string): (output: unknown) => string {
  return output => {
    const [probed] = probe(model, source, [output]);
    return shape(Object.values(probed!.after.actors).map(({ snapshot, apart }) => [snapshot, apart]));
  };
}
