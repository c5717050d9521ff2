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

/** What makes the sandbox work, for the two usual reasons why it does not. */
const INSTALL =
  'install bubblewrap: `apt install bubblewrap` on Debian and Ubuntu, `dnf install bubblewrap` on Fedora, `pacman -S bubblewrap` on Arch';
const PERMIT =
  'it needs user namespaces: `sysctl kernel.unprivileged_userns_clone=1`, on Ubuntu 24.04 `sysctl kernel.apparmor_restrict_unprivileged_userns=0`, in a container the right to make them';

function run(args: string[]): Promise<string | null> {
  return new Promise(resolve => {
    execFile(PROGRAM, args, { timeout: 5000, env: { PATH: process.env['PATH'] ?? '' } }, (error, _, stderr) =>
      resolve(
        error
          ? (error as NodeJS.ErrnoException).code === 'ENOENT'
            ? `bubblewrap (bwrap) is not installed; ${INSTALL}`
            : stderr.trim() || error.message
          : null,
      ),
    );
  });
}

const ACTIVE =
  'bubblewrap: only the workspace and /tmp are writable, secrets of the home are hidden, no network unless allowed';

let probed: Promise<SandboxStatus> | null = null;

/** Tries it once for real: containers and hardened kernels often forbid what the program needs. */
export function sandboxStatus(): Promise<SandboxStatus> {
  probed ??= (async () => {
    if (process.platform !== 'linux')
      return { available: false, network: false, detail: 'only Linux has the sandbox (bubblewrap)' };
    const full = await run([...BASE, '--unshare-net', 'true']);
    if (full === null) return { available: true, network: true, detail: ACTIVE };
    const without = await run([...BASE, 'true']);
    if (without === null)
      return {
        available: true,
        network: false,
        detail: `${ACTIVE}; but the network cannot be cut off here: ${full}`,
      };
    const why = without.includes(INSTALL) ? without : `bubblewrap does not work here (${without}); ${PERMIT}`;
    return { available: false, network: false, detail: why };
  })();
  return probed;
}

const existing = (paths: string[]): string[] => paths.filter(path => existsSync(path));

/** What a command may have beyond the workspace. */
export interface Permissions {
  /** The user's keys for git hosts. */
  credentials?: boolean;
  /** It is git's own work: the settings of the repository may change. */
  git?: boolean;
}

/** Runs the command as a child, so that whatever it leaves behind can be told by name before the kernel ends it. Jobs
 *  that are just about to end get a moment. Descriptor 4 is ours alone. */
const WATCH = `"$@" 4>&-; code=$?
for turn in 1 2 3; do
  left=
  for p in /proc/[0-9]*; do
    case $p in /proc/1|/proc/$$) ;; *) read -r name < "$p/comm" && left="$left $name" ;; esac
  done 2>/dev/null
  [ -z "$left" ] && exit $code
  [ $turn = 3 ] || sleep 0.05
done
echo "$left" >&4
exit $code`;

/** Arguments of bwrap up to the program. Later binds lie on top of earlier ones. */
function sandboxArgs(
  root: string,
  options: { network: boolean; cutNetwork: boolean } & Permissions,
): string[] {
  const agent = options.credentials ? process.env['SSH_AUTH_SOCK'] : undefined;
  const loomHome = process.env['LOOM_HOME'] ?? join(homedir(), '.loom');
  const secrets = existing([...list(HIDDEN_FOLDERS), ...list(HIDDEN_FILES), loomHome]).filter(
    path => !options.credentials || !CREDENTIALS.test(path),
  );
  const hide = (paths: string[]) =>
    paths.flatMap(path =>
      statSync(path).isDirectory() ? ['--tmpfs', path] : ['--ro-bind', '/dev/null', path],
    );
  // A workspace that is a home has its secrets inside, and the other way round.
  const inside = (path: string) => path.startsWith(`${root}/`);
  const kept = [...RUN_KEPT, ...(options.network ? ['/run/docker.sock'] : [])];
  // What stands there would run outside the sandbox at the next git command.
  const guarded = [
    '.git/hooks',
    '.git/info/attributes',
    ...(options.git || options.network ? [] : ['.git/config']),
  ];
  return [
    ...BASE,
    ...existing(kept).flatMap(path => ['--ro-bind', path, path]),
    ...existing(list(CACHES)).flatMap(path => ['--bind', path, path]),
    ...hide(secrets.filter(path => !inside(path))),
    ...(agent && existsSync(agent) ? ['--ro-bind', agent, agent] : []),
    '--bind',
    root,
    root,
    ...hide(secrets.filter(inside)),
    ...existing(guarded.map(name => join(root, name))).flatMap(path => ['--ro-bind', path, path]),
    ...(options.cutNetwork ? ['--unshare-net'] : []),
    ...['--setenv', 'TMPDIR', '/tmp', '--chdir', root],
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
  permissions: Permissions = {},
): Promise<{ argv: string[]; sandboxed: boolean; sealed: boolean }> {
  if (context.sandbox === 'off') return { argv, sandboxed: false, sealed: false };
  const status = await sandboxStatus();
  const enough = status.available && (status.network || context.network);
  if (context.sandbox === 'required' && !enough)
    throw refusal(
      'sandbox_missing',
      `The sandbox is required (tools.shell.sandbox) and not usable: ${status.detail}. Or set sandbox = "auto", which runs commands without it.`,
    );
  if (!status.available) return { argv, sandboxed: false, sealed: false };
  const { root } = context.workspace;
  const cutNetwork = !context.network && status.network;
  return {
    argv: [
      PROGRAM,
      ...sandboxArgs(root, { network: context.network, cutNetwork, ...permissions }),
      ...['--', '/bin/sh', '-c', WATCH, 'sh'],
      ...argv,
    ],
    sandboxed: true,
    sealed: cutNetwork,
  };
}
