/** What a git command line would do. One table for git_command and for git inside a shell command. */

export interface GitVerdict {
  subcommand: string;
  readOnly: boolean;
  network: boolean;
  /** Loses work that git cannot bring back easily, or rewrites what others have. */
  destructive: string | null;
  /** Runs programs of its own choice or reaches outside the workspace: git_command refuses it. */
  refused: string | null;
}

type Flags = { has(...names: string[]): boolean; args: string[]; operands: string[] };

/** Options of git itself that choose another repository or run code. */
const GLOBAL_REFUSED =
  /^(-C|-c|--git-dir|--work-tree|--exec-path|--namespace|--config-env|--super-prefix|--bare)(=|$)|^-[Cc]./;

/** Options that start a program or leave the workspace, in any sub-command. */
const OPTIONS_REFUSED =
  '--output --exec --upload-pack --receive-pack --ext-diff --textconv --open-files-in-pager --no-index --template --separate-git-dir --reference --reference-if-able --config --editor --contents --pathspec-from-file --edit-description --unsafe-paths'.split(
    ' ',
  );

/** git accepts any unambiguous beginning of a long option. */
const means = (option: string, name: string): boolean => {
  const given = option.split('=')[0]!;
  return given === name || (given.length > 2 && name.startsWith(given));
};

const OUTSIDE = /^(\/|~)|(^|\/)\.\.(\/|$)/;

const READ_ONLY = new Set(
  'status diff log show blame ls-files ls-tree ls-remote rev-parse rev-list describe shortlog cat-file diff-tree diff-index show-ref for-each-ref merge-base name-rev grep count-objects check-ignore var version whatchanged cherry help'.split(
    ' ',
  ),
);
const MUTATING = new Set(
  'add commit reset branch checkout switch merge rebase stash tag fetch pull push remote init clone restore rm mv cherry-pick revert worktree apply am config reflog clean submodule bisect notes gc'.split(
    ' ',
  ),
);

/** Config keys that make git start a program. */
const CODE_KEYS =
  /^(alias\.|core\.(pager|editor|hookspath|fsmonitor|sshcommand|gitproxy|askpass|worktree)|diff\..*(command|textconv|external)|diff\.external|merge\..*driver|filter\.|credential|include|includeif\.|sequence\.editor|gpg\.|pager\.|.*\.(command|cmd|program|helper|uploadpack|receivepack|proxy))/i;

function flagsOf(args: string[]): Flags {
  const end = args.indexOf('--');
  const options = (end < 0 ? args : args.slice(0, end)).filter(arg => arg.startsWith('-') && arg !== '-');
  return {
    args,
    operands: args.filter((arg, i) => (end >= 0 && i > end) || !arg.startsWith('-')),
    has: (...names) =>
      options.some(option =>
        names.some(name =>
          name.startsWith('--')
            ? means(option, name)
            : /^-[A-Za-z]/.test(option) && option.slice(1).includes(name[1]!),
        ),
      ),
  };
}

const DESTRUCTIVE: Record<string, (flags: Flags) => string | null> = {
  push: ({ has, operands }) =>
    has('--force', '-f', '--force-with-lease', '--mirror', '--delete', '-d', '--prune') ||
    operands.some(ref => ref.startsWith('+') || ref.startsWith(':'))
      ? 'rewrites or deletes remote branches'
      : null,
  reset: ({ has }) => (has('--hard', '--merge', '--keep') ? 'discards uncommitted changes' : null),
  clean: ({ has }) => (has('-n', '--dry-run') ? null : 'deletes untracked files'),
  branch: ({ has }) =>
    has('-D', '-M', '-C', '--force') || (has('--delete', '-d') && has('-f'))
      ? 'deletes or overwrites branches'
      : null,
  checkout: ({ has, args, operands }) =>
    has('-f', '--force', '--ours', '--theirs', '-B') ||
    args.includes('--') ||
    operands.some(path => path === '.' || path.startsWith(':'))
      ? 'discards uncommitted changes'
      : null,
  switch: ({ has }) =>
    has('-f', '--force', '--discard-changes', '-C') ? 'discards uncommitted changes' : null,
  restore: ({ has }) =>
    has('--staged', '-S') && !has('--worktree', '-W') ? null : 'discards uncommitted changes',
  stash: ({ operands }) => (['clear', 'drop'].includes(operands[0] ?? '') ? 'drops stashed changes' : null),
  tag: ({ has }) => (has('-d', '--delete', '-f', '--force') ? 'deletes or moves tags' : null),
  rm: ({ has }) => (has('-f', '-r', '--force') && !has('--cached') ? 'deletes files' : null),
  worktree: ({ operands, has }) =>
    operands[0] === 'remove' && has('-f', '--force') ? 'deletes a worktree with changes' : null,
  reflog: ({ operands }) =>
    ['expire', 'delete', 'drop'].includes(operands[0] ?? '') ? 'deletes recovery points' : null,
  gc: ({ has }) => (has('--prune', '--aggressive') ? 'deletes unreachable commits' : null),
  remote: ({ operands }) =>
    ['remove', 'rm', 'set-url', 'prune'].includes(operands[0] ?? '') ? 'changes remotes' : null,
  submodule: ({ operands, has }) =>
    operands[0] === 'deinit' && has('-f', '--force') ? 'deletes a submodule' : null,
};

