/** `loom reset-learning [--yes]` */
import { print } from '../context.ts';
import { EXIT, UsageError } from '../failure.ts';
import { canAsk, confirmed } from '../questions.ts';
import { count } from '../render/words.ts';
import type { Run } from '../run-command.ts';

export const command: Run = async (context, _args, values) => {
  const loom = await context.loom();
  if (!values.flag('yes')) {
    if (!canAsk(context))
      throw new UsageError(
        'loom reset-learning forgets everything that runs taught, and there is no terminal to ask at: add --yes, or look first with loom learned --all',
      );
    const known = (await loom.learned()).length;
    if (
      !(await confirmed(
        context,
        `Forget all ${count(known, 'learned pattern')}? Runs and files stay as they are.`,
      ))
    ) {
      context.notices.told('nothing was forgotten');
      return context.interrupt.signal.aborted ? EXIT.interrupted : EXIT.failed;
    }
  }
  const done = await loom.resetLearning();
  print(context, done, () => `Forgotten: ${count(done.removed, 'learned pattern')}`);
  return EXIT.ok;
};
