/** A chart as a tree of text, for a terminal: states down the left, under each the moves that leave it. */
import { type ChartState, type Move, namesIn, statesOf } from './chart.ts';
import { endings } from './endings.ts';
import { workOf } from './words.ts';

/** How the parts of a line are coloured; the plain one changes nothing. */
export interface Ink {
  lit(text: string): string;
  name(text: string): string;
  guard(text: string): string;
  target(text: string): string;
  faint(text: string): string;
}

const same = (text: string): string => text;
export const PLAIN: Ink = { lit: same, name: same, guard: same, target: same, faint: same };

export interface TreeOptions {
  /** Widest line. */
  columns: number;
  ink?: Ink;
  /** Instead of the machine's name. */
  title?: string;
}

const MARKS = { atomic: '○', compound: '○', parallel: '○', final: '◎', history: 'H' } as const;

/** Words of a text on lines of at most `columns`; a longer word is cut. */
export function wrap(text: string, columns: number): string[] {
  const room = Math.max(1, columns);
  const lines: string[] = [];
  for (const word of text.split(' ')) {
    const last = lines.at(-1);
    if (last !== undefined && last.length + 1 + word.length <= room) {
      lines[lines.length - 1] = `${last} ${word}`;
      continue;
    }
    for (let at = 0; at === 0 || at < word.length; at += room) lines.push(word.slice(at, at + room));
  }
  return lines;
}

type Cells = [event: string, guard: string, target: string, actions: string];

function targetOf(state: ChartState, { targets, reenter }: Move, name: (id: string) => string): string {
  if (targets.length === 0) return reenter ? `↻ ${state.name}` : '· stays';
  return `${reenter ? '↻' : '→'} ${targets.map(name).join(', ')}`;
}

function cells(state: ChartState, name: (id: string) => string): Cells[] {
  const actions = (list: string[]): string => (list.length > 0 ? `/ ${list.join(', ')}` : '');
  return state.moves.map((move, i) => {
    const again = i > 0 && state.moves[i - 1]!.event === move.event;
    return [
      again ? '' : move.event || 'at once',
      move.guard ? `[${move.guard}]` : again ? 'else' : '',
      targetOf(state, move, name),
      actions(move.actions),
    ];
  });
}

/** What a state does by itself when it is entered and left. */
function ownLines({ entry, exit }: ChartState, columns: number, ink: Ink): string[] {
  const lines = (when: string, actions: string[]): string[] =>
    actions.length === 0
      ? []
      : wrap(`/ ${actions.join(', ')}`, columns - 6).map(
          (line, i) => `${(i === 0 ? when : '').padEnd(6)}${ink.faint(line)}`,
        );
  return [...lines('entry', entry), ...lines('exit', exit)];
}

/** Below this many columns for conditions and actions a table would be all line breaks. */
const MIN_SHARE = 36;

/** Where a table has no room: the target of each move in a line of its own, below event and condition. */
function stacked(rows: Cells[], columns: number, ink: Ink): string[] {
  const event = Math.max(0, ...rows.map(row => row[0].length));
  return rows.flatMap(row => {
    const guard = wrap(row[1], columns - event - 2);
    const actions = wrap(row[3], columns - row[2].length - 4);
    const first =
      row[0] || row[1]
        ? guard.map((line, i) => `${(i === 0 ? row[0] : '').padEnd(event)}  ${ink.guard(line)}`.trimEnd())
        : [];
    const second = actions.map((line, i) =>
      `  ${i === 0 ? ink.target(row[2]) : ' '.repeat(row[2].length)}  ${ink.faint(line)}`.trimEnd(),
    );
    return [...first, ...second];
  });
}

/** The moves of a state as a table whose cells wrap, no line wider than `columns`. */
function table(rows: Cells[], columns: number, ink: Ink): string[] {
  const widest = (i: number): number => Math.max(0, ...rows.map(row => row[i]!.length));
  const event = widest(0);
  const target = widest(2);
  const share = columns - event - target - (widest(1) > 0 ? 6 : 4);
  const actions = widest(3);
  if (share < MIN_SHARE && share < widest(1) + actions) return stacked(rows, columns, ink);
  const guard = Math.min(widest(1), Math.max(Math.floor(share / 2), share - actions));
  const room = share - guard;
  const inks = [same, ink.guard, ink.target, ink.faint];
  return rows.flatMap(row => {
    const wrapped = [[row[0]], wrap(row[1], guard), [row[2]], wrap(row[3], room)];
    const height = Math.max(...wrapped.map(lines => lines.length));
    return Array.from({ length: height }, (_, line) =>
      wrapped
        .map((lines, i) => inks[i]!((lines[line] ?? '').padEnd([event, guard, target, 0][i]!)))
        .filter((_, i) => i !== 1 || guard > 0)
        .join('  ')
        .trimEnd(),
    );
  });
}

