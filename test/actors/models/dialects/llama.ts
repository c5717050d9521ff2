/** llama: the answers and what must be read from them. */
import { ONE, type Table } from './table.ts';

export const llama: Table[] = [
  {
    dialect: 'llama python_tag json',
    one: `<|python_tag|>{"name": "read_file", "parameters": {"path": "src/a.ts"}}`,
    two: `<|python_tag|>{"name": "read_file", "parameters": {"path": "a.txt", "start": 5}}; {"name": "list_directory", "parameters": {"path": ".", "recursive": true}}`,
    quotes: `<|python_tag|>{"name": "write_file", "parameters": {"path": "it's \\"q\\".md", "content": "He said \\"hi\\" & <b>it's</b>\\n\\tline 2: {\\"a\\": [1, 2]}\\n\\nend"}}`,
    unicode: `<|python_tag|>{"name": "write_file", "parameters": {"path": "über/日本.txt", "content": "naïve 🎉 — ‘x’ «y» 中文"}}`,
    tail: true,
    own: [
      {
        what: 'an end token',
        text: '<|python_tag|>{"name": "read_file", "parameters": {"path": "src/a.ts"}}<|eom_id|>',
        calls: ONE,
        content: '',
      },
      {
        what: 'bare with parameters and a remark',
        text: 'Here you are: {"name": "read_file", "parameters": {"path": "src/a.ts"}} Would you like more?',
        calls: ONE,
      },
      {
        what: 'a sentence that goes on',
        text: 'I thought about {"name": "read_file", "parameters": {"path": "x"}} but not now.',
        calls: [],
      },
    ],
  },
  {
    dialect: 'llama python_tag python',
    one: `<|python_tag|>[read_file(path="src/a.ts")]`,
    two: `<|python_tag|>[read_file(path="a.txt", start=5), list_directory(path=".", recursive=True)]`,
    quotes: `<|python_tag|>[write_file(path="it's \\"q\\".md", content="He said \\"hi\\" & <b>it's</b>\\n\\tline 2: {\\"a\\": [1, 2]}\\n\\nend")]`,
    unicode: `<|python_tag|>[write_file(path="über/日本.txt", content="naïve 🎉 — ‘x’ «y» 中文")]`,
    tail: true,
    own: [
      {
        what: 'a built-in tool',
        text: '<|python_tag|>read_file.call(path="src/a.ts")<|eom_id|>',
        calls: ONE,
      },
      {
        what: 'Llama 4',
        text: '<|python_start|>[read_file(path="src/a.ts")]<|python_end|><|eot|>',
        calls: ONE,
        content: '',
      },
      { what: 'a program', text: '<|python_tag|>import os\nprint(os.listdir("."))', calls: [] },
    ],
  },
  {
    dialect: 'llama custom function',
    one: `<function=read_file>{"path": "src/a.ts"}</function>`,
    two: `<function=read_file>{"path": "a.txt", "start": 5}</function><function=list_directory>{"path": ".", "recursive": true}</function>`,
    quotes: `<function=write_file>{"path": "it's \\"q\\".md", "content": "He said \\"hi\\" & <b>it's</b>\\n\\tline 2: {\\"a\\": [1, 2]}\\n\\nend"}</function>`,
    unicode: `<function=write_file>{"path": "über/日本.txt", "content": "naïve 🎉 — ‘x’ «y» 中文"}</function>`,
    tail: true,
    own: [
      { what: 'a trailing comma', text: '<function=read_file>{"path": "src/a.ts",}</function>', calls: ONE },
    ],
  },
];
