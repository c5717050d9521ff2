/** git_command: git without a shell, an editor, a pager, a prompt, or a program of its own choice. */

import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { isSecretPath, refusal, refusedCall } from '../result.ts';
import type { Args, Tool } from '../tool.ts';
import { type GitVerdict, gitSubcommands, judgeGit } from './git-rules.ts';
import { observe } from './observe.ts';

const TIMEOUT_MS = 120_000;
/** A clone or a fetch waits for another machine. */
const NETWORK_TIMEOUT_MS = 600_000;

/** Settings of the repository or the user that would start programs: an editor, a pager, a signature with a passphrase. */
const SAFE = [
  'core.fsmonitor=false',
  'core.pager=cat',
  'core.editor=true',
  'sequence.editor=true',
  'commit.gpgSign=false',
  'tag.gpgSign=false',
  'protocol.ext.allow=never',
];
const NO_HOOKS = 'core.hooksPath=/dev/null';

/** Sub-commands that show differences, by git's own means only. */
const DIFFING = /^(diff|log|show|whatchanged|blame|reflog|rev-list|diff-tree|diff-index)$/;

/** Hooks that the sub-commands would start. */
const HOOKS: Record<string, string> = {
  commit: 'pre-commit prepare-commit-msg commit-msg post-commit',
  merge: 'pre-merge-commit prepare-commit-msg commit-msg post-merge',
  pull: 'pre-merge-commit post-merge pre-rebase post-rewrite',
  rebase: 'pre-rebase post-rewrite pre-commit',
  'cherry-pick': 'prepare-commit-msg post-commit',
  revert: 'prepare-commit-msg post-commit',
  am: 'applypatch-msg pre-applypatch post-applypatch',
  push: 'pre-push',
  checkout: 'post-checkout',
  switch: 'post-checkout',
  worktree: 'post-checkout',
};

function argsOf(args: Args): { list: string[]; hooks: boolean } {
  const list = args['args'] as string[];
  return { list: list[0] === 'git' ? list.slice(1) : list, hooks: args['hooks'] === true };
}

function commandLine(list: string[], { subcommand, at }: GitVerdict, hooks: boolean): string[] {
  const own = DIFFING.test(subcommand) ? ['--no-ext-diff', '--no-textconv'] : [];
  return [
    'git',
    '--no-pager',
    ...(hooks ? SAFE : [...SAFE, NO_HOOKS]).flatMap(setting => ['-c', setting]),
    ...list.slice(0, at + 1),
    ...(subcommand === 'blame' ? own.slice(1) : own),
    ...list.slice(at + 1),
  ];
}

/** Hooks that stand there and would have run. */
async function hooksOf(list: string[], { subcommand, at }: GitVerdict, root: string): Promise<string[]> {
  const names = HOOKS[subcommand]?.split(' ') ?? [];
  if (names.length === 0) return [];
  const asked = [...list.slice(0, at), 'rev-parse', '--path-format=absolute', '--git-path', 'hooks'];
  const { stdout } = await promisify(execFile)('git', asked, { cwd: root }).catch(() => ({ stdout: '' }));
  const folder = stdout.trim();
  return folder === '' ? [] : names.filter(name => existsSync(join(folder, name)));
}

const existsIn =
  (root: string) =>
  (path: string): boolean =>
    existsSync(join(root, path));

export const gitCommand: Tool = {
  name: 'git_command',
  description: 'Run git without a shell, e.g. ["log","--oneline"]. No editor, pager or prompt.',
  category: 'shell',
  keywords: ['commit', 'branch', 'diff', 'history', 'merge'],
  parameters: {
    type: 'object',
    properties: {
      args: { type: 'array', items: { type: 'string', maxLength: 100_000 }, minItems: 1, maxItems: 500 },
      hooks: { type: 'boolean', default: false, description: "run the repository's hooks" },
    },
    required: ['args'],
    additionalProperties: false,
  },
  effects: 'exec',
  timeoutMs: NETWORK_TIMEOUT_MS + 10_000,

  assess(args, workspace) {
    const { list, hooks } = argsOf(args);
    const verdict = judgeGit(list, existsIn(workspace.root));
    if (verdict.refused || (hooks && verdict.network)) return refusedCall(list.join(' '));
    // A path, or `REVISION:PATH`.
    const secret = list.slice(verdict.at + 1).find(arg => isSecretPath(arg.replace(/^[^:\s]*:/, '')));
    return {
      risks: [
        verdict.readOnly ? 'read' : hooks ? 'exec' : 'write',
        ...(verdict.network ? (['network'] as const) : []),
        ...(secret ? (['secret'] as const) : []),
        ...(verdict.destructive ? (['destructive'] as const) : []),
      ],
      mutates: !verdict.readOnly,
      effect: verdict.readOnly ? 'repeatable' : 'unknowable',
      subject: list.join(' ').slice(0, 2000),
      why: [
        verdict.destructive,
        verdict.network ? 'reaches another repository' : null,
        secret ? `touches secrets: ${secret}` : null,
      ]
        .filter(Boolean)
        .join('; '),
    };
  },

  async run(args, context) {
    const { list, hooks } = argsOf(args);
    const { root } = context.workspace;
    if (list.some(arg => arg.includes('\0')))
      throw refusal('invalid_command', 'An argument contains a NUL character.');
    const verdict = judgeGit(list, existsIn(root));
    if (verdict.refused)
      throw refusal(
        'denied_git',
        `git_command does not do this: ${verdict.refused}. Allowed sub-commands: ${gitSubcommands().join(' ')}.`,
      );
    if (hooks && verdict.network)
      throw refusal(
        'denied_git',
        'Hooks are not run together with the network, because they would see the keys for it. Leave "hooks" out.',
      );
    const skipped = hooks || verdict.readOnly ? [] : await hooksOf(list, verdict, root);
    const told = verdict.network ? '' : '; "hooks": true runs them';
    return observe(
      {
        argv: commandLine(list, verdict, hooks),
        env: verdict.readOnly ? { GIT_OPTIONAL_LOCKS: '0' } : {},
        mutates: !verdict.readOnly,
        permissions: { git: true, credentials: verdict.network },
        notes: skipped.length > 0 ? [`hooks not run: ${skipped.join(', ')}${told}`] : [],
        timeoutMs: verdict.network ? NETWORK_TIMEOUT_MS : TIMEOUT_MS,
        data: { subcommand: verdict.subcommand },
      },
      context,
    );
  },
};
