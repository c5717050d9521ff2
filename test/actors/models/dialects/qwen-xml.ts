/** qwen-xml: the answers and what must be read from them. */
import type { Table } from './table.ts';

export const qwenXml: Table[] = [
  {
    dialect: 'qwen3-coder',
    one: `<tool_call>
<function=read_file>
<parameter=path>
src/a.ts
</parameter>
</function>
</tool_call>`,
    two: `<tool_call>
<function=read_file>
<parameter=path>
a.txt
</parameter>
<parameter=start>
5
</parameter>
</function>
</tool_call>
<tool_call>
<function=list_directory>
<parameter=path>
.
</parameter>
<parameter=recursive>
true
</parameter>
</function>
</tool_call>`,
    quotes: `<tool_call>
<function=write_file>
<parameter=path>
it's "q".md
</parameter>
<parameter=content>
He said "hi" & <b>it's</b>
	line 2: {"a": [1, 2]}

end
</parameter>
</function>
</tool_call>`,
    unicode: `<tool_call>
<function=write_file>
<parameter=path>
über/日本.txt
</parameter>
<parameter=content>
naïve 🎉 — ‘x’ «y» 中文
</parameter>
</function>
</tool_call>`,
    tail: true,
    own: [],
  },
  {
    dialect: 'openhands',
    one: `<function=read_file>
<parameter=path>
src/a.ts
</parameter>
</function>`,
    two: `<function=read_file>
<parameter=path>
a.txt
</parameter>
<parameter=start>
5
</parameter>
</function>
<function=list_directory>
<parameter=path>
.
</parameter>
<parameter=recursive>
true
</parameter>
</function>`,
    quotes: `<function=write_file>
<parameter=path>
it's "q".md
</parameter>
<parameter=content>
He said "hi" & <b>it's</b>
	line 2: {"a": [1, 2]}

end
</parameter>
</function>`,
    unicode: `<function=write_file>
<parameter=path>
über/日本.txt
</parameter>
<parameter=content>
naïve 🎉 — ‘x’ «y» 中文
</parameter>
</function>`,
    tail: true,
    own: [],
  },
];
