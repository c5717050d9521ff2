/** What known programs do. The tables are the policy; `classify.ts` only applies them. */

/** Proven to read only, whatever their arguments, as long as these stay inside the workspace. */
const PURE =
  'ls pwd echo printf wc head cat cut tr nl tac rev basename dirname realpath readlink stat file du df which type true false test [ seq expr cmp comm join paste fold expand unexpand column md5sum sha1sum sha256sum sha512sum cksum strings hexdump od egrep fgrep grep diff jq nproc : exit return break continue';

type Check = (args: string[]) => boolean;

const without =
  (...forbidden: RegExp[]): Check =>
  args =>
    !args.some(arg => forbidden.some(pattern => pattern.test(arg)));

/** Read-only with these arguments. */
const CHECKED: Record<string, Check> = {
  find: without(/^-(exec|execdir|ok|okdir|delete|fls|fprint|fprint0|fprintf)$/),
  fd: without(/^(-x|-X|--exec|--exec-batch)/),
  rg: without(/^--(pre|hostname-bin|search-zip)/, /^-[a-zA-Z]*z/),
  sort: without(/^-[a-zA-Z]*o/, /^--(output|compress-program|files0-from)/, /^-[a-zA-Z]*[ST]/, /^--temp/),
  uniq: args => args.filter(arg => !arg.startsWith('-')).length <= 1,
  tree: without(/^-o/, /^--output/),
  date: without(/^-s/, /^--set/),
  xxd: args => args.filter(arg => !arg.startsWith('-')).length <= 1 && !args.some(arg => /^-r/.test(arg)),
  tail: without(/^-[a-zA-Z]*[fF]/, /^--(follow|retry)/),
  yq: without(/^-[a-zA-Z]*i/, /^--inplace/),
  sed: args => args.length >= 2 && args[0] === '-n' && /^(\d+|\$)(,(\d+|\$))?p$/.test(args[1]!),
  cd: args => args.length <= 1,
};

/** Only asked for their version. */
const VERSIONED =
  'node npm npx python python3 pip pip3 cargo rustc go java javac ruby deno bun tsc gcc g++ clang make cmake bash';

const PURE_SET = new Set(PURE.split(' '));
const VERSIONED_SET = new Set(VERSIONED.split(' '));

export function readsOnly(name: string, args: string[]): boolean {
  if (PURE_SET.has(name)) return true;
  if (VERSIONED_SET.has(name)) return args.length === 1 && /^(--version|-V)$/.test(args[0]!);
  return CHECKED[name]?.(args) ?? false;
}

/** Commands for which an argument known only at run time changes nothing but the output. */
export const PRINTS = new Set([
  'echo',
  'printf',
  'test',
  '[',
  ':',
  'true',
  'false',
  'seq',
  'basename',
  'dirname',
  'exit',
  'return',
]);

/** Programs that change the machine, other users' work, or data beyond repair, in every use. */
export const ALWAYS_DESTRUCTIVE = new Set(
  'dd mkfs mke2fs fdisk parted sfdisk wipefs shred truncate sudo su doas pkexec shutdown reboot halt poweroff init systemctl service launchctl mount umount swapoff iptables nft ufw useradd userdel usermod groupadd passwd chpasswd visudo crontab at pkill killall insmod rmmod modprobe sysctl chroot unshare nsenter srm wipe blkdiscard hdparm'.split(
    ' ',
  ),
);

/** Folders that tools make anew: removing them recursively loses nothing. */
export const REGENERABLE = new Set(
  'node_modules __pycache__ .pytest_cache .mypy_cache .ruff_cache .tox .nyc_output .turbo .parcel-cache'.split(
    ' ',
  ),
);

/** Reach the network in every use. */
export const ALWAYS_NETWORK = new Set(
  'curl wget ssh scp sftp ftp nc ncat netcat telnet socat ping ping6 dig nslookup host traceroute whois aria2c rclone gh glab aws gcloud az kubectl helm terraform heroku vercel netlify fly ansible apt apt-get dnf yum apk pacman brew snap port npx bunx uvx pipx docker podman'.split(
    ' ',
  ),
);

