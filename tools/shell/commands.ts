/** What known programs do. The tables are the policy; `classify.ts` only applies them. */

/** Proven to read only, whatever their arguments, as long as these stay inside the workspace. */
const PURE =
  'ls pwd echo printf wc head cat cut tr nl tac rev basename dirname realpath readlink stat file du df which type true false test [ seq expr cmp comm join paste fold expand unexpand column md5sum sha1sum sha256sum sha512sum cksum strings hexdump od egrep fgrep grep diff jq nproc arch groups uptime free lscpu tty locale getconf numfmt factor tsort look b2sum tput diffstat cloc tokei scc wait shift set shopt export unset local declare typeset readonly umask ulimit dirs jobs hash compgen let : exit return break continue';

type Check = (args: string[]) => boolean;

const without =
  (...forbidden: RegExp[]): Check =>
  args =>
    !args.some(arg => forbidden.some(pattern => pattern.test(arg)));

/** The first operand is one of these, and none of the others is there. */
const looks =
  (first: RegExp, never?: RegExp): Check =>
  args =>
    first.test(args.find(arg => !arg.startsWith('-')) ?? args[0] ?? '') &&
    !args.some(arg => never?.test(arg));

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
  hostname: args => args.every(arg => /^-[fsidIA]+$/.test(arg)),
  uname: args => args.every(arg => arg.startsWith('-')),
  whoami: args => args.length === 0,
  id: () => true,
  ps: without(/^-?\w*e\w*$/),
  less: without(/^[+]/, /^-[a-zA-Z]*[oOkK]/, /^--(log|lesskey)/),
  more: without(/^[+]/),
  bat: without(/^--(pager|diff)/),
  split: () => false,
  pip: looks(/^(list|show|freeze|check|--version)$/),
  pip3: looks(/^(list|show|freeze|check|--version)$/),
  npm: looks(/^(ls|list|root|prefix|bin|help|explain|why|pkg)$/, /^(set|delete|fix)$/),
  pnpm: looks(/^(ls|list|why|root|bin)$/),
  yarn: looks(/^(list|why|bin)$/),
  cargo: looks(/^(tree|metadata|locate-project|version)$/),
  go: looks(/^(version|env|list|vet|doc)$/, /^-w$|^-u$|^-vettool/),
  rustup: looks(/^(show|which)$/),
  tldr: () => true,
  cd: args => args.length <= 1,
};

/** Only asked for their version. */
const VERSIONED =
  'node npm npx python python3 pip pip3 cargo rustc go java javac ruby deno bun tsc gcc g++ clang make cmake bash';

const PURE_SET = new Set(PURE.split(' '));
const VERSIONED_SET = new Set(VERSIONED.split(' '));

