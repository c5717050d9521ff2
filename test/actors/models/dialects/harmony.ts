/** harmony: the answers and what must be read from them. */
import type { Table } from './table.ts';

export const harmony: Table[] = [
  {
    dialect: 'harmony',
    one: `<|channel|>commentary to=functions.read_file <|constrain|>json<|message|>{"path": "src/a.ts"}<|call|>`,
    two: `<|channel|>commentary to=functions.read_file <|constrain|>json<|message|>{"path": "a.txt", "start": 5}<|call|><|start|>assistant<|channel|>commentary to=functions.list_directory <|constrain|>json<|message|>{"path": ".", "recursive": true}<|call|>`,
    quotes: `<|channel|>commentary to=functions.write_file <|constrain|>json<|message|>{"path": "it's \\"q\\".md", "content": "He said \\"hi\\" & <b>it's</b>\\n\\tline 2: {\\"a\\": [1, 2]}\\n\\nend"}<|call|>`,
    unicode: `<|channel|>commentary to=functions.write_file <|constrain|>json<|message|>{"path": "über/日本.txt", "content": "naïve 🎉 — ‘x’ «y» 中文"}<|call|>`,
    tail: false,
    own: [],
  },
];
