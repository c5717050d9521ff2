/** minimax: the answers and what must be read from them. */
import type { Table } from './table.ts';

export const minimax: Table[] = [
  {
    dialect: 'minimax m2',
    one: `<minimax:tool_call>
<invoke name="read_file">
<parameter name="path">src/a.ts</parameter>
</invoke>
</minimax:tool_call>`,
    two: `<minimax:tool_call>
<invoke name="read_file">
<parameter name="path">a.txt</parameter>
<parameter name="start">5</parameter>
</invoke>
<invoke name="list_directory">
<parameter name="path">.</parameter>
<parameter name="recursive">true</parameter>
</invoke>
</minimax:tool_call>`,
    quotes: `<minimax:tool_call>
<invoke name="write_file">
<parameter name="path">it's "q".md</parameter>
<parameter name="content">He said "hi" & <b>it's</b>
	line 2: {"a": [1, 2]}

end</parameter>
</invoke>
</minimax:tool_call>`,
    unicode: `<minimax:tool_call>
<invoke name="write_file">
<parameter name="path">über/日本.txt</parameter>
<parameter name="content">naïve 🎉 — ‘x’ «y» 中文</parameter>
</invoke>
</minimax:tool_call>`,
    tail: true,
    own: [],
  },
  {
    dialect: 'minimax m1',
    one: `<tool_calls>
{"name": "read_file", "arguments": {"path": "src/a.ts"}}
</tool_calls>`,
    two: `<tool_calls>
{"name": "read_file", "arguments": {"path": "a.txt", "start": 5}}
{"name": "list_directory", "arguments": {"path": ".", "recursive": true}}
</tool_calls>`,
    quotes: `<tool_calls>
{"name": "write_file", "arguments": {"path": "it's \\"q\\".md", "content": "He said \\"hi\\" & <b>it's</b>\\n\\tline 2: {\\"a\\": [1, 2]}\\n\\nend"}}
</tool_calls>`,
    unicode: `<tool_calls>
{"name": "write_file", "arguments": {"path": "über/日本.txt", "content": "naïve 🎉 — ‘x’ «y» 中文"}}
</tool_calls>`,
    tail: true,
    own: [],
  },
];
