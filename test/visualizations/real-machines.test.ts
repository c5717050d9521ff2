/** Nothing of the real machines is missing from a picture: compared with xstate's own state nodes, not with our chart. */
import { describe, expect, it } from 'vitest';
import type { AnyStateNode } from 'xstate';
import { dot } from '../../visualizations/dot.ts';
import { chartOf, machineNames } from '../../visualizations/machines.ts';
import { mermaid } from '../../visualizations/mermaid.ts';
import { machineText } from '../../visualizations/pictures.ts';
import { catalogue } from '../machines/drive.ts';

interface Fact {
  from: string;
  to: string[] | null;
  guard: string | null;
  actions: string[];
  reenter: boolean;
}

const nodesOf = (node: AnyStateNode): AnyStateNode[] => [
  node,
  ...Object.values(node.states).flatMap(child => nodesOf(child as AnyStateNode)),
];

const pathOf = (node: AnyStateNode): string => [node.machine.id, ...node.path].join('.');

/** Every transition as xstate holds it; of guards and actions only those with a name. */
const transitionsOf = (node: AnyStateNode): Fact[] =>
  [...[...node.transitions.values()].flat(), ...(node.always ?? [])].map(transition => ({
    from: pathOf(node),
    to: transition.target ? transition.target.map(pathOf) : null,
    guard: typeof transition.guard === 'string' ? transition.guard : null,
    actions: transition.actions.flatMap(action =>
      typeof action === 'string' ? [action] : 'params' in action ? [(action as { type: string }).type] : [],
    ),
    reenter: transition.reenter,
  }));

const last = (path: string): string => path.slice(path.lastIndexOf('.') + 1);

/** Facts that no line fits; each line is used once. */
function unseen(facts: Fact[], lines: string[], fits: (line: string, fact: Fact) => boolean): Fact[] {
  const left = [...lines];
  const named = facts.filter(fact => fact.guard);
  return [...named, ...facts.filter(fact => !fact.guard)].filter(fact => {
    const found = left.findIndex(line => fits(line, fact));
    if (found >= 0) left.splice(found, 1);
    return found < 0;
  });
}

const holds = (line: string, { guard, actions }: Fact): boolean =>
  (guard === null || line.includes(`[${guard}]`)) && actions.every(action => line.includes(action));

