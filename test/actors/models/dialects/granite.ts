/** granite: the answers and what must be read from them. */
import { ONE, type Table, TWO } from './table.ts';

export const granite: Table[] = [
  {
    dialect: 'granite 3',
    one: `<|tool_call|>[{"name": "read_file", "arguments": {"path": "src/a.ts"}}]`,
    two: `<|tool_call|>[{"name": "read_file", "arguments": {"path": "a.txt", "start": 5}}, {"name": "list_directory", "arguments": {"path": ".", "recursive": true}}]`,
    quotes: `<|tool_call|>[{"name": "write_file", "arguments": {"path": "it's \\"q\\".md", "content": "He said \\"hi\\" & <b>it's</b>\\n\\tline 2: {\\"a\\": [1, 2]}\\n\\nend"}}]`,
    unicode: `<|tool_call|>[{"name": "write_file", "arguments": {"path": "über/日本.txt", "content": "naïve 🎉 — ‘x’ «y» 中文"}}]`,
    tail: true,
    own: [
      {
        what: 'a number as text',
        text: '<|tool_call|>[{"name": "read_file", "arguments": {"path": "a.txt", "start": "5"}}]',
        calls: [TWO[0]!],
      },
      {
        what: 'the list is not closed',
        text: '<|tool_call|>[{"name": "read_file", "arguments": {"path": "src/a.ts"}}',
        calls: ONE,
      },
      { what: 'an empty list', text: '<|tool_call|>[]', calls: [] },
    ],
  },
  {
    dialect: 'granite list in a tag',
    one: `<tool_call> [{"name": "read_file", "arguments": {"path": "src/a.ts"}}]</tool_call>`,
    two: `<tool_call> [{"name": "read_file", "arguments": {"path": "a.txt", "start": 5}}, {"name": "list_directory", "arguments": {"path": ".", "recursive": true}}]</tool_call>`,
    quotes: `<tool_call> [{"name": "write_file", "arguments": {"path": "it's \\"q\\".md", "content": "He said \\"hi\\" & <b>it's</b>\\n\\tline 2: {\\"a\\": [1, 2]}\\n\\nend"}}]</tool_call>`,
    unicode: `<tool_call> [{"name": "write_file", "arguments": {"path": "über/日本.txt", "content": "naïve 🎉 — ‘x’ «y» 中文"}}]</tool_call>`,
    tail: true,
    own: [
      {
        what: 'the older function_call',
        text: '<function_call> {"name": "read_file", "arguments": {"path": "src/a.ts"}}',
        calls: ONE,
      },
    ],
  },
];
