/** minimax: the answers and what must be read from them. */
import { ONE, type Table } from './table.ts';

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
    own: [
      {
        what: 'values by their schema',
        text: '<minimax:tool_call><invoke name="search_files"><parameter name="query">12</parameter><parameter name="globs">["*.ts", "*.md"]</parameter><parameter name="limit">3</parameter></invoke></minimax:tool_call>',
        calls: [{ name: 'search_files', arguments: { query: '12', globs: ['*.ts', '*.md'], limit: 3 } }],
      },
      {
        what: 'a closing tag in a value',
        text: '<invoke name="write_file"><parameter name="path">x.xml</parameter><parameter name="content"><a></parameter> b</a></parameter></invoke>',
        calls: [{ name: 'write_file', arguments: { path: 'x.xml', content: '<a></parameter> b</a>' } }],
      },
      {
        what: 'a value that breaks off',
        text: '<minimax:tool_call><invoke name="write_file"><parameter name="path">x</parameter><parameter name="content">half',
        calls: [],
        refused: 1,
      },
      {
        what: 'another prefix',
        text: '<atem:function_calls>\n<atem:invoke name="read_file">\n<atem:parameter name="path">src/a.ts</atem:parameter>\n</atem:invoke>\n</atem:function_calls>',
        calls: ONE,
        content: '',
      },
    ],
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
    own: [{ what: 'nothing inside', text: '<tool_calls>\n</tool_calls>', calls: [] }],
  },
];
