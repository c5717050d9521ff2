/** cohere: the answers and what must be read from them. */
import { ONE, type Table } from './table.ts';

export const cohere: Table[] = [
  {
    dialect: 'cohere',
    one: `<|START_ACTION|>[{"tool_call_id": "0", "tool_name": "read_file", "parameters": {"path": "src/a.ts"}}]<|END_ACTION|>`,
    two: `<|START_ACTION|>[{"tool_call_id": "0", "tool_name": "read_file", "parameters": {"path": "a.txt", "start": 5}}, {"tool_call_id": "1", "tool_name": "list_directory", "parameters": {"path": ".", "recursive": true}}]<|END_ACTION|>`,
    quotes: `<|START_ACTION|>[{"tool_call_id": "0", "tool_name": "write_file", "parameters": {"path": "it's \\"q\\".md", "content": "He said \\"hi\\" & <b>it's</b>\\n\\tline 2: {\\"a\\": [1, 2]}\\n\\nend"}}]<|END_ACTION|>`,
    unicode: `<|START_ACTION|>[{"tool_call_id": "0", "tool_name": "write_file", "parameters": {"path": "über/日本.txt", "content": "naïve 🎉 — ‘x’ «y» 中文"}}]<|END_ACTION|>`,
    tail: true,
    own: [
      {
        what: 'thinking and action',
        text: '<|START_THINKING|>I will read it.<|END_THINKING|><|START_ACTION|>[\n    {"tool_call_id": "0", "tool_name": "read_file", "parameters": {"path": "src/a.ts"}}\n]<|END_ACTION|>',
        calls: ONE,
        thinking: 'I will read it.',
        content: '',
      },
      {
        what: 'a response',
        text: '<|START_RESPONSE|>It is done.<|END_RESPONSE|>',
        calls: [],
        content: 'It is done.',
      },
      {
        what: 'an action in thinking',
        text: '<|START_THINKING|>Perhaps <|START_ACTION|>[{"tool_name": "read_file", "parameters": {"path": "x"}}]<|END_ACTION|><|END_THINKING|><|START_TEXT|>No.<|END_TEXT|><|END_OF_TURN_TOKEN|>',
        calls: [],
        content: 'No.',
      },
    ],
  },
];
