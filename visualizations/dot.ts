/** Charts in the DOT language of Graphviz. States are boxes, states with states inside are frames around them.
 *
 *  Graphviz joins boxes only: a move from or to a frame is drawn from a box inside and cut at the frame (`ltail`,
 *  `lhead`). Each frame has a box of its own for that; it lists what happens in every state of it. Nodes and frames
 *  carry `id` (the state's) and `class`, which survive into SVG, so that a page can light them without a new layout. */
import { type ChartState, type Move, statesOf } from './chart.ts';
import type { Titled } from './mermaid.ts';
import { insideLines, isLeaf, partsOf, stays, workOf } from './words.ts';

/** Letters of every fixed-width font are equally wide, so texts fit their boxes on machines with other fonts too. */
const FONT = 'fontname="Courier"';
const LIT = '#1f7a3f';

const quote = (text: string): string => `"${text.replace(/\\/g, '\\\\').replace(/"/g, '\\"')}"`;
const html = (text: string): string =>
  text.replace(/&/g, '&amp;').replace(/</g, '&lt;').replace(/>/g, '&gt;').replace(/"/g, '&quot;');

const rows = (lines: string[]): string =>
  lines.map(line => `<br align="left"/><font point-size="9">${html(line)}</font>`).join('');

/** Lines of at most about 26 letters, so that arrows keep their labels near them. */
function folded(text: string): string {
  const lines: string[] = [];
  for (const word of text.split(' ')) {
    const last = lines.at(-1);
    if (last !== undefined && last.length + word.length < 26) lines[lines.length - 1] = `${last} ${word}`;
    else lines.push(word);
  }
  return lines.join('\n');
}

const edgeLabel = (move: Move): string => partsOf(move).map(folded).join('\n').replace(/^.*$/gm, ' $& ');

function box(state: ChartState, key: string): string {
  const ends = state.kind === 'final';
  const kind = state.kind === 'history' ? (state.deep ? 'H* ' : 'H ') : '';
  const lines = [...state.invokes.map(workOf), ...insideLines(state)];
  const title = `<b>${html(kind + state.name)}</b>`;
  const label = `<${title}${lines.length > 0 ? `${rows(lines)}<br align="left"/>` : ''}>`;
  const look = state.active
    ? `fillcolor="${LIT}", color="#0d4f26", fontcolor="#ffffff"`
    : ends
      ? 'fillcolor="#e8ebef", color="#5b6470"'
      : 'fillcolor="#ffffff", color="#5b6470"';
  const classes = ['state', state.kind, ...(state.active ? ['active'] : [])].join(' ');
  return `${quote(key)} [id=${quote(key)}, class="${classes}", label=${label}, ${look}${ends ? ', peripheries=2' : ''}]`;
}

const inside = (id: string, around: string): boolean => id === around || id.startsWith(`${around}.`);

/** To the state itself or to one inside it: no arrow can leave the frame for that. */
const leadsInside = (state: ChartState, { targets }: Move): boolean =>
  targets.every(target => inside(target, state.id));

/** Arrows and their labels may lie outside a frame: one chart alone has none around it. */
type Border = 'solid' | 'dashed' | 'none';

function frame(state: ChartState, key: (id: string) => string, title: string, border: Border): string[] {
  const id = key(state.id);
  const any = `${id}.any`;
  const lines = [...state.invokes.map(workOf), ...insideLines(state)];
  const colour = state.active ? LIT : '#9aa3ad';
  const own =
    lines.length > 0 || state.moves.some(move => !stays(move) && leadsInside(state, move))
      ? `${quote(any)} [class="any", shape=note, color="#9aa3ad", fillcolor="#fbfbfc", label=<<i>all of ${html(state.name)}</i>${rows(lines)}<br align="left"/>>]`
      : `${quote(any)} [shape=point, style=invis, width=0.01]`;
  const start = state.states.find(({ initial }) => initial);
  return [
    `subgraph ${quote(`cluster ${id}`)} {`,
    ...[
      `id=${quote(id)}; class="${['frame', state.kind, ...(state.active ? ['active'] : [])].join(' ')}"`,
      `label=<<b>${html(title)}</b>${state.kind === 'parallel' ? ' ∥' : ''}>; labeljust=l; style="rounded${border === 'dashed' ? ',dashed' : ''}"; peripheries=${border === 'none' ? 0 : 1}; color="${colour}"; penwidth=${state.active ? 2 : 1}; margin=${border === 'dashed' ? 14 : 20}`,
      own,
      ...state.states.flatMap(child =>
        isLeaf(child)
          ? [box(child, key(child.id))]
          : frame(child, key, child.name, state.kind === 'parallel' ? 'dashed' : 'solid'),
      ),
      ...(start
        ? [
            `${quote(`${id}.start`)} [shape=circle, width=0.14, fixedsize=true, label="", fillcolor="#333a42", color="#333a42"]`,
            `${quote(`${id}.start`)} -> ${quote(isLeaf(start) ? key(start.id) : anchor(start, key))}${isLeaf(start) ? '' : ` [lhead=${quote(`cluster ${key(start.id)}`)}]`}`,
          ]
        : []),
    ].map(line => `  ${line}`),
    '}',
  ];
}

/** The box that stands for a frame where an arrow ends: its first state, so that the arrow comes in at the top. */
function anchor(state: ChartState, key: (id: string) => string): string {
  if (isLeaf(state)) return key(state.id);
  return anchor(state.states.find(({ initial }) => initial) ?? state.states[0]!, key);
}

function arrows(chart: ChartState, key: (id: string) => string): string[] {
  const byId = new Map(statesOf(chart).map(state => [state.id, state]));
  return statesOf(chart).flatMap(state =>
    state.moves
      .filter(move => !stays(move))
      .flatMap(move =>
        (move.targets.length > 0 ? move.targets : [state.id]).map(targetId => {
          const target = byId.get(targetId)!;
          const from = isLeaf(state) ? key(state.id) : `${key(state.id)}.any`;
          const attributes = [
            `label=${quote(edgeLabel(move)).replaceAll('\n', '\\n')}`,
            `class="${move.event === '' ? 'always' : 'event'}"`,
            ...(!isLeaf(state) && !inside(targetId, state.id)
              ? [`ltail=${quote(`cluster ${key(state.id)}`)}`]
              : []),
            ...(!isLeaf(target) && !inside(state.id, targetId)
              ? [`lhead=${quote(`cluster ${key(targetId)}`)}`]
              : []),
            ...(move.event === '' ? ['color="#9aa3ad"', 'style=dashed'] : []),
            ...(move.event.startsWith('error') ? ['color="#b3261e"'] : []),
            ...(state.active ? [`color="${LIT}"`, `fontcolor="${LIT}"`, 'penwidth=1.6'] : []),
          ];
          return `${quote(from)} -> ${quote(anchor(target, key))} [${attributes.join(', ')}]`;
        }),
      ),
  );
}

export function dot(all: Titled[]): string {
  const body = all.flatMap(({ title, chart }, i) => {
    const key = (id: string): string => (all.length > 1 ? `${i} ${id}` : id);
    return [...frame(chart, key, title, all.length > 1 ? 'solid' : 'none'), ...arrows(chart, key)];
  });
  return [
    'digraph loom {',
    `  graph [compound=true, rankdir=TB, nodesep=0.35, ranksep=0.45, ${FONT}, fontsize=12, bgcolor="#ffffff"]`,
    `  node [shape=box, style="rounded,filled", ${FONT}, fontsize=11, margin="0.14,0.07"]`,
    `  edge [${FONT}, fontsize=9, color="#5b6470", fontcolor="#333a42", arrowsize=0.7]`,
    ...body.map(line => `  ${line}`),
    '}',
    '',
  ].join('\n');
}
