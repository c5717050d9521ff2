/** What a table of a dialect holds: the same four things said in it, and what goes wrong in it in particular. */
import type { ToolSchema } from '../../../../actors/models/model.ts';

export interface Call {
  name: string;
  arguments: Record<string, unknown>;
}

/** One answer and what must be read from it. */
export interface Case {
  what: string;
  text: string;
  calls: Call[];
  /** Calls that must be refused aloud, so that the model hears of them. Default: it does not matter. */
  refused?: number;
  finish?: 'stop' | 'length';
  content?: string;
  thinking?: string;
  /** Default: `TOOLS`. */
  tools?: ToolSchema[] | null;
}

export interface Table {
  dialect: string;
  /** ONE, TWO, QUOTES and UNICODE as this dialect writes them. */
  one: string;
  two: string;
  quotes: string;
  unicode: string;
  /** Prose may follow a call. */
  tail: boolean;
  /** Cases of this dialect alone, malformed ones among them. */
  own: Case[];
}

const tool = (name: string, properties: Record<string, object>, required: string[]): ToolSchema => ({
  name,
  description: name,
  parameters: { type: 'object', properties, required, additionalProperties: false },
});

const text = { type: 'string' };
export const TOOLS: ToolSchema[] = [
  tool('read_file', { path: text, start: { type: 'integer' } }, ['path']),
  tool('write_file', { path: text, content: text }, ['path', 'content']),
  tool('list_directory', { path: text, recursive: { type: 'boolean' } }, []),
  tool('search_files', { query: text, globs: { type: 'array', items: text }, limit: { type: 'integer' } }, [
    'query',
  ]),
];

export const ONE: Call[] = [{ name: 'read_file', arguments: { path: 'src/a.ts' } }];
export const TWO: Call[] = [
  { name: 'read_file', arguments: { path: 'a.txt', start: 5 } },
  { name: 'list_directory', arguments: { path: '.', recursive: true } },
];
const QUOTES: Call[] = [
  {
    name: 'write_file',
    arguments: { path: `it's "q".md`, content: `He said "hi" & <b>it's</b>\n\tline 2: {"a": [1, 2]}\n\nend` },
  },
];
const UNICODE: Call[] = [
  { name: 'write_file', arguments: { path: 'über/日本.txt', content: 'naïve 🎉 — ‘x’ «y» 中文' } },
];

/** The same in every dialect: where a call stands decides whether it is one. */
export function casesOf(table: Table): Case[] {
  const { one } = table;
  const inline = one.replace(/\s*\n\s*/g, ' ');
  return [
    { what: 'one call', text: one, calls: ONE, content: '' },
    { what: 'several calls', text: table.two, calls: TWO },
    { what: 'quotes and line breaks in values', text: table.quotes, calls: QUOTES, content: '' },
    { what: 'unicode', text: table.unicode, calls: UNICODE, content: '' },
    {
      what: 'after prose',
      text: `I'll look at it first.\n\n${one}`,
      calls: ONE,
      content: `I'll look at it first.`,
    },
    ...(table.tail
      ? [{ what: 'between prose', text: `I read it.\n${one}\nThen I go on with the next one.`, calls: ONE }]
      : []),
    {
      what: 'after thinking',
      text: `<think>The file.</think>\n${one}`,
      calls: ONE,
      thinking: 'The file.',
      content: '',
    },
    {
      what: 'after thinking the template began',
      text: `The file.</think>\n\n${one}`,
      calls: ONE,
      thinking: 'The file.',
    },
    {
      what: 'inside thinking',
      text: `<think>I could write ${one} now.</think>\nAll is done.`,
      calls: [],
      content: 'All is done.',
    },
    { what: 'inside thinking that never ends', text: `<think>\nMaybe this:\n${one}\n`, calls: [] },
    { what: 'an example in prose', text: `For example, a call is written so:\n${one}`, calls: [] },
    {
      what: 'an example in a code block',
      text: `Calls are written in this format:\n\n\`\`\`\n${one}\n\`\`\`\n\nUse it with care, and never in a sentence. ${'It is a long story. '.repeat(9)}`,
      calls: [],
    },
    {
      what: 'in inline code',
      text: `The model wrote \`${inline.replaceAll('`', "'")}\` and stopped.`,
      calls: [],
    },
    { what: 'in a quoted line', text: `The log has this line:\n> ${inline}\nand nothing else.`, calls: [] },
    { what: 'a tool nobody offered', text: one.replaceAll('read_file', 'launch_rocket'), calls: [] },
    { what: 'no tools offered', text: one, tools: [], calls: [] },
    { what: 'any name when the tools are unknown', text: one, tools: null, calls: ONE },
    { what: 'none', text: 'I have read `src/a.ts` [twice]; it has {two} functions (f, g).', calls: [] },
    {
      what: 'cut in the middle',
      text: one.slice(0, Math.ceil(one.length * 0.6)),
      finish: 'length',
      calls: [],
    },
    {
      what: 'cut in the middle of text',
      text: table.quotes.slice(0, table.quotes.indexOf('line 2')),
      finish: 'stop',
      calls: [],
    },
  ];
}
