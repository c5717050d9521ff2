/** The table of the benchmark, its ratios, and the bounds that must hold. */
import { added, type Score } from './points.ts';

/** World-visible tasks, or semantic ones at a verification tier. */
export type Group = 'visible' | 'semantic, tier 1' | 'semantic, tier 2' | 'semantic, tier 3';
export const GROUPS: Group[] = ['visible', 'semantic, tier 1', 'semantic, tier 2', 'semantic, tier 3'];

export interface Measured {
  harness: 'loom' | 'plain';
  /** The plain loop knows no tiers: its semantic tasks stand under tier 1. */
  group: Group;
  seed: number;
  /** Errors a decision, in per cent. */
  rate: number;
  score: Score;
}

export interface Bound {
  name: string;
  figure: string;
  required: string;
  holds: boolean;
}

type Wanted = Partial<Pick<Measured, 'harness' | 'group' | 'rate'>>;

const total = (all: Measured[], wanted: Wanted): Score =>
  added(
    all
      .filter(each => Object.entries(wanted).every(([key, value]) => each[key as keyof Wanted] === value))
      .map(each => each.score),
  );

const share = ({ correct, jobs }: Score): number => (jobs === 0 ? Number.NaN : (100 * correct) / jobs);
const percent = (score: Score): string => `${share(score).toFixed(1)} %`;

export function bounds(all: Measured[]): Bound[] {
  const loom = (wanted: Wanted): Score => total(all, { harness: 'loom', ...wanted });
  const lies = loom({ group: 'visible' }).false_completions;
  const visible = loom({ group: 'visible', rate: 30 });
  const two = loom({ group: 'semantic, tier 2' }).false_completions;
  const three = loom({ group: 'semantic, tier 3' }).false_completions;
  const beats = (group: Group, plainGroup: Group): Bound => {
    const weak = loom({ group, rate: 30 });
    const strong = total(all, { harness: 'plain', group: plainGroup, rate: 10 });
    return {
      name: `${group}: a model with 30 % errors in Loom, against 10 % in the plain loop`,
      figure: `${percent(weak)} / ${percent(strong)}`,
      required: 'more',
      holds: share(weak) > share(strong),
    };
  };
  return [
    { name: 'visible: false completions at any rate', figure: `${lies}`, required: '0', holds: lies === 0 },
    {
      name: 'visible: correct at 30 % errors',
      figure: percent(visible),
      required: '≥ 95 %',
      holds: share(visible) >= 95,
    },
    {
      name: 'semantic: false completions of tier 3, against tier 2',
      figure: `${three} / ${two} = ${(three / two).toFixed(2)}`,
      required: '≤ 0.33',
      holds: two > 0 && three * 3 <= two,
    },
    beats('visible', 'visible'),
    beats('semantic, tier 2', 'semantic, tier 1'),
  ];
}

const HEAD = [
  'errors',
  'Loom correct',
  'false',
  'honest',
  'calls',
  'plain correct',
  'false',
  'honest',
  'calls',
];
const WIDTHS = [8, 14, 8, 8, 8, 16, 8, 8, 8];
const line = (cells: string[]): string => cells.map((cell, n) => cell.padStart(WIDTHS[n]!)).join('');
const cells = (score: Score): string[] =>
  score.jobs === 0
    ? ['', '', '', '']
    : [
        percent(score),
        `${score.false_completions}`,
        `${score.honest_failures}`,
        (score.model_calls / score.jobs).toFixed(1),
      ];

/** One block a group: how many tasks ended how, and model calls a task, over all seeds. */
export function table(all: Measured[]): string {
  const rates = [...new Set(all.map(each => each.rate))].sort((a, b) => a - b);
  const blocks = GROUPS.map(group => {
    const rows = rates.flatMap(rate => {
      const loom = total(all, { harness: 'loom', group, rate });
      const plain = total(all, { harness: 'plain', group, rate });
      if (loom.jobs + plain.jobs === 0) return [];
      return [line([`${rate} %`, ...cells(loom), ...cells(plain)])];
    });
    return [`\n${group} (${total(all, { harness: 'loom', group }).jobs} tasks)`, line(HEAD), ...rows].join(
      '\n',
    );
  });
  return blocks.join('\n');
}
