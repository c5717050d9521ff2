/** Rules every machine keeps, so that pure transitions, JSON snapshots and restarts work (see DESIGN of the kernel). */

import { describe, expect, it } from 'vitest';
import type { AnyStateMachine, AnyStateNode } from 'xstate';
import { newLedger } from '../../machines/budget.ts';
import { newRun, react } from '../../machines/react.ts';
import { catalogue } from '../machines/drive.ts';
import {
  remediationInput,
  sessionInput,
  subtaskInput,
  taskInput,
  turnInput,
  verifierInput,
} from '../machines/results.ts';
import { sources } from './sources.ts';

const INPUTS: Record<string, unknown> = {
  task: taskInput(),
  subtask: subtaskInput(),
  turn: turnInput(),
  verifier: verifierInput(),
  session: sessionInput(),
  remediation: remediationInput(),
};

/** Every effect the host knows how to run. */
const EFFECTS = [
  'plan',
  'replan',
  'prepare',
  'model',
  'compact',
  'tool',
  'note',
  'question',
  'alarm',
  'checks',
  'review',
  'extract',
  'resolve',
  'settle',
  'finalize',
  'compose',
  'mend',
  'reflect',
];

/** What may be resolved by xstate itself, and the two actions the kernel performs. */
const ALLOWED_ACTIONS = [
  'xstate.assign',
  'xstate.emit',
  'xstate.spawnChild',
  'xstate.stopChild',
  'xstate.sendTo',
  'xstate.enqueueActions',
  'journal',
  'put',
];

type Action = string | { type: string; params?: unknown } | (ActionFunction & { type: string });
type ActionFunction = { (): void; type?: string; src?: unknown; collect?: unknown; delay?: unknown };

interface Facts {
  nodes: AnyStateNode[];
  actions: { node: AnyStateNode; action: Action }[];
  implementations: { actors: Record<string, unknown>; actions: Record<string, ActionFunction> };
}

function nodesOf(node: AnyStateNode): AnyStateNode[] {
  return [node, ...Object.values(node.states).flatMap(child => nodesOf(child as AnyStateNode))];
}

function factsOf(machine: AnyStateMachine): Facts {
  const nodes = nodesOf(machine.root as AnyStateNode);
  const actions = nodes.flatMap(node => {
    const transitions = [...[...node.transitions.values()].flat(), ...(node.always ?? [])];
    const all = [...node.entry, ...node.exit, ...transitions.flatMap(transition => transition.actions)];
    return all.map(action => ({ node, action: action as unknown as Action }));
  });
  return { nodes, actions, implementations: machine.implementations as unknown as Facts['implementations'] };
}

/** The function behind an action, by name or inline. */
function resolved({ implementations }: Facts, action: Action): ActionFunction | undefined {
  if (typeof action === 'function') return action;
  return implementations.actions[typeof action === 'string' ? action : action.type];
}

const nameOf = (facts: Facts, action: Action): string => {
  const name = typeof action === 'string' ? action : action.type;
  return ALLOWED_ACTIONS.includes(name) ? name : (resolved(facts, action)?.type ?? name ?? 'inline function');
};