function head(state: ChartState, ink: Ink): string {
  const mark = state.active ? ink.lit('●') : ink.faint(MARKS[state.kind]);
  const name = state.active ? ink.lit(state.name) : ink.name(state.name);
  const rest = [
    ...(state.kind === 'parallel' ? ['∥'] : []),
    ...(state.deep ? ['deep'] : []),
    ...state.invokes.map(workOf),
    ...(state.description ? [`— ${state.description}`] : []),
  ];
  return [mark, name, ...rest].join(' ');
}

/** One machine as lines. */
export function treeLines(chart: ChartState, { columns, ink = PLAIN, title }: TreeOptions): string[] {
  const name = namesIn(chart);
  const lines: string[] = [];
  const below = (state: ChartState, indent: string): void => {
    const bar = state.states.length > 0 ? '│    ' : '     ';
    const room = columns - indent.length - bar.length;
    for (const line of [...ownLines(state, room, ink), ...table(cells(state, name), room, ink)])
      lines.push(`${ink.faint(indent + bar)}${line}`);
    state.states.forEach((child, i) => {
      const last = i === state.states.length - 1;
      const branch = child.initial ? (last ? '└▸ ' : '├▸ ') : last ? '└─ ' : '├─ ';
      lines.push(`${ink.faint(indent + branch)}${head(child, ink)}`);
      below(child, `${indent}${last ? '   ' : '│  '}`);
    });
  };
  lines.push(title ?? head(chart, ink));
  below(chart, '');
  return lines.map(line => line.trimEnd());
}

/** The ways to each end, under a tree. */
export function endingLines(chart: ChartState, { columns, ink = PLAIN }: TreeOptions): string[] {
  const ends = endings(chart);
  if (ends.length === 0) return [];
  const name = (id: string): string => id.slice(id.indexOf('.') + 1);
  const widest = Math.max(...ends.map(({ id }) => name(id).length));
  return [
    'How it can end, by the shortest way',
    ...ends.flatMap(({ id, way, anywhere }) => {
      const text = anywhere ? `${anywhere}, at any time` : way.join(' → ');
      return wrap(text, columns - widest - 6).map((line, i) =>
        i === 0
          ? `  ${ink.faint('◎')} ${ink.name(name(id).padEnd(widest))}  ${line}`
          : `${' '.repeat(widest + 6)}${line}`,
      );
    }),
  ];
}

/** What the marks of these charts mean; only those that occur. */
export function legend(charts: ChartState[], { columns, ink = PLAIN }: TreeOptions): string {
  const states = charts.flatMap(statesOf);
  const moves = states.flatMap(({ moves }) => moves);
  const signs: [boolean, string][] = [
    [states.some(({ active }) => active), '● here now'],
    [states.some(({ initial }) => initial), '▸ starts here'],
    [states.some(({ kind }) => kind === 'final'), '◎ end'],
    [states.some(({ kind }) => kind === 'history'), 'H returns to where it was'],
    [states.some(({ kind }) => kind === 'parallel'), '∥ all at once'],
    [states.some(({ invokes }) => invokes.length > 0), '⚙ work'],
    [moves.some(({ event }) => event.startsWith('done ')), 'done x: work x has ended'],
    [moves.some(({ reenter }) => reenter), '↻ starts again'],
    [moves.some(({ guard }) => guard !== ''), '[if]'],
    [moves.some(({ actions }) => actions.length > 0), '/ does'],
  ];
  // Spaces inside a sign do not break.
  const text = signs
    .flatMap(([occurs, sign]) => (occurs ? [sign.replaceAll(' ', '\u00a0')] : []))
    .join('   ');
  return wrap(text, columns)
    .map(line => ink.faint(line.trim().replaceAll('\u00a0', ' ')))
    .join('\n');
}
