/** Moves in one line of words, the same in every picture: event, [guard], / actions. */
import type { ChartState, Move } from './chart.ts';

/** Nothing is left or entered: the move belongs into the box of its state. */
export const stays = ({ targets, reenter }: Move): boolean => targets.length === 0 && !reenter;

/** The parts that there are. */
export const partsOf = ({ event, guard, actions }: Move): string[] =>
  [event, guard && `[${guard}]`, actions.length > 0 ? `/ ${actions.join(', ')}` : ''].filter(
    part => part !== '',
  );

/** What happens inside a state without leaving it. */
export const insideLines = (state: ChartState): string[] => [
  ...(state.entry.length > 0 ? [`entry / ${state.entry.join(', ')}`] : []),
  ...(state.exit.length > 0 ? [`exit / ${state.exit.join(', ')}`] : []),
  ...state.moves.filter(stays).map(move => partsOf(move).join(' ')),
];

/** An invoked child by its source, and by its id where that is another word. */
export const workOf = ({ id, source }: { id: string; source: string }): string =>
  `⚙ ${source}${id === source ? '' : ` as ${id}`}`;

export const isLeaf = ({ states }: ChartState): boolean => states.length === 0;
