/** ask_user: the schema of a question to a person. The turn machine turns the call into a question; nothing runs here. */

import { failure } from '../machines/failure.ts';
import { failed } from './result.ts';
import type { Tool } from './tool.ts';

export const askUser: Tool = {
  name: 'ask_user',
  description: 'Ask the user a question that only they can answer.',
  category: 'task',
  parameters: {
    type: 'object',
    properties: {
      question: { type: 'string', minLength: 1, maxLength: 4_000 },
      options: { type: 'array', items: { type: 'string', maxLength: 400 }, maxItems: 20 },
    },
    required: ['question'],
    additionalProperties: false,
  },
  effects: 'read',
  timeoutMs: 30_000,

  async run() {
    return failed(
      failure('terminal', 'needs_person', 'This question needs a person; it can be asked only within a run.'),
    );
  },
};
