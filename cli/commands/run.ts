/** `loom run GOAL | @FILE` */

import { drive, limits } from '../drive.ts';
import { readGoal } from '../goal.ts';
import type { Run } from '../run-command.ts';

const MODES = ['auto', 'manual', 'confidence_threshold'] as const;

export const command: Run = async (context, [given = ''], values) => {
  const approval = values.choice('approval', MODES);
  const shared = limits(values);
  const { goal, note } = await readGoal(given);
  if (note) context.io.err(`loom: ${note}\n`);
  return drive(context, {
    values,
    start: (loom, hooks) =>
      loom.run({
        goal,
        ...shared,
        ...hooks,
        ...(context.workspace ? { workspace: context.workspace } : {}),
        ...(context.model ? { model: context.model } : {}),
        ...(approval ? { approval } : {}),
        ...(values.flag('plan-only') ? { plan_only: true } : {}),
        ...(values.flag('no-adopt') ? { adopt: false } : {}),
      }),
  });
};
