/** Plays the recorded run through the live view, one event per line typed, so that a test can look in between. */
import { createInterface } from 'node:readline';
import { Chalk } from 'chalk';
import type { Context } from '../../cli/context.ts';
import { processIo } from '../../cli/process.ts';
import { createProgress } from '../../cli/progress.ts';
import { recorded, result } from './recorded.ts';

const paint = new Chalk({ level: 1 });
const context: Context = {
  io: processIo(),
  paint: { out: paint, err: paint },
  output: 'text',
  interrupt: {
    signal: new AbortController().signal,
    arm: () => () => undefined,
    hit: () => undefined,
    quiet: () => undefined,
  },
  workspace: undefined,
  model: undefined,
  notices: { told: () => undefined },
  loom: () => Promise.reject(new Error('the player needs no engine')),
  reload: async () => undefined,
  nested: { names: [], run: () => Promise.reject(new Error('there is no command line within it')) },
};

process.stdin.setRawMode(true);
const progress = createProgress(context, { deltas: false, diff_lines: 12 });
let at = 0;
const play = (n: number) => {
  for (const event of recorded.slice(at, at + n)) progress.onEvent(event);
  at += n;
};
for await (const key of process.stdin) {
  const text = String(key);
  if (text === 'n') play(1);
  if (text === 'm') play(8);
  if (text === 'e') break;
}
play(recorded.length);
progress.stop();
progress.finish(result, []);
createInterface({ input: process.stdin }).close();
process.exit(0);
