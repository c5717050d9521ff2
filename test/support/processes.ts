/** Looks at the processes of this machine the way a person would with `ps`. */
import { readdirSync, readFileSync } from 'node:fs';

/** Process ids with exactly this command line; a shell that only names it does not count, nor does a zombie. */
export function running(commandLine: string): number[] {
  return readdirSync('/proc')
    .filter(name => /^\d+$/.test(name))
    .map(Number)
    .filter(pid => {
      try {
        return readFileSync(`/proc/${pid}/cmdline`, 'utf8') === `${commandLine.replaceAll(' ', '\0')}\0`;
      } catch {
        return false;
      }
    });
}

/** State letter of a process: R, S, D, T (stopped), Z; '' when it is gone. */
export function stateOf(pid: number): string {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'latin1');
    return stat.slice(stat.lastIndexOf(')') + 2)[0] ?? '';
  } catch {
    return '';
  }
}

/** Milliseconds until `condition` held. @throws when it does not within `limit` ms */
export async function until(
  condition: () => boolean | Promise<boolean>,
  limit = 10_000,
  what = 'the condition',
): Promise<number> {
  const since = performance.now();
  while (!(await condition())) {
    if (performance.now() - since > limit) throw new Error(`${limit} ms were over before ${what}`);
    await new Promise(resolve => setTimeout(resolve, 10));
  }
  return performance.now() - since;
}
