/** `loom learned [--all] [--type TYPE] [--limit N] [--delete ID]` */
import type { LearnedPattern } from '../../actors/loom.ts';
import { type Context, print } from '../context.ts';
import { EXIT } from '../failure.ts';
import { oneLine, pad } from '../render/width.ts';
import { count, mark } from '../render/words.ts';
import type { Run } from '../run-command.ts';

const TYPES = [
  'behavioral_correction',
  'behavioral_gap',
  'success_rate',
  'retry_hint',
  'plan_template',
] as const;
const MOST = 30;

export const command: Run = async (context, _args, values) => {
  const loom = await context.loom();
  const id = values.text('delete');
  if (id !== undefined) {
    const gone = await loom.forgetLearned(id);
    print(context, gone, () => `Forgotten: ${oneLine(gone.description)}`);
    return EXIT.ok;
  }
  const type = values.choice('type', TYPES);
  const limit = values.number('limit', 'whole');
  const all = await loom.learned();
  // Whoever names a type wants to see all of it.
  const wanted = all.filter(pattern =>
    type === undefined ? values.flag('all') || pattern.active : pattern.type === type,
  );
  // A program gets everything unless it says otherwise.
  const shown = wanted.slice(0, limit ?? (context.output === 'text' ? MOST : undefined));
  print(context, shown, () => text(context, shown, wanted.length - shown.length, all.length - wanted.length));
  return EXIT.ok;
};

function text(context: Context, shown: LearnedPattern[], cut: number, quiet: number): string {
  if (shown.length + quiet === 0)
    return 'Nothing has been learned yet. Every finished subtask teaches a little.';
  return [
    ...shown.map(pattern => line(context, pattern)),
    ...(shown.length === 0 ? ['Nothing that changes how Loom works.'] : []),
    ...(cut > 0 ? [`${cut} more: --limit ${shown.length + cut}`] : []),
    ...(quiet > 0 ? [`${count(quiet, 'other pattern')} without effect at present: loom learned --all`] : []),
  ].join('\n');
}

/** The whole description, whatever the width: what a pattern is about stands at its end as often as at its beginning. */
function line({ paint: { out: paint } }: Context, pattern: LearnedPattern): string {
  const { id, type, seen, last_seen, description, active } = pattern;
  const start = `${id}  ${pad(type, 13)}  ${pad(`${seen}×`, 5)} ${last_seen.slice(0, 10)}`;
  return `${mark(active ? 'done' : 'waiting', paint)} ${start}  ${oneLine(description)}`;
}
