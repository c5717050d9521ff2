/** A LOOM_HOME on a small tmpfs in a user namespace of its own (Linux), for a disk that really is full. */
import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { type Sandbox, sandbox } from './loom-process.ts';
import { until } from './processes.ts';

export interface SmallHome extends Sandbox {
  /** Runs a shell command inside the namespace; the home is `$LOOM_HOME`. */
  inside(command: string): string;
  end(): Promise<void>;
}

/** @param megabytes size of the home */
export async function smallHome(megabytes: number): Promise<SmallHome> {
  let home = '';
  let pid = 0;
  const enter = (): string[] => [
    'nsenter',
    '--user',
    '--mount',
    '--preserve-credentials',
    '--target',
    String(pid),
  ];
  const start = (folder: string): string[] => {
    home = folder;
    const script = `mount -t tmpfs -o size=${megabytes}m,mode=700 none "$0" && touch "$0/mounted" && exec sleep 600`;
    keeper = spawn('unshare', ['-Urm', 'sh', '-c', script, home], { stdio: 'ignore' });
    pid = keeper.pid!;
    return [...enter(), `--wd=${folder}/..`];
  };
  let keeper!: ReturnType<typeof spawn>;
  const box = sandbox(start);
  const inside = (command: string): string => {
    const [program, ...words] = enter();
    return execFileSync(program!, [...words, 'sh', '-c', command], {
      encoding: 'utf8',
      env: { ...process.env, LOOM_HOME: home },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
  };
  await until(
    () => {
      try {
        return inside('test -e "$LOOM_HOME/mounted" && echo yes') === 'yes\n';
      } catch {
        return false;
      }
    },
    10_000,
    'the small disk was mounted; this needs user namespaces (unshare -Urm)',
  );
  return {
    ...box,
    inside,
    async end() {
      const ended = once(keeper, 'exit');
      keeper.kill('SIGKILL');
      await ended;
      box.remove();
    },
  };
}
