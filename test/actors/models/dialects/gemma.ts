/** gemma: the answers and what must be read from them. */
import { ONE, type Table } from './table.ts';

export const gemma: Table[] = [
  {
    dialect: 'functiongemma',
    one: `<start_function_call>call:read_file{path:<escape>src/a.ts<escape>}<end_function_call>`,
    two: `<start_function_call>call:read_file{path:<escape>a.txt<escape>,start:5}<end_function_call><start_function_call>call:list_directory{path:<escape>.<escape>,recursive:true}<end_function_call>`,
    quotes: `<start_function_call>call:write_file{path:<escape>it's "q".md<escape>,content:<escape>He said "hi" & <b>it's</b>
	line 2: {"a": [1, 2]}

end<escape>}<end_function_call>`,
    unicode: `<start_function_call>call:write_file{path:<escape>über/日本.txt<escape>,content:<escape>naïve 🎉 — ‘x’ «y» 中文<escape>}<end_function_call>`,
    tail: true,
    own: [
      {
        what: 'nested values',
        text: '<start_function_call>call:search_files{query:<escape>x<escape>,globs:[<escape>*.ts<escape>,<escape>a,b<escape>],limit:3}<end_function_call>',
        calls: [{ name: 'search_files', arguments: { query: 'x', globs: ['*.ts', 'a,b'], limit: 3 } }],
      },
      {
        what: 'no quotes',
        text: '<start_function_call>call:read_file{path:src/a.ts}<end_function_call>',
        calls: ONE,
      },
      { what: 'no braces', text: '<start_function_call>call:read_file path<end_function_call>', calls: [] },
    ],
  },
  {
    dialect: 'gemma 4',
    one: `<|tool_call>call:read_file{path:<|"|>src/a.ts<|"|>}<tool_call|>`,
    two: `<|tool_call>call:read_file{path:<|"|>a.txt<|"|>,start:5}<tool_call|><|tool_call>call:list_directory{path:<|"|>.<|"|>,recursive:true}<tool_call|>`,
    quotes: `<|tool_call>call:write_file{path:<|"|>it's "q".md<|"|>,content:<|"|>He said "hi" & <b>it's</b>
	line 2: {"a": [1, 2]}

end<|"|>}<tool_call|>`,
    unicode: `<|tool_call>call:write_file{path:<|"|>über/日本.txt<|"|>,content:<|"|>naïve 🎉 — ‘x’ «y» 中文<|"|>}<tool_call|>`,
    tail: true,
    own: [
      {
        what: 'thinking',
        text: '<|channel>thought\nRead it.<channel|><|tool_call>call:read_file{path:<|"|>src/a.ts<|"|>}<tool_call|><turn|>',
        calls: ONE,
        thinking: 'Read it.',
        content: '',
      },
    ],
  },
  {
    dialect: 'gemma 3',
    one: `\`\`\`tool_code
read_file(path="src/a.ts")
\`\`\``,
    two: `\`\`\`tool_code
read_file(path="a.txt", start=5)
list_directory(path=".", recursive=True)
\`\`\``,
    quotes: `\`\`\`tool_code
write_file(path="it's \\"q\\".md", content="He said \\"hi\\" & <b>it's</b>\\n\\tline 2: {\\"a\\": [1, 2]}\\n\\nend")
\`\`\``,
    unicode: `\`\`\`tool_code
write_file(path="über/日本.txt", content="naïve 🎉 — ‘x’ «y» 中文")
\`\`\``,
    tail: true,
    own: [
      { what: 'printed', text: '```tool_code\nprint(read_file(path="src/a.ts"))\n```', calls: ONE },
      { what: 'a program', text: '```tool_code\nfor x in range(3):\n    print(x)\n```', calls: [] },
    ],
  },
];
