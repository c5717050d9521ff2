/** others: the answers and what must be read from them. */
import type { Table } from './table.ts';

export const others: Table[] = [
  {
    dialect: 'internlm',
    one: `<|action_start|><|plugin|>{"name": "read_file", "parameters": {"path": "src/a.ts"}}<|action_end|>`,
    two: `<|action_start|><|plugin|>{"name": "read_file", "parameters": {"path": "a.txt", "start": 5}}<|action_end|><|action_start|><|plugin|>{"name": "list_directory", "parameters": {"path": ".", "recursive": true}}<|action_end|>`,
    quotes: `<|action_start|><|plugin|>{"name": "write_file", "parameters": {"path": "it's \\"q\\".md", "content": "He said \\"hi\\" & <b>it's</b>\\n\\tline 2: {\\"a\\": [1, 2]}\\n\\nend"}}<|action_end|>`,
    unicode: `<|action_start|><|plugin|>{"name": "write_file", "parameters": {"path": "über/日本.txt", "content": "naïve 🎉 — ‘x’ «y» 中文"}}<|action_end|>`,
    tail: true,
    own: [
      { what: 'nothing inside', text: '<|action_start|><|plugin|>', calls: [] },
      { what: 'not JSON', text: '<|action_start|><|plugin|>not json<|action_end|>', calls: [] },
    ],
  },
  {
    dialect: 'apertus',
    one: `<|tools_prefix|>[{"read_file": {"path": "src/a.ts"}}]<|tools_suffix|>`,
    two: `<|tools_prefix|>[{"read_file": {"path": "a.txt", "start": 5}}, {"list_directory": {"path": ".", "recursive": true}}]<|tools_suffix|>`,
    quotes: `<|tools_prefix|>[{"write_file": {"path": "it's \\"q\\".md", "content": "He said \\"hi\\" & <b>it's</b>\\n\\tline 2: {\\"a\\": [1, 2]}\\n\\nend"}}]<|tools_suffix|>`,
    unicode: `<|tools_prefix|>[{"write_file": {"path": "über/日本.txt", "content": "naïve 🎉 — ‘x’ «y» 中文"}}]<|tools_suffix|>`,
    tail: true,
    own: [],
  },
  {
    dialect: 'nemotron',
    one: `<TOOLCALL>[{"name": "read_file", "arguments": {"path": "src/a.ts"}}]</TOOLCALL>`,
    two: `<TOOLCALL>[{"name": "read_file", "arguments": {"path": "a.txt", "start": 5}}, {"name": "list_directory", "arguments": {"path": ".", "recursive": true}}]</TOOLCALL>`,
    quotes: `<TOOLCALL>[{"name": "write_file", "arguments": {"path": "it's \\"q\\".md", "content": "He said \\"hi\\" & <b>it's</b>\\n\\tline 2: {\\"a\\": [1, 2]}\\n\\nend"}}]</TOOLCALL>`,
    unicode: `<TOOLCALL>[{"name": "write_file", "arguments": {"path": "über/日本.txt", "content": "naïve 🎉 — ‘x’ «y» 中文"}}]</TOOLCALL>`,
    tail: true,
    own: [],
  },
];
