/** llama: the answers and what must be read from them. */
import type { Table } from './table.ts';

export const llama: Table[] = [
  {
    dialect: 'llama python_tag json',
    one: `<|python_tag|>{"name": "read_file", "parameters": {"path": "src/a.ts"}}`,
    two: `<|python_tag|>{"name": "read_file", "parameters": {"path": "a.txt", "start": 5}}; {"name": "list_directory", "parameters": {"path": ".", "recursive": true}}`,
    quotes: `<|python_tag|>{"name": "write_file", "parameters": {"path": "it's \\"q\\".md", "content": "He said \\"hi\\" & <b>it's</b>\\n\\tline 2: {\\"a\\": [1, 2]}\\n\\nend"}}`,
    unicode: `<|python_tag|>{"name": "write_file", "parameters": {"path": "über/日本.txt", "content": "naïve 🎉 — ‘x’ «y» 中文"}}`,
    tail: true,
    own: [],
  },
  {
    dialect: 'llama python_tag python',
    one: `<|python_tag|>[read_file(path="src/a.ts")]`,
    two: `<|python_tag|>[read_file(path="a.txt", start=5), list_directory(path=".", recursive=True)]`,
    quotes: `<|python_tag|>[write_file(path="it's \\"q\\".md", content="He said \\"hi\\" & <b>it's</b>\\n\\tline 2: {\\"a\\": [1, 2]}\\n\\nend")]`,
    unicode: `<|python_tag|>[write_file(path="über/日本.txt", content="naïve 🎉 — ‘x’ «y» 中文")]`,
    tail: true,
    own: [],
  },
  {
    dialect: 'llama custom function',
    one: `<function=read_file>{"path": "src/a.ts"}</function>`,
    two: `<function=read_file>{"path": "a.txt", "start": 5}</function><function=list_directory>{"path": ".", "recursive": true}</function>`,
    quotes: `<function=write_file>{"path": "it's \\"q\\".md", "content": "He said \\"hi\\" & <b>it's</b>\\n\\tline 2: {\\"a\\": [1, 2]}\\n\\nend"}</function>`,
    unicode: `<function=write_file>{"path": "über/日本.txt", "content": "naïve 🎉 — ‘x’ «y» 中文"}</function>`,
    tail: true,
    own: [],
  },
];
