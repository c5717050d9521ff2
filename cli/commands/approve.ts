/** `loom approve ID` */
import type { Run } from '../run-command.ts';
import { give } from './answer.ts';

export const command: Run = (context, [id = '']) => give(context, id, { answer: 'approve' });