/** Sources a state spawns in actions; those inside enqueueActions are read from the function's text. */
function spawnedBy(facts: Facts, action: Action): string[] {
  const made = resolved(facts, action);
  if (made?.type === 'xstate.spawnChild') return [String(made.src)];
  if (made?.type !== 'xstate.enqueueActions') return [];
  return [...String(made.collect).matchAll(/spawnChild\(\s*['"`](\w+)/g)].map(found => found[1]!);
}

/** A handler that takes whatever the child answers, here or in a state around. */
function handles(node: AnyStateNode | undefined, event: string): boolean {
  if (!node) return false;
  if ((node.transitions.get(event) ?? []).length > 0) return true;
  return handles(node.parent as AnyStateNode | undefined, event);
}

const machines = Object.entries(catalogue.machines).map(
  ([name, machine]) => [name, factsOf(machine), machine] as const,
);

describe.each(machines)('%s', (name, facts, machine) => {
  const { nodes, actions, implementations } = facts;

  it('has no timers of its own', () => {
    const timed = nodes.filter(node => node.config.after !== undefined || node.after.length > 0);
    expect(timed.map(node => node.id)).toEqual([]);
    const delayed = actions.filter(({ action }) => resolved(facts, action)?.delay !== undefined);
    expect(delayed.map(({ node }) => node.id)).toEqual([]);
  });

  it('names children and effects by string, each of them declared and known to catalogue or host', () => {
    const sourcesUsed = [
      ...nodes.flatMap(node => node.invoke.map(invoked => invoked.src)),
      ...actions.flatMap(({ action }) => spawnedBy(facts, action)),
    ];
    expect(sourcesUsed.length).toBeGreaterThan(0);
    for (const source of sourcesUsed) {
      expect(typeof source).toBe('string');
      expect(Object.keys(implementations.actors)).toContain(source);
      expect([...Object.keys(catalogue.machines), ...EFFECTS]).toContain(source);
    }
    expect([...new Set(sourcesUsed)].sort()).toEqual(Object.keys(implementations.actors).sort());
  });

  it('handles whatever it invoked, with a last branch that takes the rest', () => {
    for (const node of nodes)
      for (const { id } of node.invoke) {
        const branches = node.transitions.get(`xstate.done.actor.${id}`) ?? [];
        expect(branches.length, `${node.id} ignores the result of ${id}`).toBeGreaterThan(0);
        expect(
          branches.at(-1)!.guard,
          `${node.id} has results of ${id} that no branch takes`,
        ).toBeUndefined();
      }
  });

  it('handles whatever it spawned', () => {
    for (const { node, action } of actions)
      for (const source of spawnedBy(facts, action))
        expect(handles(node, 'xstate.done.actor.*'), `${node.id} ignores the results of ${source}`).toBe(
          true,
        );
  });

  it('gives children ids without a colon unless they are actors with an incarnation', () => {
    const odd = nodes.flatMap(node => node.invoke.map(({ id }) => id)).filter(id => !/^[a-z]+$/.test(id));
    expect(odd).toEqual([]);
  });

  it('bounds its own eventless steps', () => {
    expect(machine.config.options?.maxIterations).toBe(1000);
  });

  it('says in every end how it ended', () => {
    const ends = nodes.filter(node => node.type === 'final' && node.parent === machine.root);
    expect(ends.length).toBeGreaterThan(0);
    const mute = ends.filter(node => node.output === undefined);
    // Either each end has its own output, or the machine computes one from its context alone.
    if (mute.length > 0) {
      expect(mute).toHaveLength(ends.length);
      expect(String(machine.config.output)).toMatch(/context/);
      expect(String(machine.config.output)).not.toMatch(/event/);
    }
    expect(machine.config.output).toBeDefined();
  });

  it('asks for nothing the kernel does not perform', () => {
    const unknown = actions.filter(({ action }) => !ALLOWED_ACTIONS.includes(nameOf(facts, action)));
    expect(unknown.map(({ node, action }) => `${node.id}: ${nameOf(facts, action)}`)).toEqual([]);
    const named = Object.entries(implementations.actions).filter(
      ([key, made]) => !ALLOWED_ACTIONS.includes(key) && !ALLOWED_ACTIONS.includes(String(made.type)),
    );
    expect(named.map(([key]) => key)).toEqual([]);
  });

  it('starts with a context that is plain JSON', () => {
    const started = react(catalogue, newRun('x', `${name}/x`, newLedger({})), {
      type: 'start',
      machine: name,
      input: INPUTS[name],
    });
    expect(started.fault).toBeUndefined();
    expect(JSON.parse(JSON.stringify(started.next))).toEqual(started.next);
  });

  it('has a version, and an id by which it is drawn', () => {
    expect(catalogue.versions[name]).toBeGreaterThanOrEqual(1);
    expect(machine.id).toBe(name);
    expect(INPUTS[name]).toBeDefined();
  });
});

describe('the machines', () => {
  it('never import each other, only types', () => {
    const files = machines.map(([name]) => `machines/${name}.ts`);
    const lines = sources
      .filter(source => files.includes(source.path))
      .flatMap(source =>
        source.imports
          .filter(line => files.includes(line.target) && !line.typeOnly)
          .map(line => [source.path, line.target]),
      );
    expect(lines).toEqual([]);
    expect(sources.filter(source => files.includes(source.path))).toHaveLength(files.length);
  });

  it('read no clock, no random numbers and no environment', () => {
    const impure = /\b(Date\.now|new Date\b|Math\.random|process\.|setTimeout|performance\.|crypto)/;
    const found = sources.filter(({ path, text }) => path.startsWith('machines/') && impure.test(text));
    expect(found.map(({ path }) => path)).toEqual([]);
  });
});
