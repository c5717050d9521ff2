/** `loom redo ID [--subtask ID] [--dry-run] [--force]` */
import { print } from '../context.ts';
import { EXIT } from '../failure.ts';
import type { Run } from '../run-command.ts';
import { text, undoOptions } from './undo.ts';

export const command: Run = async (context, [id = ''], values) => {
  const loom = await context.loom();
  const done = await loom.redo(id, undoOptions(values));
  print(context, done, () =>
    text(context, done, {
      would: 'Would redo',
      did: 'Redid',
      nothing: 'Nothing to redo.',
      // The report names what the undo had done.
      operations: {
        create: 'removed again',
        modify: 'changed again',
        delete: 'made again',
        rename: 'moved again',
      },
    }),
  );
  return done.refused.length > 0 ? EXIT.failed : EXIT.ok;
};
