/** hermes: the answers and what must be read from them. */
import type { Table } from './table.ts';

export const hermes: Table[] = [
  {
    dialect: 'hermes',
    one: `<tool_call>
{"name": "read_file", "arguments": {"path": "src/a.ts"}}
</tool_call>`,
    two: `<tool_call>
{"name": "read_file", "arguments": {"path": "a.txt", "start": 5}}
</tool_call>
<tool_call>
{"name": "list_directory", "arguments": {"path": ".", "recursive": true}}
</tool_call>`,
    quotes: `<tool_call>
{"name": "write_file", "arguments": {"path": "it's \\"q\\".md", "content": "He said \\"hi\\" & <b>it's</b>\\n\\tline 2: {\\"a\\": [1, 2]}\\n\\nend"}}
</tool_call>`,
    unicode: `<tool_call>
{"name": "write_file", "arguments": {"path": "über/日本.txt", "content": "naïve 🎉 — ‘x’ «y» 中文"}}
</tool_call>`,
    tail: true,
    own: [],
  },
];
