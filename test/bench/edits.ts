/** How long an edit takes to find its place, at every stage, and to say that there is none. */

import { LoomError } from '../../machines/failure.ts';
import { applyEdit } from '../../tools/files/edit-match.ts';

const LINES = Array.from(
  { length: 20_000 },
  (_, i) => `    value_${i} = compute(${i}, "text ${i * 7}") if flag_${i % 97} else other(${i})`,
);
const BLOCK = LINES.slice(9000, 9060);

/** Old texts that end at each stage. */
const drifts: [string, (lines: string[]) => string][] = [
  ['exact', lines => lines.join('\n')],
  ['eol', lines => lines.join('\r\n')],
  ['whitespace', lines => lines.map(line => `${line} `).join('\n')],
  ['indent', lines => lines.map(line => line.slice(4)).join('\n')],
  ['escape', lines => lines.map((line, i) => `${9001 + i}\t${line}`).join('\n')],
  ['similar', lines => lines.with(20, `${lines[20]};`).join('\n')],
  ['not_found', lines => lines.with(30, lines[30]!.replace('9030', '9031')).join('\n')],
];

/** The slowest stage of an edit of 60 lines in a file of 20,000, with the median of 7 runs in ms. */
export function slowestEdit(): { stage: string; ms: number } {
  const text = `${LINES.join('\n')}\n`;
  const figures = drifts.map(([stage, drift]) => {
    const edit = { old_str: drift(BLOCK), new_str: drift(BLOCK).replace('value_9007', 'renamed') };
    const times = Array.from({ length: 7 }, () => {
      const start = performance.now();
      const ended = outcome(text, edit);
      if (ended !== stage) throw new Error(`the edit meant for ${stage} ended as ${ended}`);
      return performance.now() - start;
    });
    return { stage, ms: times.sort((a, b) => a - b)[3]! };
  });
  return figures.reduce((worst, figure) => (figure.ms > worst.ms ? figure : worst));
}

function outcome(text: string, edit: { old_str: string; new_str: string }): string {
  try {
    return applyEdit('bench.py', text, edit).match;
  } catch (error) {
    if (error instanceof LoomError) return error.failure.code;
    throw error;
  }
}