export function readsOnly(name: string, args: string[]): boolean {
  if (PURE_SET.has(name)) return true;
  const only = args.length === 1 ? args[0]! : '';
  if (VERSIONED_SET.has(name) && /^(--version|-V)$/.test(only)) return true;
  if (/^(node|npm|npx|tsc|ruby|php)$/.test(name) && only === '-v') return true;
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
  'dd mkfs mke2fs fdisk parted sfdisk wipefs shred truncate sudo su doas pkexec shutdown reboot halt poweroff init systemctl service launchctl mount umount swapoff iptables nft ufw useradd userdel usermod groupadd passwd chpasswd visudo crontab at pkill killall insmod rmmod modprobe sysctl chroot unshare nsenter srm wipe blkdiscard hdparm runuser machinectl loginctl systemd-run osascript chattr setfacl fuser dropdb dropuser batch pwsh powershell kexec losetup cryptsetup lvremove vgremove zpool zfs dmsetup swapon ldconfig update-alternatives usermod'.split(
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
  'curl wget ssh scp sftp ftp nc ncat netcat telnet socat ping ping6 dig nslookup host traceroute whois aria2c rclone gh glab aws gcloud az kubectl helm terraform heroku vercel netlify fly ansible ansible-playbook apt apt-get dnf yum apk pacman brew snap port uvx pipx docker podman mail sendmail mutt http https xh lftp mosh'.split(
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

/** Looks at this machine's containers. */
export const DOCKER_LOOKS =
  /^(ps|images|logs|inspect|version|info|top|port|diff|history|stats --no-stream|(container|image|volume|network|context) (ls|list|inspect)|compose (-f \S+ )?(ps|logs|config|images|top|ls))\b/;

/** Tasks of frameworks that empty the database they work with. */
export const RESETS_DATABASE =
  /\b(db:(drop|reset|wipe|purge|truncate)|migrate:(fresh|reset)|migrate reset)\b|\bmanage\.py (flush|reset_db)\b/;

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
  prisma: /--force-reset|--accept-data-loss/,
  ip: /\b(set|add|del(ete)?|flush|replace|change)\b/,
  ifconfig: /\b(up|down)\b/,
  dpkg: /(^| )(-[rPi]|--(purge|remove|install))\b/,
  rpm: /(^| )(-[eiUF]|--(erase|install|upgrade))/,
  pip: /^uninstall\b/,
  pip3: /^uninstall\b/,
  dvc: /\b(gc|destroy|remove)\b/,
  vagrant: /\bdestroy\b/,
  mysqladmin: /\bdrop\b/,
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
export const SHELLS = new Set([
  'sh',
  'bash',
  'zsh',
  'dash',
  'ksh',
  'mksh',
  'fish',
  'ash',
  'csh',
  'tcsh',
  'rbash',
]);
export const INTERPRETERS =
  /^(python[\d.]*|pypy[\d.]*|node|nodejs|deno|bun|tsx|ts-node|perl[\d.]*|ruby[\d.]*|php[\d.]*|lua[\d.]*|luajit|tclsh|wish|expect|Rscript|R|julia|groovy|scala|guile|sbcl|clojure|elixir|erl|ghci|swift|irb|pry|ipython[\d.]*)$/;
/** The next word, or the rest of this one, is code. */
export const INLINE_CODE = /^(-[a-zA-Z]*[ceEpr]|--eval|--print|--command|--exec|--run|eval)(=|$)/;

/** Statements and commands of databases that lose rows or tables, or leave the database. */
export const LOSES_ROWS =
  /\b(drop|delete|truncate|alter|update|replace|flushall|flushdb|dropDatabase|deleteMany|deleteOne|remove|del|unlink|rename|shutdown)\b|\.(shell|system|output|once|save|import)\b|\\!|writefile/i;

/** Run by name, looked up where packages put their commands. */
export const RUNNERS: Record<string, RegExp | null> = {
  npx: null,
  bunx: null,
  npm: /^(exec|x)$/,
  pnpm: /^(exec|dlx)$/,
  yarn: /^(exec|dlx)$/,
  bun: /^x$/,
  poetry: /^run$/,
  pipenv: /^run$/,
  uv: /^run$/,
  rye: /^run$/,
  hatch: /^run$/,
  pdm: /^run$/,
  bundle: /^exec$/,
  mise: /^(exec|x)$/,
  direnv: /^exec$/,
};

/** Make a shell run what their variables hold. */
export const CODE_VARIABLE =
  /^(PROMPT_COMMAND|PS[0-4]|GIT_\w*(EDITOR|PAGER|COMMAND|DIFF|ASKPASS)|\w*PAGER|EDITOR|VISUAL|SHELL|BROWSER|LESSOPEN|LESSCLOSE|LD_PRELOAD|LD_AUDIT|PERL5OPT|RUBYOPT|NODE_OPTIONS|PYTHONSTARTUP|RSYNC_RSH|CC|CXX|MAKEFLAGS)$/;

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
  coproc: { valued: /^$/, operands: 0 },
  ltrace: { valued: /^-[eopsu]$/, operands: 0 },
  unbuffer: { valued: /^$/, operands: 0 },
  chronic: { valued: /^$/, operands: 0 },
  chrt: { valued: /^-[TPD]$/, operands: 1 },
  taskset: { valued: /^$/, operands: 1 },
  numactl: { valued: /^-[NmipC]$/, operands: 0 },
  prlimit: { valued: /^$/, operands: 0 },
  setarch: { valued: /^$/, operands: 1 },
  fakeroot: { valued: /^-[lfsib]$/, operands: 0 },
  proot: { valued: /^-[rbwqkv]$/, operands: 0 },
  parallel: { valued: /^-[jnNIaSL]$/, operands: 0 },
  'cross-env': { valued: /^$/, operands: 0 },
  dotenv: { valued: /^-[efo]$/, operands: 0 },
};

/** Variables of the shell or of the environment that change what the following commands are. */
export const SPECIAL_VARIABLE =
  /^(PATH|IFS|HOME|PWD|OLDPWD|CDPATH|ENV|TMPDIR|FIGNORE|GLOBIGNORE|BASH\w*|SHELLOPTS|HIST\w*|LD_\w+|DYLD_\w+|GIT_\w+|NODE_\w+|PYTHON\w+|PERL\w+|RUBY\w+|JAVA_\w+|GO\w+|CARGO\w*|RUST\w*|\w*_(proxy|PROXY)|XDG_\w+|SSH_\w+)$/;
/** In front of a command, and for all that it starts. */
export const HARMLESS_VARIABLE = /^([a-z_][a-z0-9_]*|LANG|LC_[A-Z]+|TZ|TERM|NO_COLOR|CI|COLUMNS)$/;
