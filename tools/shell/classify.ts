/** Judges a shell command before it runs. Conservative: read-only must be proven, writing inside the workspace too;
 * everything else counts as `exec`, and what hides its meaning (eval, dynamic names, code from a pipe) counts as
 * destructive, so that a person is asked.
 *
 * | what                                                  | class       |
 * |-------------------------------------------------------|-------------|
 * | known readers on paths inside the workspace           | read        |
 * | known writers, `>`, `rm FILE`, literal and inside     | write       |
 * | programs, scripts, known readers on paths outside     | exec        |
 * | `rm` with -r, -f, a glob, a variable, or outside      | destructive |
 * | `rm -rf node_modules` and other caches                | write       |
 * | emptying a file that has contents (`> FILE`)          | destructive |
 * | writers (cp, mv, tee, `>`) aimed outside              | destructive |
 * | inline code, editors, awk, sed that start or delete   | destructive |
 * | loopback URLs, `docker ps`                            | exec        |
 * | what the grammar cannot read as bash                  | destructive |
 */

import type { Risk } from '../../machines/approval.ts';
import { Judge } from './judge.ts';

export interface Classification {
  risks: Risk[];
  /** False only when proven read-only. */
  mutates: boolean;
  network: boolean;
  /** Speaks to services on this machine, and does nothing else that is not understood: may have the network unasked. */
  local: boolean;
  destructive: boolean;
  /** Runs git for more than a look, and nothing else that is not understood: may change git's settings. */
  git: boolean;
  background: boolean;
  /** Would wipe the system, the home or a disk; refused whoever allowed it. */
  catastrophic: string | null;
  /** Why it is more than a read. */
  reasons: string[];
  /** Those for which a person is asked. */
  alarms: string[];
}

/** @param root workspace that paths are judged against */
export async function classify(source: string, root: string): Promise<Classification> {
  const judge = new Judge(root);
  try {
    await judge.script(source);
  } catch (error) {
    // Most likely nested beyond what the stack holds; nobody writes that to be understood.
    judge.destroy(`cannot be judged (${error instanceof Error ? error.message : String(error)})`);
  }
  const level: Risk = judge.unknown || judge.speaks ? 'exec' : judge.wrote ? 'write' : 'read';
  const risks: Risk[] = [level];
  if (judge.network) risks.push('network');
  if (judge.secret) risks.push('secret');
  if (judge.destructive) risks.push('destructive');
  return {
    risks,
    mutates: level !== 'read',
    network: judge.network,
    local: judge.speaks && !judge.unknown,
    destructive: judge.destructive,
    git: judge.git && !judge.mixed,
    background: judge.background,
    catastrophic: judge.catastrophic,
    reasons: [...judge.reasons],
    alarms: [...judge.alarms],
  };
}
