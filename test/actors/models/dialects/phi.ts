/** phi: the answers and what must be read from them. */
import { ONE, type Table } from './table.ts';

export const phi: Table[] = [
  {
    dialect: 'phi-4 functools',
    one: `functools[{"name": "read_file", "arguments": {"path": "src/a.ts"}}]`,
    two: `functools[{"name": "read_file", "arguments": {"path": "a.txt", "start": 5}}, {"name": "list_directory", "arguments": {"path": ".", "recursive": true}}]`,
    quotes: `functools[{"name": "write_file", "arguments": {"path": "it's \\"q\\".md", "content": "He said \\"hi\\" & <b>it's</b>\\n\\tline 2: {\\"a\\": [1, 2]}\\n\\nend"}}]`,
    unicode: `functools[{"name": "write_file", "arguments": {"path": "über/日本.txt", "content": "naïve 🎉 — ‘x’ «y» 中文"}}]`,
    tail: true,
    own: [
      { what: 'the word alone', text: 'Python has functools.partial and functools [1, 2].', calls: [] },
      {
        what: 'single quotes',
        text: "functools[{'name': 'read_file', 'arguments': {'path': 'src/a.ts'}}]",
        calls: ONE,
      },
    ],
  },
  {
    dialect: 'phi-4 tags',
    one: `<|tool_call|>[{"name": "read_file", "arguments": {"path": "src/a.ts"}}]<|/tool_call|>`,
    two: `<|tool_call|>[{"name": "read_file", "arguments": {"path": "a.txt", "start": 5}}, {"name": "list_directory", "arguments": {"path": ".", "recursive": true}}]<|/tool_call|>`,
    quotes: `<|tool_call|>[{"name": "write_file", "arguments": {"path": "it's \\"q\\".md", "content": "He said \\"hi\\" & <b>it's</b>\\n\\tline 2: {\\"a\\": [1, 2]}\\n\\nend"}}]<|/tool_call|>`,
    unicode: `<|tool_call|>[{"name": "write_file", "arguments": {"path": "über/日本.txt", "content": "naïve 🎉 — ‘x’ «y» 中文"}}]<|/tool_call|>`,
    tail: true,
    own: [],
  },
];
