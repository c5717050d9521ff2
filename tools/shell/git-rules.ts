/** What a git command line would do. One table for git_command and for git inside a shell command. */

import { unknownFlag } from './git-flags.ts';

export interface GitVerdict {
  subcommand: string;
  /** Where it stands among the arguments. */
  at: number;
  readOnly: boolean;
  network: boolean;
  /** Loses work that git cannot bring back easily, or rewrites what others have. */
  destructive: string | null;
  /** Runs programs of its own choice or reaches outside the workspace: git_command refuses it. */
  refused: string | null;
  /** It is refused because of a program or a setting that comes with the command: in a shell a person is asked. */
  startsPrograms: boolean;
}

type Flags = { has(...names: string[]): boolean; args: string[]; options: string[]; operands: string[] };

/** Options of git itself that choose another repository. */
const ELSEWHERE = /^(--git-dir|--work-tree|--namespace|--bare)(=|$)/;
/** Options of git itself that bring settings or programs. */
const SETTINGS = /^(-c|--exec-path|--config-env|--super-prefix)(=|$)|^-c./;

/** Options that start a program or leave the workspace, in any sub-command and under any of their beginnings. */
const STARTING =
  '--exec --upload-pack --receive-pack --open-files-in-pager --extcmd --template --config --output --ext-diff --textconv'.split(
    ' ',
  );

/** git accepts any unambiguous beginning of a long option. */
const means = (option: string, name: string): boolean => {
  const given = option.split('=')[0]!;
  return given === name || (given.length > 2 && name.startsWith(given));
};

const OUTSIDE = /^(\/|~)|(^|\/)\.\.(\/|$)/;

const READ_ONLY = new Set(
  'status diff log show blame ls-files ls-tree ls-remote rev-parse rev-list describe shortlog cat-file diff-tree diff-index show-ref for-each-ref merge-base name-rev grep count-objects check-ignore var version whatchanged cherry'.split(
    ' ',
  ),
);
const MUTATING = new Set(
  'add commit reset branch checkout switch merge rebase stash tag fetch pull push remote init clone restore rm mv cherry-pick revert worktree apply am config reflog clean submodule bisect notes gc'.split(
    ' ',
  ),
);

/** Settings that change how git behaves, and neither start programs nor send anything elsewhere. */
const SAFE_KEYS =
  /^(user\.(name|email)|core\.(autocrlf|eol|ignorecase|filemode|quotepath|safecrlf|symlinks|longpaths|abbrev|whitespace|commentchar|precomposeunicode|preloadindex|untrackedcache)|init\.defaultbranch|(pull|push|fetch|merge|rebase|commit|tag|branch|status|log|diff|stash|submodule|index|gc|grep|blame|versionsort|column|rerere|advice|color|feature|i18n)\.(?!tool|guitool|external|driver|.*(command|cmd|textconv|helper|program))[a-z]+|branch\..*\.(remote|merge|rebase|description)|color\..*|advice\..*|format\.pretty|help\.autocorrect|http\.postbuffer|safe\.bareRepository)$/i;

