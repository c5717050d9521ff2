/** Ids for calls that came without one, or with one that repeats. */
import { randomUUID } from 'node:crypto';

export const newCallId = (): string => `call_${randomUUID().replaceAll('-', '').slice(0, 20)}`;
