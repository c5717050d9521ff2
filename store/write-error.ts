/** What a person is told when the store cannot record. */

import { statfsSync } from 'node:fs';
import { dirname } from 'node:path';
import { StoreWriteError } from './port.ts';

/** Free megabytes for this user where `path` (or its nearest existing parent) lies; null when the system does not say. */
export function freeMb(path: string): number | null {
  for (let at = path; ; at = dirname(at)) {
    try {
      const { bavail, bsize } = statfsSync(at);
      return Math.floor((bavail * bsize) / 1_048_576);
    } catch {
      if (dirname(at) === at) return null;
    }
  }
}

/** @param path what could not be written. The cause stays attached for logs. */
export function writeError(path: string, cause: unknown): StoreWriteError {
  const free = freeMb(path);
  const reason = cause instanceof Error ? cause.message.split('\n')[0] : String(cause);
  const space = free === null ? '' : ` ${free} MB are free there.`;
  const advice = free !== null && free < 16 ? 'Make space' : 'Check the disk and its permissions';
  return new StoreWriteError(
    `Cannot record in ${path}: ${reason}.${space} What was recorded before is intact. ${advice}, then resume.`,
    { cause },
  );
}
