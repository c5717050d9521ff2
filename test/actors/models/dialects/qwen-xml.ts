/** qwen-xml: the answers and what must be read from them. */
import { ONE, type Table } from './table.ts';

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
    own: [
      {
        what: 'values by their schema',
        text: '<tool_call>\n<function=search_files>\n<parameter=query>\n12\n</parameter>\n<parameter=globs>\n["*.ts"]\n</parameter>\n<parameter=limit>\n3\n</parameter>\n</function>\n</tool_call>',
        calls: [{ name: 'search_files', arguments: { query: '12', globs: ['*.ts'], limit: 3 } }],
      },
      {
        what: 'a Python list',
        text: "<tool_call>\n<function=search_files>\n<parameter=query>\nx\n</parameter>\n<parameter=globs>\n['*.ts', '*.md']\n</parameter>\n</function>\n</tool_call>",
        calls: [{ name: 'search_files', arguments: { query: 'x', globs: ['*.ts', '*.md'] } }],
      },
      {
        what: 'no value closed',
        text: '<tool_call>\n<function=write_file>\n<parameter=path>\na.txt\n<parameter=content>\nx\n</function>\n</tool_call>',
        calls: [{ name: 'write_file', arguments: { path: 'a.txt', content: 'x' } }],
      },
      {
        what: 'a value with blank lines around',
        text: '<tool_call>\n<function=write_file>\n<parameter=path>\na\n</parameter>\n<parameter=content>\n\n  x\n\n</parameter>\n</function>\n</tool_call>',
        calls: [{ name: 'write_file', arguments: { path: 'a', content: '\n  x\n' } }],
      },
      {
        what: 'no arguments',
        text: '<tool_call>\n<function=list_directory>\n</function>\n</tool_call>',
        calls: [{ name: 'list_directory', arguments: {} }],
      },
      {
        what: 'two functions in one tag',
        text: '<tool_call>\n<function=read_file>\n<parameter=path>\nsrc/a.ts\n</parameter>\n</function>\n<function=list_directory>\n</function>\n</tool_call>',
        calls: [...ONE, { name: 'list_directory', arguments: {} }],
        content: '',
      },
      {
        what: 'words between the tags',
        text: '<tool_call>\n<function=read_file>\nthe file src/a.ts\n</function>\n</tool_call>',
        calls: [],
        refused: 1,
      },
      {
        what: 'a call written into a file',
        text: '<tool_call>\n<function=write_file>\n<parameter=path>\na.md\n</parameter>\n<parameter=content>\nSay <tool_call>{"name": "read_file", "arguments": {"path": "x"}}</tool_call>.\n```\nfence\n</parameter>\n</function>\n</tool_call>',
        calls: [
          {
            name: 'write_file',
            arguments: {
              path: 'a.md',
              content:
                'Say <tool_call>{"name": "read_file", "arguments": {"path": "x"}}</tool_call>.\n```\nfence',
            },
          },
        ],
      },
    ],
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
    own: [
      {
        what: 'a stop word took the closing tag',
        text: 'I look.\n<function=read_file>\n<parameter=path>src/a.ts</parameter>\n',
        calls: ONE,
        content: 'I look.',
      },
      {
        what: 'the same at the length limit',
        text: 'I look.\n<function=read_file>\n<parameter=path>src/a.ts</parameter>\n',
        finish: 'length',
        calls: [],
        refused: 1,
      },
      {
        what: 'a needed value is missing',
        text: '<function=write_file>\n<parameter=path>src/a.ts</parameter>\n',
        calls: [],
        refused: 1,
      },
    ],
  },
];