/** Sub-commands that only look, depending on their arguments. */
const LOOKING: Record<string, (flags: Flags) => boolean> = {
  branch: ({ operands, has }) =>
    operands.length === 0
      ? !has('--edit-description', '--unset-upstream', '-u', '--set-upstream-to')
      : has('--list', '--contains', '--merged', '--no-merged', '--points-at') &&
        !has('-d', '-D', '-m', '-M', '-c', '-C', '-f'),
  tag: ({ operands, has }) =>
    (operands.length === 0 || has('-l', '--list', '--contains')) && !has('-d', '-f', '-a', '-s'),
  remote: ({ operands }) => operands.length === 0 || operands[0] === 'get-url',
  stash: ({ operands }) => ['list', 'show'].includes(operands[0] ?? ''),
  reflog: ({ operands }) => operands.length === 0 || operands[0] === 'show',
  worktree: ({ operands }) => operands[0] === 'list',
  config: ({ has, args }) =>
    has('--get', '--list', '-l', '--get-all', '--get-regexp') || args[0] === 'get' || args[0] === 'list',
  submodule: ({ operands }) => operands[0] === 'status',
  apply: ({ has }) => has('--check', '--stat', '--numstat'),
  clean: ({ has }) => has('-n', '--dry-run'),
  bisect: ({ operands }) => ['log', 'view'].includes(operands[0] ?? ''),
  notes: ({ operands }) => ['list', 'show'].includes(operands[0] ?? 'list'),
};

const NETWORK = new Set(['fetch', 'pull', 'push', 'clone', 'ls-remote']);

function refusalOf(subcommand: string, flags: Flags): string | null {
  const { args, operands, has } = flags;
  const end = args.indexOf('--');
  const options = (end < 0 ? args : args.slice(0, end)).filter(arg => arg.startsWith('-'));
  const option = options.find(arg => arg.startsWith('--') && OPTIONS_REFUSED.some(name => means(arg, name)));
  // `git rev-parse --exec-path` and the like only print.
  if (option && !(subcommand === 'rev-parse'))
    return `${option} runs a program or writes outside the repository`;
  if (subcommand === 'rebase' && has('-x', '-i', '--interactive')) return 'rebase -x and -i run programs';
  if (subcommand === 'grep' && has('-O')) return 'grep -O runs a program';
  if (subcommand === 'bisect' && operands[0] === 'run') return 'bisect run runs a program';
  if (subcommand === 'submodule' && operands[0] === 'foreach') return 'submodule foreach runs a program';
  if (['clone', 'fetch', 'pull', 'push', 'ls-remote', 'remote', 'submodule'].includes(subcommand)) {
    if (has('-u') && subcommand === 'clone') return 'clone -u runs a program';
    const odd = operands.find(operand => /^(ext|fd)::/i.test(operand));
    if (odd) return `${odd} runs a program`;
  }
  // Values of options stand among the operands, so their number is not to be relied on.
  const away = operands
    .slice(subcommand === 'clone' && operands.length === 1 ? 1 : 0)
    .some(path => OUTSIDE.test(path));
  if (
    away &&
    (['clone', 'init'].includes(subcommand) || (subcommand === 'worktree' && operands[0] === 'add'))
  )
    return `git ${subcommand} outside the workspace`;
  if (subcommand === 'config') {
    if (has('--file', '-f', '--global', '--system', '--blob', '--edit', '-e'))
      return 'config outside this repository, or an editor';
    const key = operands.find(operand => !['get', 'set', 'unset', 'list', 'add'].includes(operand)) ?? '';
    if (CODE_KEYS.test(key) && !LOOKING['config']!(flags)) return `config ${key} can make git run a program`;
  }
  return null;
}

/** @param args everything behind `git` */
export function judgeGit(args: string[]): GitVerdict {
  const base = { readOnly: false, network: false, destructive: null, refused: null };
  let rest = args;
  let refused: string | null = null;
  while (rest[0]?.startsWith('-')) {
    const option = rest[0];
    if (['--version', '--help', '-h', '-v'].includes(option))
      return { ...base, subcommand: option, readOnly: true };
    if (GLOBAL_REFUSED.test(option)) {
      refused = `${option} chooses another repository or configuration`;
      rest = rest.slice(/^(-C|-c|--git-dir|--work-tree|--namespace)$/.test(option) ? 2 : 1);
    } else if (
      ['--no-pager', '-P', '--no-optional-locks', '--literal-pathspecs', '--no-replace-objects'].includes(
        option,
      )
    )
      rest = rest.slice(1);
    else return { ...base, subcommand: '', refused: `${option} is not an option that git_command passes on` };
  }
  const subcommand = rest[0] ?? '';
  const flags = flagsOf(rest.slice(1));
  if (!READ_ONLY.has(subcommand) && !MUTATING.has(subcommand))
    return {
      ...base,
      subcommand,
      destructive: ['filter-branch', 'update-ref', 'prune', 'replace'].includes(subcommand)
        ? 'rewrites the repository'
        : null,
      refused: subcommand
        ? `git ${subcommand} is not one of the allowed sub-commands`
        : 'no sub-command given',
    };
  refused ??= refusalOf(subcommand, flags);
  const looks = READ_ONLY.has(subcommand) || (LOOKING[subcommand]?.(flags) ?? false);
  const remoteCalls =
    (subcommand === 'remote' && ['update', 'show', 'prune'].includes(flags.operands[0] ?? '')) ||
    (subcommand === 'submodule' && ['update', 'add'].includes(flags.operands[0] ?? ''));
  return {
    subcommand,
    readOnly: looks && refused === null,
    network: NETWORK.has(subcommand) || remoteCalls,
    destructive: DESTRUCTIVE[subcommand]?.(flags) ?? null,
    refused,
  };
}

/** All sub-commands that git_command accepts. */
export const gitSubcommands = (): string[] => [...READ_ONLY, ...MUTATING].sort();

/** Some options of it lose work. */
export const canDestroy = (subcommand: string): boolean => subcommand in DESTRUCTIVE;
