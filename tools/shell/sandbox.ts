/** The bubblewrap sandbox: the system read-only, the workspace writable, home secrets out of sight, no network unless allowed, and no process that outlives us. */

import { execFile } from 'node:child_process';
import { existsSync, statSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { refusal } from '../result.ts';

export interface SandboxStatus {
  available: boolean;
  /** The network can be cut off. */
  network: boolean;
  /** Why not, or what is used; for `loom doctor`. */
  detail: string;
}

const HIDDEN_FOLDERS =
  '.ssh .gnupg .aws .azure .kube .docker .config/gh .config/gcloud .config/op .password-store .mozilla .local/share/keyrings .terraform.d';
const HIDDEN_FILES = '.netrc .npmrc .pypirc .pgpass .git-credentials .vault-token .bash_history .zsh_history';
/** Package managers fail without a writable cache. */
const CACHES =
  '.cache .npm .cargo/registry .cargo/git .gradle .m2/repository go/pkg .local/share/pnpm .bun/install/cache .nuget/packages';

/** What git needs to reach a host as the user. */
const CREDENTIALS = /\/(\.ssh|\.netrc|\.git-credentials|\.config\/gh|\.gnupg)$/;

const list = (names: string): string[] => names.split(' ').map(name => join(homedir(), name));

const PROGRAM = 'bwrap';

/** What root needs to work on files of others; with more of its powers it could mount its way out. */
const ROOT_POWERS = 'CHOWN DAC_OVERRIDE FOWNER FSETID KILL SETGID SETUID NET_BIND_SERVICE'.split(' ');

const BASE = [
  ...['--ro-bind', '/', '/', '--dev', '/dev', '--proc', '/proc'],
  // Sockets of system services stand in /run: they would work through a read-only mount.
  ...['--tmpfs', '/tmp', '--tmpfs', '/run'],
  ...['--unshare-pid', '--unshare-ipc', '--die-with-parent', '--new-session'],
  ...(process.getuid?.() === 0
    ? ['--cap-drop', 'ALL', ...ROOT_POWERS.flatMap(power => ['--cap-add', `CAP_${power}`])]
    : []),
];

/** Name resolution and, on NixOS, the system itself. */
const RUN_KEPT = [
  '/run/systemd/resolve',
  '/run/current-system',
  '/run/wrappers',
  '/run/resolvconf',
  '/run/NetworkManager',
];

function run(args: string[]): Promise<string | null> {
  return new Promise(resolve => {
    execFile(PROGRAM, args, { timeout: 5000, env: { PATH: process.env['PATH'] ?? '' } }, (error, _, stderr) =>
      resolve(
        error
          ? (error as NodeJS.ErrnoException).code === 'ENOENT'
            ? 'bubblewrap (bwrap) is not installed'
            : stderr.trim() || error.message
          : null,
      ),
    );
  });
}

let probed: Promise<SandboxStatus> | null = null;

/** Tries it once for real: containers and hardened kernels often forbid what the program needs. */
export function sandboxStatus(): Promise<SandboxStatus> {
  probed ??= (async () => {
    if (process.platform !== 'linux')
      return { available: false, network: false, detail: 'only Linux has the sandbox (bubblewrap)' };
    const full = await run([...BASE, '--unshare-net', 'true']);
    if (full === null) return { available: true, network: true, detail: 'bubblewrap' };
    const without = await run([...BASE, 'true']);
    if (without === null)
      return {
        available: true,
        network: false,
        detail: `bubblewrap, but the network cannot be cut off: ${full}`,
      };
    return { available: false, network: false, detail: `bubblewrap does not work here: ${without}` };
  })();
  return probed;
}

const existing = (paths: string[]): string[] => paths.filter(path => existsSync(path));

/** Arguments of bwrap up to the program. Later binds lie on top of earlier ones, so the workspace comes last. */
function sandboxArgs(
  root: string,
  options: { network: boolean; cutNetwork: boolean; credentials: boolean },
): string[] {
  const hidden = (path: string) => !options.credentials || !CREDENTIALS.test(path);
  const agent = options.credentials ? process.env['SSH_AUTH_SOCK'] : undefined;
  const loomHome = process.env['LOOM_HOME'] ?? join(homedir(), '.loom');
  const folders = existing([...list(HIDDEN_FOLDERS), loomHome]).filter(hidden);
  const files = existing(list(HIDDEN_FILES)).filter(hidden);
  const kept = [...RUN_KEPT, ...(options.network ? ['/run/docker.sock'] : [])];
  const hooks = join(root, '.git/hooks');
  return [
    ...BASE,
    ...existing(kept).flatMap(path => ['--ro-bind', path, path]),
    ...existing(list(CACHES)).flatMap(path => ['--bind', path, path]),
    ...folders.filter(path => statSync(path).isDirectory()).flatMap(path => ['--tmpfs', path]),
    ...files.flatMap(path => ['--ro-bind', '/dev/null', path]),
    ...(agent && existsSync(agent) ? ['--ro-bind', agent, agent] : []),
    '--bind',
    root,
    root,
    // What stands there would run outside the sandbox at the next git command.
    ...(existsSync(hooks) ? ['--ro-bind', hooks, hooks] : []),
    ...(options.cutNetwork ? ['--unshare-net'] : []),
    '--chdir',
    root,
  ];
}

/**
 * Program and arguments that run `argv` as the context wants it. `sealed`: it reaches nothing but the workspace (and caches
 * of package managers), so that a workspace in which nothing changed means that nothing happened.
 * @throws LoomError `sandbox_missing` when it is required and does not work here
 */
export async function sandboxed(
  argv: string[],
  context: { workspace: { root: string }; sandbox: 'auto' | 'required' | 'off'; network: boolean },
  credentials = false,
): Promise<{ argv: string[]; sandboxed: boolean; sealed: boolean }> {
  if (context.sandbox === 'off') return { argv, sandboxed: false, sealed: false };
  const status = await sandboxStatus();
  const enough = status.available && (status.network || context.network);
  if (context.sandbox === 'required' && !enough)
    throw refusal(
      'sandbox_missing',
      `The sandbox is required and not usable: ${status.detail}. Install bubblewrap, or set sandbox = "auto".`,
    );
  if (!status.available) return { argv, sandboxed: false, sealed: false };
  const { root } = context.workspace;
  const cutNetwork = !context.network && status.network;
  return {
    argv: [
      PROGRAM,
      ...sandboxArgs(root, { network: context.network, cutNetwork, credentials }),
      '--',
      ...argv,
    ],
    sandboxed: true,
    sealed: cutNetwork,
  };
}