describe.each(machineNames())('every state and transition of %s', name => {
  const nodes = nodesOf(catalogue.machines[name]!.root as AnyStateNode);
  const facts = nodes.flatMap(transitionsOf);
  const chart = chartOf(name)!;

  it('is in the text tree, under its state', () => {
    const text = machineText(chart, { columns: 400 });
    const blocks = new Map<string, string[]>([[name, []]]);
    let current = name;
    for (const line of text.slice(0, text.indexOf('How it can end')).split('\n').slice(1)) {
      const state = /[├└][─▸] [○◎] (\w+)/.exec(line)?.[1];
      if (state !== undefined) blocks.set((current = state), []);
      else blocks.get(current)!.push(line);
    }
    expect([...blocks.keys()].sort()).toEqual(nodes.map(node => last(pathOf(node))).sort());
    for (const node of nodes) {
      const lines = blocks.get(last(pathOf(node)))!.filter(line => /[→↻·] \w/.test(line));
      const own = transitionsOf(node);
      expect(lines).toHaveLength(own.length);
      expect(
        unseen(own, lines, (line, fact) => {
          const arrow = fact.to ? `${fact.reenter ? '↻' : '→'} ${fact.to.map(last).join(', ')}` : '· stays';
          return holds(line, fact) && line.split(/\s{2,}/).includes(arrow);
        }),
      ).toEqual([]);
    }
  });

  it('is in the Mermaid text', () => {
    const lines = mermaid([{ title: name, chart }])
      .split('\n')
      .map(line => line.trim());
    const id = (path: string): string => path.replaceAll('.', '_');
    const without = nodes
      .slice(1)
      .filter(
        node => !lines.some(line => new RegExp(`^state ".*" as ${id(pathOf(node))}( \\{)?$`).test(line)),
      );
    expect(without.map(pathOf)).toEqual([]);
    const arrows = lines.filter(line => / --> (?!\[\*\])/.test(line) && !line.startsWith('[*]'));
    const leaving = facts.filter(({ to }) => to !== null);
    expect(arrows).toHaveLength(leaving.length);
    const missing = unseen(leaving, arrows, (line, fact) => {
      const [from, to] = line.split(' : ')[0]!.split(' --> ');
      return holds(line, fact) && from!.replace(/_any$/, '') === id(fact.from) && to === id(fact.to![0]!);
    });
    const inside = lines.filter(line => /^\w+ : (?!entry|exit)/.test(line));
    const staying = facts.filter(({ to }) => to === null);
    expect(inside).toHaveLength(staying.length);
    const gone = unseen(
      staying,
      inside,
      (line, fact) => holds(line, fact) && line.split(' : ')[0]!.replace(/_any$/, '') === id(fact.from),
    );
    expect([...missing, ...gone]).toEqual([]);
  });

  it('is valid Mermaid: names are declared, blocks closed, labels plain', () => {
    const text = mermaid([{ title: name, chart }]);
    const lines = text.split('\n').map(line => line.trim());
    const declared = new Set(lines.flatMap(line => /^state ".*" as (\w+)/.exec(line)?.[1] ?? []));
    for (const line of lines.filter(each => each.includes('-->')))
      for (const end of line.split(' : ')[0]!.split(' --> '))
        expect(end === '[*]' || declared.has(end), line).toBe(true);
    expect(lines.filter(line => line.endsWith('{'))).toHaveLength(lines.filter(line => line === '}').length);
    expect(text).not.toMatch(/[;#<]|(?<!--)>/);
    expect(
      lines.filter(line => line.includes(' : ') && line.split(' : ').slice(1).join('').includes(':')),
    ).toEqual([]);
  });

  it('is in the DOT text', () => {
    const lines = dot([{ title: name, chart }]).split('\n');
    for (const node of nodes) {
      const declared =
        node.states && Object.keys(node.states).length > 0
          ? `subgraph "cluster ${pathOf(node)}" {`
          : `"${pathOf(node)}" [id=`;
      expect(
        lines.some(line => line.trim().startsWith(declared)),
        pathOf(node),
      ).toBe(true);
    }
    const arrows = lines.filter(line => line.includes(' [label=" ') || /-> .*\[label=""/.test(line));
    const leaving = facts.filter(({ to }) => to !== null);
    expect(arrows).toHaveLength(leaving.length);
    const words = (line: string): string => line.replace(/ *\\n */g, ' ');
    const missing = unseen(leaving, arrows, (line, fact) => {
      const [, from, to] = /"([^"]+)" -> "([^"]+)"/.exec(line)!;
      return (
        holds(words(line), fact) && from!.replace(/\.any$/, '') === fact.from && to!.startsWith(fact.to![0]!)
      );
    });
    const boxes = new Map(
      lines.flatMap(line =>
        /^ *"([\w.]+)" \[.*label=</.exec(line)?.[1]
          ? [[/^ *"([\w.]+)"/.exec(line)![1]!.replace(/\.any$/, ''), line]]
          : [],
      ) as [string, string][],
    );
    const gone = facts.filter(fact => fact.to === null && !holds(boxes.get(fact.from) ?? '', fact));
    expect([...missing, ...gone]).toEqual([]);
  });

  it.each([60, 80, 100])('fits %i columns', columns => {
    const lines = machineText(chart, { columns }).split('\n');
    const wide = lines.filter(line => line.length > columns);
    expect(wide).toEqual([]);
  });
});

describe('the task', () => {
  it('reads as the promise it makes', () => {
    expect(machineText(chartOf('task')!, { columns: 100 })).toContain(
      '◎ completed  planning → planned → executing → finalizing → completed',
    );
  });
});
