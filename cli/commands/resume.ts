/** `loom resume ID | --last` */

import { drive, limits } from '../drive.ts';
import { UsageError } from '../failure.ts';
import type { Run } from '../run-command.ts';

export const command: Run = async (context, [id], values) => {
  const last = values.flag('last');
  if (!id && !last)
    throw new UsageError('which run? loom resume ID, or loom resume --last; loom tasks lists them');
  if (id && last) throw new UsageError('give an id or --last, not both');
  const shared = limits(values);
  const wanted = id ?? 'last';
  return drive(context, {
    values,
    start: (loom, hooks) => loom.resume(wanted, { ...shared, ...hooks }),
  });
};
