/** glm: the answers and what must be read from them. */
import { ONE, type Table } from './table.ts';

export const glm: Table[] = [
  {
    dialect: 'glm',
    one: `<tool_call>read_file
<arg_key>path</arg_key>
<arg_value>src/a.ts</arg_value>
</tool_call>`,
    two: `<tool_call>read_file
<arg_key>path</arg_key>
<arg_value>a.txt</arg_value>
<arg_key>start</arg_key>
<arg_value>5</arg_value>
</tool_call>
<tool_call>list_directory
<arg_key>path</arg_key>
<arg_value>.</arg_value>
<arg_key>recursive</arg_key>
<arg_value>true</arg_value>
</tool_call>`,
    quotes: `<tool_call>write_file
<arg_key>path</arg_key>
<arg_value>it's "q".md</arg_value>
<arg_key>content</arg_key>
<arg_value>He said "hi" & <b>it's</b>
	line 2: {"a": [1, 2]}

end</arg_value>
</tool_call>`,
    unicode: `<tool_call>write_file
<arg_key>path</arg_key>
<arg_value>über/日本.txt</arg_value>
<arg_key>content</arg_key>
<arg_value>naïve 🎉 — ‘x’ «y» 中文</arg_value>
</tool_call>`,
    tail: true,
    own: [
      {
        what: 'on one line',
        text: '<tool_call>read_file<arg_key>path</arg_key><arg_value>src/a.ts</arg_value></tool_call>',
        calls: ONE,
      },
      {
        what: 'values by their schema',
        text: '<tool_call>search_files\n<arg_key>query</arg_key>\n<arg_value>12</arg_value>\n<arg_key>globs</arg_key>\n<arg_value>["*.ts"]</arg_value>\n</tool_call>',
        calls: [{ name: 'search_files', arguments: { query: '12', globs: ['*.ts'] } }],
      },
      {
        what: 'half a closing tag',
        text: '<tool_call>read_file\n<arg_key>path</arg_key>\n<arg_value>src/a.ts</arg_value></tool_',
        calls: ONE,
      },
      {
        what: 'no arguments',
        text: '<tool_call>list_directory\n</tool_call>',
        calls: [{ name: 'list_directory', arguments: {} }],
      },
      {
        what: 'JSON behind the name',
        text: '<tool_call>read_file\n{"path": "src/a.ts"}</tool_call>',
        calls: ONE,
      },
      { what: 'words in the tag', text: '<tool_call>read_file please</tool_call>', calls: [] },
    ],
  },
];
