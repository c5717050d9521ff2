/** git_command: git without a shell, an editor, a pager, a prompt, or a program of its own choice. */

import { refusal } from '../result.ts';
import type { Args, Tool } from '../tool.ts';
import { type GitVerdict, gitSubcommands, judgeGit } from './git-rules.ts';
import { observe } from './observe.ts';

const TIMEOUT_MS = 120_000;

/** Settings of the repository that would start programs. */
const SAFE = [
  'core.fsmonitor=false',
  'core.pager=cat',
  'core.editor=true',
  'sequence.editor=true',
  'protocol.ext.allow=never',
];

function argsOf(args: Args): string[] {
  const list = args['args'] as string[];
  return list[0] === 'git' ? list.slice(1) : list;
}

/** Diffs by git's own means only; hooks do not run for a look. */
function commandLine(list: string[], verdict: GitVerdict): string[] {
  const at = list.indexOf(verdict.subcommand);
  const own = ['diff', 'log', 'show', 'whatchanged'].includes(verdict.subcommand)
    ? ['--no-ext-diff', '--no-textconv']
    : [];
  const safe = verdict.readOnly ? [...SAFE, 'core.hooksPath=/dev/null'] : SAFE;
  return [
    'git',
    '--no-pager',
    ...safe.flatMap(setting => ['-c', setting]),
    ...list.slice(0, at + 1),
    ...own,
    ...list.slice(at + 1),
  ];
}

export const gitCommand: Tool = {
  name: 'git_command',
  description: 'Run git without a shell, e.g. ["log","--oneline"].',
  category: 'shell',
  keywords: ['commit', 'branch', 'diff', 'history', 'merge'],
  parameters: {
    type: 'object',
    properties: {
      args: { type: 'array', items: { type: 'string', maxLength: 100_000 }, minItems: 1, maxItems: 500 },
    },
    required: ['args'],
    additionalProperties: false,
  },
  effects: 'exec',
  timeoutMs: TIMEOUT_MS + 10_000,

  assess(args) {
    const list = argsOf(args);
    const verdict = judgeGit(list);
    return {
      risks: [
        verdict.readOnly ? 'read' : 'exec',
        ...(verdict.network ? (['network'] as const) : []),
        ...(verdict.destructive ? (['destructive'] as const) : []),
      ],
      mutates: !verdict.readOnly,
      effect: verdict.readOnly ? 'repeatable' : 'unknowable',
      subject: list.join(' ').slice(0, 2000),
    };
  },

  async run(args, context) {
    const list = argsOf(args);
    if (list.some(arg => arg.includes('\0')))
      throw refusal('invalid_command', 'An argument contains a NUL character.');
    const verdict = judgeGit(list);
    if (verdict.refused)
      throw refusal(
        'denied_git',
        `git_command does not do this: ${verdict.refused}. Allowed sub-commands: ${gitSubcommands().join(' ')}.`,
      );
    return observe(
      {
        argv: commandLine(list, verdict),
        env: verdict.readOnly ? { GIT_OPTIONAL_LOCKS: '0' } : {},
        mutates: !verdict.readOnly,
        credentials: verdict.network,
        timeoutMs: TIMEOUT_MS,
        data: { subcommand: verdict.subcommand },
      },
      context,
    );
  },
};
