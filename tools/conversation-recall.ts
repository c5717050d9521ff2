/** conversation_recall: what was said and done in this session and others of the workspace, word for word. */
import { failure } from '../machines/failure.ts';
import { failed } from './result.ts';
import type { Tool, ToolResult } from './tool.ts';

/** One stored message, as the model reads it. */
export interface Recalled {
  /** '' for this session. */
  session: string;
  /** Position in its session, from 1. */
  n: number;
  role: string;
  text: string;
}

/** The power that the host gives: reading what is stored. */
export interface Conversations {
  search(query: string, options: { limit: number; everywhere: boolean }): Promise<Recalled[]>;
  /** Messages by their numbers, both ends included. */
  range(from: number, to: number): Promise<Recalled[]>;
  /** The newest results of a tool, of any where the name is ''. */
  results(tool: string, limit: number): Promise<Recalled[]>;
  summary(): Promise<string>;
}

/** Messages of one range at most. */
const MOST_RANGE = 50;

export const conversationRecall = (conversations: Conversations): Tool => ({
  name: 'conversation_recall',
  description: 'Search or reread earlier messages and tool results of this conversation, word for word.',
  category: 'task',
  keywords: ['earlier', 'before', 'remember', 'conversation', 'history'],
  parameters: {
    type: 'object',
    properties: {
      action: {
        type: 'string',
        enum: ['search', 'range', 'tool_calls', 'summary'],
        description: 'search needs query; range needs start_turn; tool_calls takes tool_name.',
      },
      query: {
        type: 'string',
        maxLength: 1_000,
        default: '',
        description: 'Words, "a phrase", or begin*.',
      },
      scope: { type: 'string', enum: ['session', 'workspace'], default: 'session' },
      tool_name: { type: 'string', maxLength: 100, default: '' },
      start_turn: {
        type: 'integer',
        minimum: 1,
        maximum: 10_000_000,
        default: 1,
        description: 'Number of a message.',
      },
      end_turn: {
        type: 'integer',
        minimum: 1,
        maximum: 10_000_000,
        description: 'Last message; start_turn + 9 when absent.',
      },
      limit: { type: 'integer', minimum: 1, maximum: 50, default: 10 },
    },
    required: ['action'],
    additionalProperties: false,
  },
  effects: 'read',
  subject: 'query',
  timeoutMs: 30_000,

  async run(args, { outputLimit }) {
    const limit = Number(args['limit']);
    switch (args['action']) {
      case 'search': {
        const query = String(args['query']).trim();
        if (query === '') return refused('search needs a query: words, "a phrase", or begin*.');
        const found = await conversations.search(query, { limit, everywhere: args['scope'] === 'workspace' });
        return shown(found, outputLimit, `Nothing was said with: ${query}`);
      }
      case 'range': {
        const from = Number(args['start_turn']);
        const to = Math.min(from + MOST_RANGE - 1, Number(args['end_turn'] ?? from + 9));
        if (to < from) return refused(`end_turn ${to} is before start_turn ${from}.`);
        return shown(
          await conversations.range(from, to),
          outputLimit,
          `There are no messages ${from} to ${to}.`,
        );
      }
      case 'tool_calls': {
        const tool = String(args['tool_name']);
        return shown(
          await conversations.results(tool, limit),
          outputLimit,
          `No results of ${tool || 'tools'} are stored.`,
        );
      }
      default:
        return text((await conversations.summary()) || 'Nothing has happened in this session yet.');
    }
  },
});

const text = (output: string): ToolResult => ({
  success: true,
  output,
  error: null,
  data: {},
  files_changed: [],
});
const refused = (why: string): ToolResult => failed(failure('terminal', 'invalid_arguments', why));

/** Each in full when there is room; the longest are cut first, with the number under which the whole is found. */
function shown(found: Recalled[], room: number, nothing: string): ToolResult {
  if (found.length === 0) return text(nothing);
  const heads = found.map(
    ({ session, n, role }) => `[${session === '' ? '' : `session ${session}, `}message ${n}, ${role}]`,
  );
  let each = Math.floor(room / found.length) - 80;
  // What shorter ones leave over goes to the longer ones.
  const spare = found.reduce((sum, { text: words }) => sum + Math.max(0, each - words.length), 0);
  const long = found.filter(({ text: words }) => words.length > each).length;
  if (long > 0) each += Math.floor(spare / long);
  each = Math.max(200, each);
  const blocks = found.map(({ text: words, n }, i) => {
    const cut =
      words.length > each
        ? `${words.slice(0, each)}\n[… ${words.length - each} more characters: action range, start_turn ${n}, end_turn ${n}]`
        : words;
    return `${heads[i]}\n${cut}`;
  });
  return {
    ...text(blocks.join('\n\n')),
    data: { messages: found.map(({ session, n }) => ({ session, n })) },
  };
}
