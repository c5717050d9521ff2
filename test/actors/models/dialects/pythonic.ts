/** pythonic: the answers and what must be read from them. */
import type { Table } from './table.ts';

export const pythonic: Table[] = [
  {
    dialect: 'lfm2',
    one: `<|tool_call_start|>[read_file(path="src/a.ts")]<|tool_call_end|>`,
    two: `<|tool_call_start|>[read_file(path="a.txt", start=5), list_directory(path=".", recursive=True)]<|tool_call_end|>`,
    quotes: `<|tool_call_start|>[write_file(path="it's \\"q\\".md", content="He said \\"hi\\" & <b>it's</b>\\n\\tline 2: {\\"a\\": [1, 2]}\\n\\nend")]<|tool_call_end|>`,
    unicode: `<|tool_call_start|>[write_file(path="über/日本.txt", content="naïve 🎉 — ‘x’ «y» 中文")]<|tool_call_end|>`,
    tail: true,
    own: [],
  },
  {
    dialect: 'olmo 3',
    one: `<function_calls>read_file(path="src/a.ts")</function_calls>`,
    two: `<function_calls>read_file(path="a.txt", start=5)
list_directory(path=".", recursive=True)</function_calls>`,
    quotes: `<function_calls>write_file(path="it's \\"q\\".md", content="He said \\"hi\\" & <b>it's</b>\\n\\tline 2: {\\"a\\": [1, 2]}\\n\\nend")</function_calls>`,
    unicode: `<function_calls>write_file(path="über/日本.txt", content="naïve 🎉 — ‘x’ «y» 中文")</function_calls>`,
    tail: true,
    own: [],
  },
  {
    dialect: 'pythonic list',
    one: `[read_file(path="src/a.ts")]`,
    two: `[read_file(path="a.txt", start=5), list_directory(path=".", recursive=True)]`,
    quotes: `[write_file(path="it's \\"q\\".md", content="He said \\"hi\\" & <b>it's</b>\\n\\tline 2: {\\"a\\": [1, 2]}\\n\\nend")]`,
    unicode: `[write_file(path="über/日本.txt", content="naïve 🎉 — ‘x’ «y» 中文")]`,
    tail: false,
    own: [],
  },
];
