/** delegate_task: a piece of work as a task of its own, planned, carried out and verified. The power to start a run is given by
 *  whoever drives the calling one; nothing the model sends chooses its id, approval or budget. */

import { failure } from '../machines/failure.ts';
import { failed, refusal, success } from './result.ts';
import type { Args, Tool } from './tool.ts';

const MAX_GOAL = 16_000;
const MAX_CONTEXT = 8_000;
/** The task's own limit ends it (`execution.delegate_task_timeout_seconds`); this is only a net below. */
const NET_MS = 24 * 3600 * 1000;

function goalOf(args: Args): string {
  const facts = args['context'] as Record<string, unknown>;
  const text = Object.keys(facts).length > 0 ? JSON.stringify(facts, null, 1) : '';
  if (text.length > MAX_CONTEXT)
    throw refusal(
      'too_large',
      `context has ${text.length} characters; at most ${MAX_CONTEXT} go with a task. Put the material into a file and name it in the goal.`,
      { fields: ['context'] },
    );
  return [args['goal'] as string, ...(text ? [`What is known:\n${text}`] : [])].join('\n\n');
}

export const delegateTask: Tool = {
  name: 'delegate_task',
  description: 'Have a separate piece of work planned, done and verified as a task of its own.',
  category: 'task',
  keywords: ['delegate', 'separately'],
  parameters: {
    type: 'object',
    properties: {
      goal: { type: 'string', minLength: 1, maxLength: MAX_GOAL },
      context: { type: 'object', maxProperties: 50, default: {}, description: 'facts it needs' },
      wait: { type: 'boolean', default: true, rare: true },
    },
    required: ['goal'],
    additionalProperties: false,
  },
  effects: { does: 'exec', effect: 'keyed' },
  timeoutMs: NET_MS,

  async run(args, context) {
    if (args['wait'] === false)
      throw refusal('not_supported', 'wait: a delegated task is always waited for; leave it away.', {
        fields: ['wait'],
      });
    const goal = goalOf(args);
    const { delegate } = context;
    if (!delegate)
      throw refusal(
        'cannot_delegate',
        'goal: no task can be delegated from here: either this is one at the depth limit, or no run is going on (loom run starts one). Do the work with the other tools.',
        { fields: ['goal'] },
      );
    const { task_id, status, summary, files_changed, untrusted, error } = await delegate({ goal });
    const outside = untrusted ? { untrusted: { source: `task ${task_id}` } } : {};
    const data = { task_id, status, files: files_changed.slice(0, 50) };
    if (status !== 'completed') {
      const { code, message } = error ?? { code: status, message: `it ended as ${status}` };
      return failed(
        failure(
          'terminal',
          'delegate_failed',
          `The delegated task ${task_id} was not completed (${code}): ${message}`,
        ),
        { data, files_changed, ...outside },
      );
    }
    const files = files_changed.length > 0 ? `\nFiles changed: ${files_changed.slice(0, 50).join(', ')}` : '';
    return success(`${summary || 'Done.'}${files}\n[task ${task_id}, verified]`, {
      data,
      files_changed,
      ...outside,
    });
  },
};
