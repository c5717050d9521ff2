/** list_tools: what tools there are, shortly or with their schemas, for requests that carry only some of them. */

import { refusal, success } from './result.ts';
import { RUN_TOOL } from './run-tool.ts';
import type { Args, Tool } from './tool.ts';
import { wireTool } from './wire.ts';

export const LIST_TOOLS = 'list_tools';

const CATEGORIES = [
  'files',
  'search',
  'shell',
  'web',
  'documents',
  'code',
  'data',
  'task',
  'tools',
] satisfies Tool['category'][];
const DEFAULT_LIMIT = 20;
const MAX_PAYLOAD = 65_536;

const wordsOf = (text: string): string[] => text.toLowerCase().match(/[a-z0-9]+/g) ?? [];

/** Whether a tool may do more than read: by any of its operations. */
function changes({ effects }: Tool): boolean {
  const declared =
    typeof effects === 'object' && 'operations' in effects ? Object.values(effects.operations) : [effects];
  return declared
    .flatMap(one => (typeof one === 'string' ? one : one.does))
    .some(reach => reach === 'write' || reach === 'exec');
}

/** Every word of the query stands in what is known of the tool. */
function matches(tool: Tool, query: string): boolean {
  const known = [tool.name, tool.description, tool.category, ...(tool.keywords ?? [])]
    .join(' ')
    .toLowerCase();
  return wordsOf(query).every(word => known.includes(word));
}

const line = (tool: Tool): string => {
  const { properties, required = [] } = tool.parameters;
  const names = Object.keys(properties).map(name => (required.includes(name) ? `${name}*` : name));
  return `${tool.name}(${names.join(', ')}): ${tool.description}`;
};

const without = ({ query, category, mutating_only, auth_required_only }: Args): boolean =>
  !query && !category && !mutating_only && !auth_required_only;

/** @param tools all there are, asked anew with each call */
export const listTools = (tools: () => Tool[]): Tool => ({
  name: LIST_TOOLS,
  description: 'Find tools and their parameters; * marks required ones.',
  category: 'tools',
  parameters: {
    type: 'object',
    properties: {
      query: { type: 'string', maxLength: 200, description: 'words, e.g. "excel" or a name' },
      category: { type: 'string', enum: CATEGORIES, description: 'default: any' },
      mutating_only: { type: 'boolean', default: false, rare: true },
      auth_required_only: { type: 'boolean', default: false, rare: true },
      detail: { type: 'string', enum: ['compact', 'schema'], default: 'compact' },
      limit: { type: 'integer', minimum: 1, maximum: 50, default: DEFAULT_LIMIT },
      offset: { type: 'integer', minimum: 0, maximum: 10_000, default: 0 },
      max_payload_bytes: {
        type: 'integer',
        minimum: 1_024,
        maximum: MAX_PAYLOAD,
        default: 12_000,
        rare: true,
      },
    },
    additionalProperties: false,
  },
  effects: 'read',
  subject: 'query',
  timeoutMs: 10_000,

  async run(args) {
    const query = String(args['query'] ?? '');
    if (args['detail'] === 'schema' && without(args))
      throw refusal(
        'filter_needed',
        'detail=schema needs query or category: all schemas at once are too much.',
        {
          fields: ['query', 'category'],
        },
      );
    const found = tools().filter(
      tool =>
        tool.name !== RUN_TOOL &&
        matches(tool, query) &&
        (args['category'] === undefined || tool.category === args['category']) &&
        (!args['mutating_only'] || changes(tool)) &&
        (!args['auth_required_only'] || tool.auth?.some(need => !need.optional)),
    );
    const offset = args['offset'] as number;
    const shown: string[] = [];
    let room = args['max_payload_bytes'] as number;
    for (const tool of found.slice(offset, offset + (args['limit'] as number))) {
      const text = args['detail'] === 'schema' ? JSON.stringify(wireTool(tool)) : line(tool);
      room -= Buffer.byteLength(text) + 1;
      // One always fits: a page must lead on.
      if (room < 0 && shown.length > 0) break;
      shown.push(text);
    }
    const next = offset + shown.length;
    if (found.length === 0) shown.push('No tool matches; fewer words find more.');
    else if (next < found.length) shown.push(`[${found.length - next} more: offset=${next}]`);
    return success(shown.join('\n'), { data: { count: found.length, offset, next } });
  },
});
