/** run_tool: calls a tool whose schema the request did not carry. The registry takes the wrapping off before anything else, so
 *  that the inner call is validated, judged, asked for and run like any other; nothing here ever runs. */

import { isObject } from './calls/json-repair.ts';
import { refusal } from './result.ts';
import type { Tool } from './tool.ts';

export const RUN_TOOL = 'run_tool';

export const runTool: Tool = {
  name: RUN_TOOL,
  description: 'Run a tool that is not among these; list_tools tells its parameters.',
  category: 'tools',
  parameters: {
    type: 'object',
    properties: {
      name: { type: 'string', minLength: 1, maxLength: 100 },
      arguments: { type: 'object', maxProperties: 100, default: {} },
    },
    required: ['name'],
    additionalProperties: false,
  },
  effects: 'exec',
  timeoutMs: 3_600_000,

  async run() {
    throw refusal('not_recursive', 'run_tool was reached inside run_tool; call the inner tool directly.', {
      fields: ['name'],
    });
  },
};

/** Arguments written beside the name instead of below `arguments`: as long as these are missing there is one reading. */
export function gathered(given: unknown): unknown {
  if (!isObject(given) || given['arguments'] !== undefined || typeof given['name'] !== 'string') return given;
  const { name, arguments: _, ...inner } = given;
  return Object.keys(inner).length > 0 ? { name, arguments: inner } : given;
}
