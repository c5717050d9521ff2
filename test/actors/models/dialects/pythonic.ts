/** pythonic: the answers and what must be read from them. */
import { ONE, type Table, TWO } from './table.ts';

export const pythonic: Table[] = [
  {
    dialect: 'lfm2',
    one: `<|tool_call_start|>[read_file(path="src/a.ts")]<|tool_call_end|>`,
    two: `<|tool_call_start|>[read_file(path="a.txt", start=5), list_directory(path=".", recursive=True)]<|tool_call_end|>`,
    quotes: `<|tool_call_start|>[write_file(path="it's \\"q\\".md", content="He said \\"hi\\" & <b>it's</b>\\n\\tline 2: {\\"a\\": [1, 2]}\\n\\nend")]<|tool_call_end|>`,
    unicode: `<|tool_call_start|>[write_file(path="über/日本.txt", content="naïve 🎉 — ‘x’ «y» 中文")]<|tool_call_end|>`,
    tail: true,
    own: [
      {
        what: 'in another mark',
        text: '<tool_call>[read_file(path="src/a.ts")]</tool_call>',
        calls: ONE,
        content: '',
      },
      {
        what: 'in another mark without a list',
        text: '<tool_call>read_file(path="src/a.ts")</tool_call>',
        calls: ONE,
        content: '',
      },

      {
        what: 'numbers kept as text',
        text: '<|tool_call_start|>[read_file(path="123")]<|tool_call_end|>',
        calls: [{ name: 'read_file', arguments: { path: '123' } }],
      },
      {
        what: 'JSON inside',
        text: '<|tool_call_start|>[{"name": "read_file", "arguments": {"path": "src/a.ts"}}]<|tool_call_end|>',
        calls: ONE,
      },
      {
        what: 'single quotes, dicts and lists',
        text: "<|tool_call_start|>[search_files(query='it\\'s', globs=['a', \"b\"], limit=3)]<|tool_call_end|>",
        calls: [{ name: 'search_files', arguments: { query: "it's", globs: ['a', 'b'], limit: 3 } }],
      },
    ],
  },
  {
    dialect: 'olmo 3',
    one: `<function_calls>read_file(path="src/a.ts")</function_calls>`,
    two: `<function_calls>read_file(path="a.txt", start=5)
list_directory(path=".", recursive=True)</function_calls>`,
    quotes: `<function_calls>write_file(path="it's \\"q\\".md", content="He said \\"hi\\" & <b>it's</b>\\n\\tline 2: {\\"a\\": [1, 2]}\\n\\nend")</function_calls>`,
    unicode: `<function_calls>write_file(path="über/日本.txt", content="naïve 🎉 — ‘x’ «y» 中文")</function_calls>`,
    tail: true,
    own: [
      {
        what: 'null',
        text: '<function_calls>read_file(path="src/a.ts", start=null)</function_calls>',
        calls: ONE,
      },
      {
        what: 'a value without its name',
        text: '<function_calls>read_file("src/a.ts")</function_calls>',
        calls: ONE,
      },
      {
        what: 'two values without names',
        text: '<function_calls>write_file("a", "b")</function_calls>',
        calls: [],
        refused: 1,
      },
    ],
  },
  {
    dialect: 'pythonic list',
    one: `[read_file(path="src/a.ts")]`,
    two: `[read_file(path="a.txt", start=5), list_directory(path=".", recursive=True)]`,
    quotes: `[write_file(path="it's \\"q\\".md", content="He said \\"hi\\" & <b>it's</b>\\n\\tline 2: {\\"a\\": [1, 2]}\\n\\nend")]`,
    unicode: `[write_file(path="über/日本.txt", content="naïve 🎉 — ‘x’ «y» 中文")]`,
    tail: false,
    own: [
      {
        what: 'one bad call does not take its neighbour along',
        text: "[read_file(path=b'z'), list_directory(path='.', recursive=True)]",
        calls: [TWO[1]!],
        refused: 1,
      },
      { what: 'a number that is none', text: '[read_file(path="a", start=1e999)]', calls: [], refused: 1 },
      { what: 'an expression', text: '[read_file(path="a" + name)]', calls: [], refused: 1 },
      {
        what: 'triple quotes',
        text: '[write_file(path="a", content="""x\n"y"\n""")]',
        calls: [{ name: 'write_file', arguments: { path: 'a', content: 'x\n"y"\n' } }],
      },
      { what: 'a list that is no call', text: '[special delivery]', calls: [] },
      { what: 'a link', text: '[read_file](https://example.org/read_file(path))', calls: [] },
      { what: 'a line of a program', text: 'result = [read_file(path="x") for x in files]', calls: [] },
    ],
  },
];
