/** bare-json: the answers and what must be read from them. */
import { ONE, type Table } from './table.ts';

export const bareJson: Table[] = [
  {
    dialect: 'bare json',
    one: `{"name": "read_file", "arguments": {"path": "src/a.ts"}}`,
    two: `{"name": "read_file", "arguments": {"path": "a.txt", "start": 5}}
{"name": "list_directory", "arguments": {"path": ".", "recursive": true}}`,
    quotes: `{"name": "write_file", "arguments": {"path": "it's \\"q\\".md", "content": "He said \\"hi\\" & <b>it's</b>\\n\\tline 2: {\\"a\\": [1, 2]}\\n\\nend"}}`,
    unicode: `{"name": "write_file", "arguments": {"path": "über/日本.txt", "content": "naïve 🎉 — ‘x’ «y» 中文"}}`,
    tail: false,
    own: [
      {
        what: 'the OpenAI form',
        text: '{"type":"function","function":{"name":"read_file","arguments":"{\\"path\\":\\"src/a.ts\\"}"}}',
        calls: ONE,
      },
      { what: 'the tool as key', text: '{"read_file": {"path": "src/a.ts"}}', calls: ONE },
      { what: 'tool and args', text: '{"tool": "read_file", "args": {"path": "src/a.ts"}}', calls: ONE },
      { what: 'an answer in JSON', text: '{"name": "my-package", "version": "1.0.0"}', calls: [] },
      {
        what: 'a call inside a longer value',
        text: '{"calls_made": 1, "first": {"name": "read_file", "arguments": {"path": "x"}}}',
        calls: [],
      },
      {
        what: 'a brace is missing',
        text: '{"name": "read_file", "arguments": {"path": "src/a.ts"}',
        calls: ONE,
      },
      {
        what: 'a string that breaks off',
        text: '{"name": "write_file", "arguments": {"path": "a", "content": "ha',
        calls: [],
        refused: 1,
      },
    ],
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
    own: [
      {
        what: 'no language',
        text: '```\n{"name": "read_file", "arguments": {"path": "src/a.ts"}}\n```',
        calls: ONE,
      },
      {
        what: 'no end',
        text: '```json\n{"name": "read_file", "arguments": {"path": "src/a.ts"}}',
        calls: ONE,
      },
      {
        what: 'a file that was asked for',
        text: '```json\n{"name": "read_file", "version": "1.0.0"}\n```',
        calls: [],
      },
      {
        what: 'how it is done',
        text: 'This is how you call it:\n```json\n{"name": "read_file", "arguments": {"path": "x"}}\n```',
        calls: [],
      },
    ],
  },
];
