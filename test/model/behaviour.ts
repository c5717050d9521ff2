/** States of one actor that nobody outside can tell apart, now or ever, are one: the coarsest bisimulation of the actor
 *  explored alone. In a run of many actors each may then be named by what it will do instead of what it remembers. */
import type { ActorEntry, EffectEntry, Outside, Reaction } from '../../machines/react.ts';
import { shape } from './alphabet.ts';
import { effectText, explore, type Model, type Report } from './explore.ts';

/** What does not tell two actors apart. */
interface Anonymity {
  /** Context keys, at any depth, that only name the actor or count what it has cost. */
  names: string[];
  /** The source of its children, which are actors elsewhere; its context lists them. */
  child?: string;
}

interface Edge {
  from: number;
  to: number;
  /** What happened, and what the parent saw of it. */
  label: string;
}

/** Contents of an actor and its effects, without the names it was given. */
function contents(entry: ActorEntry, all: EffectEntry[], { names, child }: Anonymity): string {
  const effects = all.filter(effect => effect.source !== child);
  const { value, context } = entry.snapshot as { value: unknown; context: unknown };
  return shape([value, context, effects.map(effectText).sort()], names);
}

const cause = (before: { effects: Record<string, EffectEntry> }, outside: Outside): string => {
  if (outside.type === 'settled')
    return `${before.effects[outside.key]?.id} ${JSON.stringify(outside.output)}`;
  return outside.type === 'command' ? outside.event.type : outside.type;
};

export interface Behaviour {
  report: Report;
  /** Number of states that can be told apart. */
  blocks: number;
  /** For `Model.sameAs`, of actors of this machine. */
  nameOf(entry: ActorEntry, effects: EffectEntry[]): string | undefined;
}

/** Explores the model, whose root is the only actor.
 *  @param seen what the parent sees of its output */
export function behaviourOf(
  model: Model,
  anonymity: Anonymity,
  seen: (output: unknown) => string = shape,
): Behaviour {
  const edges: Edge[] = [];
  const states = new Map<number, string>();
  const visible = new Map<number, string>();
  const views = new Map<string, string>();
  const view = (output: unknown): string => {
    const text = JSON.stringify(output);
    if (!views.has(text)) views.set(text, seen(output));
    return views.get(text)!;
  };
  const note = (id: number, run: Reaction['next']) => {
    const [entry] = Object.values(run.actors);
    const effects = Object.values(run.effects).filter(
      effect => !(effect.state === 'stopping' && effect.class === 'repeatable'),
    );
    if (entry) states.set(id, contents(entry, effects, anonymity));
    visible.set(id, run.output === undefined ? effects.map(effectText).sort().join() : view(run.output));
  };
  const report = explore({
    ...model,
    stopsAtOnce: true,
    onEdge: edge => {
      const { before, outside, reaction } = edge;
      note(edge.to, reaction.next);
      const said = JSON.stringify([reaction.emitted, reaction.start.map(({ source }) => source)]);
      edges.push({ from: edge.from, to: edge.to, label: `${cause(before, outside)} ${said}` });
    },
  });

  const out: Edge[][] = Array.from({ length: report.states }, () => []);
  for (const edge of edges) out[edge.from]!.push(edge);
  let block = Array.from({ length: report.states }, (_, id) => visible.get(id) ?? '');
  for (let count = 0; ; ) {
    const numbers = new Map<string, number>();
    block = block.map((own, id) => {
      const next = out[id]!.map(edge => `${edge.label} ${block[edge.to]}`).sort();
      const text = JSON.stringify([own, [...new Set(next)]]);
      if (!numbers.has(text)) numbers.set(text, numbers.size);
      return String(numbers.get(text));
    });
    if (numbers.size === count) break;
    count = numbers.size;
  }
  const byContents = new Map([...states].map(([id, text]) => [text, block[id]!]));
  return {
    report,
    blocks: new Set(block).size,
    nameOf: (entry, effects) => byContents.get(contents(entry, effects, anonymity)),
  };
}