function flagsOf(args: string[]): Flags {
  const end = args.indexOf('--');
  const options = (end < 0 ? args : args.slice(0, end)).filter(arg => arg.startsWith('-') && arg !== '-');
  return {
    args,
    options,
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

type Exists = (path: string) => boolean;

const DESTRUCTIVE: Record<string, (flags: Flags, exists: Exists) => string | null> = {
  push: ({ has, operands }) =>
    has('--force', '-f', '--force-with-lease', '--mirror', '--delete', '-d', '--prune') ||
    operands.some(ref => ref.startsWith('+') || ref.startsWith(':'))
      ? 'rewrites or deletes remote branches'
      : null,
  reset: ({ has }) => (has('--hard', '--merge', '--keep') ? 'discards uncommitted changes' : null),
  clean: ({ has }) => (has('-n', '--dry-run') ? null : 'deletes untracked files'),
  branch: ({ has }) => (has('-D', '-M', '-C', '-f', '--force') ? 'deletes or overwrites branches' : null),
  checkout: ({ has, args, operands }, exists) =>
    has('-f', '--force', '--ours', '--theirs', '-B') ||
    args.includes('--') ||
    (operands.length > 1 && !has('-b', '--orphan', '-t', '--track')) ||
    operands.some(path => path === '.' || path.startsWith(':') || exists(path))
      ? 'discards uncommitted changes'
      : null,
  fetch: ({ has }) => (has('--force', '-f') ? 'overwrites local branches' : null),
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

/** Plumbing that changes refs, the index or files behind the back of everybody. */
const REWRITING = new Set(
  'filter-branch filter-repo update-ref prune replace read-tree checkout-index fast-import symbolic-ref prune-packed repack'.split(
    ' ',
  ),
);

const NETWORK = new Set(['fetch', 'pull', 'push', 'clone', 'ls-remote']);

interface Refusal {
  why: string;
  starts: boolean;
}

const refuse = (why: string): Refusal => ({ why, starts: false });
const starting = (why: string): Refusal => ({ why, starts: true });

/** Merge strategies that git brings itself; another name would be a program. */
const STRATEGIES = /^(ort|recursive|resolve|octopus|ours|subtree)$/;

/** What starts a program of the command's own choice. */
function programOf(subcommand: string, { operands, has, options }: Flags): Refusal | null {
  const option = options.find(arg => arg.startsWith('--') && STARTING.some(name => means(arg, name)));
  if (option && subcommand !== 'rev-parse') return starting(`${option} runs a program or writes anywhere`);
  if (subcommand === 'rebase' && has('-x', '-i', '--interactive'))
    return starting('rebase -x and -i run programs');
  if (subcommand === 'grep' && has('-O')) return starting('grep -O runs a program');
  if (/^(difftool|mergetool)$/.test(subcommand)) return starting(`git ${subcommand} runs a program`);
  if (subcommand === 'bisect' && operands[0] === 'run') return starting('bisect run runs a program');
  if (subcommand === 'submodule' && operands[0] === 'foreach')
    return starting('submodule foreach runs a program');
  if (subcommand === 'clone' && has('-u', '-c'))
    return starting('clone -u and -c bring programs or settings');
  const odd = operands.find(operand => /^(ext|fd)::/i.test(operand));
  return odd ? starting(`${odd} runs a program`) : null;
}

function refusalOf(subcommand: string, flags: Flags): Refusal | null {
  const { operands, has, options, args } = flags;
  const program = programOf(subcommand, flags);
  if (program) return program;
  const looksOnly = LOOKING[subcommand]?.(flags) ?? false;
  if (subcommand === 'config' && !looksOnly) {
    const key = operands.find(operand => !/^(get|set|unset|list|add)$/.test(operand)) ?? '';
    if (!SAFE_KEYS.test(key)) return starting(`the setting ${key} may start programs or send work elsewhere`);
  }
  const unknown = unknownFlag(subcommand, options);
  if (unknown) return refuse(`${unknown} is not an option of git ${subcommand} that is passed on`);
  const strategy = args
    .map(
      (arg, i) =>
        /^--strategy=(.*)/.exec(arg)?.[1] ??
        (/^(-s|--strategy)$/.test(arg) && /^(merge|rebase|pull|cherry-pick|revert)$/.test(subcommand)
          ? args[i + 1]
          : undefined),
    )
    .find(Boolean);
  if (strategy && !STRATEGIES.test(strategy) && !has('--signoff'))
    return starting(`${strategy} is not a merge strategy of git`);
  const file = args.find(
    (arg, i) =>
      (/^(-F|--file)$/.test(args[i - 1] ?? '') || /^--file=/.test(arg)) &&
      OUTSIDE.test(arg.replace(/^--file=/, '')),
  );
  if (file) return refuse(`${file} is outside the workspace`);
  // With a path outside the repository git compares any two files there are.
  const foreign = subcommand === 'diff' && operands.find(path => OUTSIDE.test(path));
  if (foreign) return refuse(`${foreign} is outside the workspace`);
  // Values of options stand among the operands, so their number is not to be relied on.
  const away = operands
    .slice(subcommand === 'clone' && operands.length === 1 ? 1 : 0)
    .some(path => OUTSIDE.test(path));
  if (
    away &&
    (['clone', 'init'].includes(subcommand) || (subcommand === 'worktree' && operands[0] === 'add'))
  )
    return refuse(`git ${subcommand} outside the workspace`);
  return null;
}

interface Global {
  rest: string[];
  refusal: Refusal | null;
  /** `-C FOLDER`, inside the workspace. */
  folder: string;
}

/** Options in front of the sub-command. */
function globalOf(args: string[]): Global {
  let rest = args;
  let refusal: Refusal | null = null;
  let folder = '';
  while (rest[0]?.startsWith('-') && !/^(--version|--help|-h|-v)$/.test(rest[0])) {
    const option = rest[0];
    const separate = /^(-C|-c|--git-dir|--work-tree|--namespace|--config-env)$/.test(option);
    const value = separate ? (rest[1] ?? '') : option.replace(/^-[cC]|^--[\w-]+=?/, '');
    if (/^-C/.test(option)) {
      if (OUTSIDE.test(value)) refusal ??= refuse(`${value} is outside the workspace`);
      folder = `${folder}${value}/`;
    } else if (SETTINGS.test(option)) {
      const safe = /^-c/.test(option) && SAFE_KEYS.test(value.split('=')[0]!);
      refusal = safe
        ? (refusal ?? refuse(`${option} brings settings of its own`))
        : starting(`${option} brings settings or programs of its own`);
    } else if (ELSEWHERE.test(option)) refusal ??= refuse(`${option} chooses another repository`);
    else if (!/^(--no-pager|-P|--no-optional-locks|--literal-pathspecs|--no-replace-objects)$/.test(option))
      return { rest: [], refusal: starting(`${option} is not an option that is passed on`), folder };
    rest = rest.slice(separate ? 2 : 1);
  }
  return { rest, refusal, folder };
}

/**
 * @param args everything behind `git`
 * @param exists whether a path is there, relative to where git runs: `git checkout NAME` discards changes of a file
 */
export function judgeGit(args: string[], exists: Exists = () => false): GitVerdict {
  const { rest, refusal: global, folder } = globalOf(args);
  const subcommand = rest[0] ?? '';
  const flags = flagsOf(rest.slice(1));
  const looking = /^-/.test(subcommand);
  const known = READ_ONLY.has(subcommand) || MUTATING.has(subcommand) || looking;
  const strange = subcommand
    ? refuse(`git ${subcommand} is not one of the allowed sub-commands`)
    : refuse('no sub-command given');
  const program = known ? null : programOf(subcommand, flags);
  const refusal = global ?? (looking ? null : known ? refusalOf(subcommand, flags) : (program ?? strange));
  const looks = looking || READ_ONLY.has(subcommand) || (LOOKING[subcommand]?.(flags) ?? false);
  const remoteCalls =
    (subcommand === 'remote' && ['update', 'show', 'prune'].includes(flags.operands[0] ?? '')) ||
    (subcommand === 'submodule' && ['update', 'add'].includes(flags.operands[0] ?? ''));
  const lost = DESTRUCTIVE[subcommand]?.(flags, path => exists(folder + path)) ?? null;
  return {
    subcommand,
    at: args.length - rest.length,
    // A harmless setting in front changes nothing for what only looks.
    readOnly:
      looks && (refusal === null || (refusal === global && !refusal.starts && /^-c/.test(args[0] ?? ''))),
    network: NETWORK.has(subcommand) || remoteCalls,
    destructive: lost ?? (REWRITING.has(subcommand) ? 'rewrites the repository' : null),
    refused: refusal?.why ?? null,
    startsPrograms: refusal?.starts ?? false,
  };
}

/** All sub-commands that git_command accepts. */
export const gitSubcommands = (): string[] => [...READ_ONLY, ...MUTATING].sort();

/** Some options of it lose work. */
export const canDestroy = (subcommand: string): boolean => subcommand in DESTRUCTIVE;
