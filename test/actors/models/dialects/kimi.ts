/** kimi: the answers and what must be read from them. */
import { ONE, type Table } from './table.ts';

export const kimi: Table[] = [
  {
    dialect: 'kimi',
    one: `<|tool_calls_section_begin|><|tool_call_begin|>functions.read_file:0<|tool_call_argument_begin|>{"path": "src/a.ts"}<|tool_call_end|><|tool_calls_section_end|>`,
    two: `<|tool_calls_section_begin|><|tool_call_begin|>functions.read_file:0<|tool_call_argument_begin|>{"path": "a.txt", "start": 5}<|tool_call_end|><|tool_call_begin|>functions.list_directory:1<|tool_call_argument_begin|>{"path": ".", "recursive": true}<|tool_call_end|><|tool_calls_section_end|>`,
    quotes: `<|tool_calls_section_begin|><|tool_call_begin|>functions.write_file:0<|tool_call_argument_begin|>{"path": "it's \\"q\\".md", "content": "He said \\"hi\\" & <b>it's</b>\\n\\tline 2: {\\"a\\": [1, 2]}\\n\\nend"}<|tool_call_end|><|tool_calls_section_end|>`,
    unicode: `<|tool_calls_section_begin|><|tool_call_begin|>functions.write_file:0<|tool_call_argument_begin|>{"path": "über/日本.txt", "content": "naïve 🎉 — ‘x’ «y» 中文"}<|tool_call_end|><|tool_calls_section_end|>`,
    tail: true,
    own: [
      {
        what: 'spaces',
        text: '<|tool_calls_section_begin|> <|tool_call_begin|> functions.read_file:0 <|tool_call_argument_begin|> {"path": "src/a.ts"} <|tool_call_end|> <|tool_calls_section_end|>',
        calls: ONE,
        content: '',
      },
      {
        what: 'no section',
        text: '<|tool_call_begin|>read_file:12<|tool_call_argument_begin|>{"path": "src/a.ts"}<|tool_call_end|>',
        calls: ONE,
      },
      {
        what: 'thinking',
        text: '◁think▷Read it.◁/think▷<|tool_calls_section_begin|><|tool_call_begin|>functions.read_file:0<|tool_call_argument_begin|>{"path": "src/a.ts"}<|tool_call_end|><|tool_calls_section_end|>',
        calls: ONE,
        thinking: 'Read it.',
      },
      {
        what: 'not JSON',
        text: '<|tool_calls_section_begin|><|tool_call_begin|>functions.read_file:0<|tool_call_argument_begin|>src/a.ts<|tool_call_end|><|tool_calls_section_end|>',
        calls: [],
        refused: 1,
      },
    ],
  },
];