/** Sub-commands that download or publish. */
export const NETWORK_SUBCOMMANDS: Record<string, RegExp> = {
  npm: /^(i|in|install|ci|add|update|up|upgrade|publish|audit|exec|x|create|init|view|info|search|login|outdated|dedupe|install-test|it|cit|pack|deprecate|unpublish|dist-tag|owner|access|team|token|ping|doctor|fund)$/,
  pnpm: /^(i|install|add|update|up|upgrade|publish|audit|dlx|create|fetch|import|outdated|view|info|exec)$/,
  yarn: /^(install|add|upgrade|up|publish|audit|dlx|create|import|outdated|info|npm)$/,
  bun: /^(i|install|add|update|publish|x|create|outdated)$/,
  pip: /^(install|download|index|search|wheel)$/,
  pip3: /^(install|download|index|search|wheel)$/,
  uv: /^(add|sync|lock|pip|tool|run|python|publish)$/,
  poetry: /^(add|install|update|lock|publish|search)$/,
  pipenv: /^(install|update|sync|lock)$/,
  conda: /^(install|create|update|search)$/,
  cargo: /^(install|add|fetch|update|publish|search|login)$/,
  go: /^(get|install|mod)$/,
  gem: /^(install|update|push|search|fetch)$/,
  bundle: /^(install|update|add)$/,
  composer: /^(install|update|require|create-project)$/,
  dotnet: /^(restore|add|nuget|tool)$/,
  deno: /^(add|install|cache|publish|upgrade)$/,
  openssl: /^s_client$/,
};

/** Remote or shared state that cannot be brought back. */
export const DESTRUCTIVE_SUBCOMMANDS: Record<string, RegExp> = {
  kubectl: /\b(delete|drain|replace|scale)\b/,
  terraform: /\b(destroy|apply)\b/,
  helm: /\b(uninstall|delete|rollback)\b/,
  aws: /\b(rm|rb|delete[\w-]*|terminate[\w-]*)\b/,
  gcloud: /\bdelete\b/,
  az: /\bdelete\b/,
  gh: /\b(delete|close|merge)\b/,
  docker: /\b(rm|rmi|prune|kill|down)\b|--privileged|(-v|--volume)[= ]?\//,
  podman: /\b(rm|rmi|prune|kill)\b|--privileged/,
  npm: /^(publish|unpublish|deprecate)\b/,
  pnpm: /^publish\b/,
  yarn: /^(publish|npm publish)\b/,
  cargo: /^publish\b/,
  gem: /^(push|yank)\b/,
  poetry: /^publish\b/,
  history: /-c\b/,
  diskutil: /erase|partition/i,
};

/** Interpreters: with code from somewhere else than a file they may do anything. */
export const SHELLS = new Set(['sh', 'bash', 'zsh', 'dash', 'ksh', 'fish', 'ash']);
export const INTERPRETERS = /^(python[\d.]*|node|deno|bun|perl|ruby|php|lua|osascript|tclsh|Rscript)$/;
export const INLINE_CODE = /^(-c|-e|-E|-p|-r|--eval|--print|--command|-pe|-ne)$/;

/** Code in another language that removes data or starts a shell for it. */
export const DESTROYING_CODE =
  /rmtree|removedirs|rmdirSync|rmSync|rm_rf|rm_r\b|remove_entry|unlink|fs\.rm\b|os\.remove|\brm\s+-[a-zA-Z]*[rf]|shutil\.move|File\.delete|FileUtils|truncate|mkfs|\bdd\s+if=/;

/** Writing programs whose operands must stay inside the workspace. */
export const WRITERS = new Set(
  'cp mv ln tee touch mkdir rmdir install rsync tar unzip zip gzip gunzip patch sed chmod chown chgrp'.split(
    ' ',
  ),
);

/** Options of wrappers that take a value, so that the wrapped command is found. */
export const WRAPPERS: Record<string, { valued: RegExp; operands: number }> = {
  time: { valued: /^-[fo]$/, operands: 0 },
  nice: { valued: /^-n$/, operands: 0 },
  ionice: { valued: /^-[cnp]$/, operands: 0 },
  nohup: { valued: /^$/, operands: 0 },
  setsid: { valued: /^$/, operands: 0 },
  timeout: { valued: /^-[ks]$/, operands: 1 },
  stdbuf: { valued: /^-[ioe]$/, operands: 0 },
  command: { valued: /^$/, operands: 0 },
  builtin: { valued: /^$/, operands: 0 },
  exec: { valued: /^-a$/, operands: 0 },
  env: { valued: /^-[uC]$/, operands: 0 },
  busybox: { valued: /^$/, operands: 0 },
  toybox: { valued: /^$/, operands: 0 },
  strace: { valued: /^-[oepsu]$/, operands: 0 },
  flock: { valued: /^-[wE]$/, operands: 1 },
  xargs: { valued: /^-[IinPLdsaE]$/, operands: 0 },
  watch: { valued: /^-n$/, operands: 0 },
  caffeinate: { valued: /^-t$/, operands: 0 },
};

/** Variables that change what the following commands are. */
export const HARMLESS_VARIABLE = /^([a-z_][a-z0-9_]*|LANG|LC_[A-Z]+|TZ|TERM|NO_COLOR|CI|COLUMNS)$/;
