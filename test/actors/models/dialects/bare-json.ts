/** bare-json: the answers and what must be read from them. */
import type { Table } from './table.ts';

export const bareJson: Table[] = [
  {
    dialect: 'bare json',
    one: `{"name": "read_file", "arguments": {"path": "src/a.ts"}}`,
    two: `{"name": "read_file", "arguments": {"path": "a.txt", "start": 5}}
{"name": "list_directory", "arguments": {"path": ".", "recursive": true}}`,
    quotes: `{"name": "write_file", "arguments": {"path": "it's \\"q\\".md", "content": "He said \\"hi\\" & <b>it's</b>\\n\\tline 2: {\\"a\\": [1, 2]}\\n\\nend"}}`,
    unicode: `{"name": "write_file", "arguments": {"path": "über/日本.txt", "content": "naïve 🎉 — ‘x’ «y» 中文"}}`,
    tail: false,
    own: [],
  },
  {
    dialect: 'fenced json',
    one: `\`\`\`json
{"name": "read_file", "arguments": {"path": "src/a.ts"}}
\`\`\``,
    two: `\`\`\`json
[{"name": "read_file", "arguments": {"path": "a.txt", "start": 5}}, {"name": "list_directory", "arguments": {"path": ".", "recursive": true}}]
\`\`\``,
    quotes: `\`\`\`json
{"name": "write_file", "arguments": {"path": "it's \\"q\\".md", "content": "He said \\"hi\\" & <b>it's</b>\\n\\tline 2: {\\"a\\": [1, 2]}\\n\\nend"}}
\`\`\``,
    unicode: `\`\`\`json
{"name": "write_file", "arguments": {"path": "über/日本.txt", "content": "naïve 🎉 — ‘x’ «y» 中文"}}
\`\`\``,
    tail: true,
    own: [],
  },
];
