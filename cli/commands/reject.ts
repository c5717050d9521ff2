/** `loom reject ID --reason TEXT` */
import type { Run } from '../run-command.ts';
import { give } from './answer.ts';

export const command: Run = (context, [id = ''], values) => {
  const reason = values.text('reason');
  return give(context, id, { answer: 'reject', ...(reason ? { reason } : {}) });
};
