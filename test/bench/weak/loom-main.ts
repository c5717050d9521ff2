/** The process that Loom runs in: it is sent goals and workspaces over IPC and sends back how the runs ended. The truth and
 *  the simulated models are in the other process. */
import { type Errand, runInLoom } from './loom-side.ts';

export interface Order {
  errands: Errand[];
  url: string;
  home: string;
  parallel: number;
}

process.on('message', async ({ errands, ...place }: Order) => {
  try {
    process.send?.({ outcomes: await runInLoom(errands, place) });
  } catch (error) {
    process.send?.({ error: String((error as Error).stack) });
  }
});
// The parent is gone: nobody waits for a result any more.
process.on('disconnect', () => process.exit(0));
