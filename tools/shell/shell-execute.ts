/** shell_execute: one command line in the workspace. */

import { existsSync } from 'node:fs';
import { refusal, refusedCall } from '../result.ts';
import type { Tool } from '../tool.ts';
import { classify } from './classify.ts';
import { observe } from './observe.ts';

/** Also the most that can be configured for calls that name no limit, s. */
const MAX_SECONDS = 10_800;
/** One argument of a program takes no more on Linux, bytes. */
const MAX_COMMAND = 120_000;

const shell = (): string => (existsSync('/bin/bash') ? '/bin/bash' : '/bin/sh');

const MAX_TOLD = 3;

/** The first of them, in one line. */
const told = (reasons: string[]): string =>
  `${reasons.slice(0, MAX_TOLD).join('; ')}${reasons.length > MAX_TOLD ? '; …' : ''}`.slice(0, 300);

export const shellExecute: Tool = {
  name: 'shell_execute',
  description: 'Run a bash command in the workspace. No stdin; background jobs end with it.',
  category: 'shell',
  keywords: ['test', 'build', 'install', 'script', 'compile', 'command'],
  parameters: {
    type: 'object',
    properties: {
      command: { type: 'string', minLength: 1, maxLength: MAX_COMMAND },
      timeout_seconds: {
        type: 'integer',
        minimum: 1,
        maximum: MAX_SECONDS,
        description: 'default: 120, or as configured',
      },
      network: { type: 'boolean', default: false, description: 'reach the network; a person is asked' },
    },
    required: ['command'],
    additionalProperties: false,
  },
  effects: 'exec',
  // The tool's own timer ends it with its output; this one is only a net below.
  timeoutMs: (MAX_SECONDS + 10) * 1000,

  async assess(args, workspace) {
    const command = args['command'] as string;
    const { risks, mutates, alarms, catastrophic } = await classify(command, workspace.root);
    // `run` refuses it at once, so there is nothing to ask.
    if (catastrophic) return refusedCall(command);
    const wants = args['network'] === true && !risks.includes('network');
    const why = wants ? [...alarms, 'the call asks for it'] : alarms;
    return {
      risks: wants ? [...risks, 'network'] : risks,
      mutates,
      effect: mutates ? 'unknowable' : 'repeatable',
      // A rule that lets the command run does not let it reach the network.
      subject: wants ? `${command.slice(0, 1980)} <network>` : command.slice(0, 2000),
      why: told(why),
    };
  },

  async run(args, context) {
    const command = args['command'] as string;
    if (command.includes('\0')) throw refusal('invalid_command', 'The command contains a NUL character.');
    const { mutates, catastrophic, local, git } = await classify(command, context.workspace.root);
    if (catastrophic) throw refusal('refused_command', `Not run, whoever allowed it: ${catastrophic}.`);
    const seconds = (args['timeout_seconds'] as number | undefined) ?? context.commandSeconds;
    const network = context.network || local;
    return observe(
      { argv: [shell(), '-c', command], mutates, permissions: { git }, timeoutMs: seconds * 1000 },
      { ...context, network },
    );
  },
};
