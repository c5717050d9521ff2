/** Charts as Mermaid text (stateDiagram-v2), which GitHub, GitLab and many editors draw by themselves.
 *
 *  Two limits of Mermaid shape it. It cannot draw an arrow from a state to itself or its inside when the state holds
 *  others: such moves leave from a box `all of …`. And an arrow pulls states into the block it is written
 *  in: only moves between siblings stand inside, all others at the outermost level. */
import type { ChartState, Move } from './chart.ts';
import { insideLines, isLeaf, partsOf, workOf } from './words.ts';

/** A chart and the name above it; several share one picture. */
export interface Titled {
  title: string;
  chart: ChartState;
}

/** `;` `#` `"` and `<` `>` mean something to Mermaid or to the HTML it becomes. */
const SAFE: [RegExp, string][] = [
  [/[\r\n]+/g, ' '],
  [/;/g, ','],
  [/:/g, '∶'],
  [/"/g, '”'],
  [/#/g, '＃'],
  [/</g, '＜'],
  [/>/g, '＞'],
  [/%%/g, '％％'],
  [/\{/g, '❴'],
  [/\}/g, '❵'],
];
const label = (text: string): string => SAFE.reduce((safe, [from, to]) => safe.replace(from, to), text);

export function mermaid(all: Titled[]): string {
  const lines = ['stateDiagram-v2'];
  const lit: string[] = [];
  all.forEach(({ title, chart }, i) => {
    const prefix = all.length > 1 ? `a${i}.` : '';
    const key = (id: string): string => `${prefix}${id}`.replace(/\W/g, '_');
    const from = (move: Move, state: ChartState): string =>
      !isLeaf(state) && move.targets.every(target => target.startsWith(`${state.id}.`) || target === state.id)
        ? `${key(state.id)}_any`
        : key(state.id);
    const outer: string[] = [];

    const moves = (state: ChartState, siblings: ChartState[], into: string[]): void => {
      for (const move of state.moves) {
        const targets = move.reenter && move.targets.length === 0 ? [state.id] : move.targets;
        for (const target of targets) {
          const near = isLeaf(state) && siblings.some(({ id }) => id === target);
          const text = label(partsOf(move).join(' '));
          const start = from(move, state);
          const end = target === state.id && !isLeaf(state) ? `${start}` : key(target);
          (near ? into : outer).push(`${start} --> ${end}${text ? ` : ${text}` : ''}`);
        }
      }
    };

    const draw = (state: ChartState): string[] => {
      const id = key(state.id);
      if (state.active && isLeaf(state)) lit.push(id);
      const works = state.invokes.map(work => ` ${workOf(work)}`).join('');
      const name = `${state.kind === 'history' ? (state.deep ? 'H* ' : 'H ') : ''}${state.name}${works}`;
      if (isLeaf(state))
        return [
          `state "${label(name)}" as ${id}`,
          ...insideLines(state).map(line => `${id} : ${label(line)}`),
        ];
      return [`state "${label(name)}" as ${id} {`, ...body(state).map(line => `  ${line}`), '}'];
    };

    const body = (state: ChartState): string[] => {
      const own: string[] = [];
      const any = `${key(state.id)}_any`;
      const inside = insideLines(state);
      const leaves = state.moves.some(move => move.targets.length > 0 && from(move, state) === any);
      if (inside.length > 0 || leaves) {
        own.push(`state "all of ${label(state.name)}" as ${any}`);
        own.push(...inside.map(line => `${any} : ${label(line)}`));
      }
      if (state.kind === 'parallel') {
        const isRegion = ({ kind }: ChartState): boolean => kind !== 'history';
        own.push(...state.states.filter(child => !isRegion(child)).flatMap(draw));
        const regions = state.states.filter(isRegion).map(draw);
        for (const region of state.states) moves(region, [], outer);
        const parts = own.length > 0 ? [own, ...regions] : regions;
        return parts.flatMap((part, n) => (n === 0 ? part : ['--', ...part]));
      }
      const arrows: string[] = [];
      for (const child of state.states) {
        own.push(...draw(child));
        if (child.initial) arrows.push(`[*] --> ${key(child.id)}`);
        if (child.kind === 'final') arrows.push(`${key(child.id)} --> [*]`);
        moves(child, state.states, arrows);
      }
      return [...own, ...arrows];
    };

    moves(chart, [], outer);
    const drawn = body(chart);
    if (all.length === 1) lines.push(...[...drawn, ...outer].map(line => `  ${line}`));
    else
      lines.push(
        `  state "${label(title)}" as ${key(chart.id)} {`,
        ...drawn.map(line => `    ${line}`),
        '  }',
        ...outer.map(line => `  ${line}`),
      );
  });
  if (lit.length > 0)
    lines.push(
      '  classDef here fill:#1f7a3f,color:#ffffff,stroke:#0d4f26',
      ...lit.map(id => `  class ${id} here`),
    );
  return `${lines.join('\n')}\n`;
}
