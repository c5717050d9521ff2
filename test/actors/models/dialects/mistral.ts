/** mistral: the answers and what must be read from them. */
import { ONE, type Table } from './table.ts';

export const mistral: Table[] = [
  {
    dialect: 'mistral list',
    one: `[TOOL_CALLS] [{"name": "read_file", "arguments": {"path": "src/a.ts"}}]`,
    two: `[TOOL_CALLS] [{"name": "read_file", "arguments": {"path": "a.txt", "start": 5}}, {"name": "list_directory", "arguments": {"path": ".", "recursive": true}}]`,
    quotes: `[TOOL_CALLS] [{"name": "write_file", "arguments": {"path": "it's \\"q\\".md", "content": "He said \\"hi\\" & <b>it's</b>\\n\\tline 2: {\\"a\\": [1, 2]}\\n\\nend"}}]`,
    unicode: `[TOOL_CALLS] [{"name": "write_file", "arguments": {"path": "über/日本.txt", "content": "naïve 🎉 — ‘x’ «y» 中文"}}]`,
    tail: true,
    own: [
      {
        what: 'closed',
        text: '[TOOL_CALLS] [{"name": "read_file", "arguments": {"path": "src/a.ts"}}][/TOOL_CALLS]',
        calls: ONE,
        content: '',
      },
      {
        what: 'one object',
        text: '[TOOL_CALLS]{"name": "read_file", "arguments": {"path": "src/a.ts"}}',
        calls: ONE,
      },
      {
        what: 'thinking',
        text: '[THINK]I need it.[/THINK][TOOL_CALLS][{"name": "read_file", "arguments": {"path": "src/a.ts"}}]</s>',
        calls: ONE,
        thinking: 'I need it.',
        content: '',
      },
      {
        what: 'a trailing comma',
        text: '[TOOL_CALLS] [{"name": "read_file", "arguments": {"path": "src/a.ts"}},]',
        calls: ONE,
      },
    ],
  },
  {
    dialect: 'mistral name and arguments',
    one: `[TOOL_CALLS]read_file[ARGS]{"path": "src/a.ts"}`,
    two: `[TOOL_CALLS]read_file[ARGS]{"path": "a.txt", "start": 5}[TOOL_CALLS]list_directory[ARGS]{"path": ".", "recursive": true}`,
    quotes: `[TOOL_CALLS]write_file[ARGS]{"path": "it's \\"q\\".md", "content": "He said \\"hi\\" & <b>it's</b>\\n\\tline 2: {\\"a\\": [1, 2]}\\n\\nend"}`,
    unicode: `[TOOL_CALLS]write_file[ARGS]{"path": "über/日本.txt", "content": "naïve 🎉 — ‘x’ «y» 中文"}`,
    tail: true,
    own: [
      { what: 'without the second mark', text: '[TOOL_CALLS]read_file{"path": "src/a.ts"}', calls: ONE },
      {
        what: 'with an id',
        text: '[TOOL_CALLS]read_file[CALL_ID]abc123def[ARGS]{"path": "src/a.ts"}',
        calls: ONE,
      },
      {
        what: 'marks in a value',
        text: '[TOOL_CALLS]write_file[ARGS]{"path": "t", "content": "[TOOL_CALLS]read_file[ARGS]{}"}',
        calls: [{ name: 'write_file', arguments: { path: 't', content: '[TOOL_CALLS]read_file[ARGS]{}' } }],
      },
      { what: 'no arguments yet', text: '[TOOL_CALLS]read_file[ARGS]', calls: [] },
    ],
  },
];
