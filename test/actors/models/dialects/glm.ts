/** glm: the answers and what must be read from them. */
import type { Table } from './table.ts';

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
    own: [],
  },
];
