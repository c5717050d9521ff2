/** hermes: the answers and what must be read from them. */
import { ONE, type Table } from './table.ts';

export const hermes: Table[] = [
  {
    dialect: 'hermes',
    one: `<tool_call>
{"name": "read_file", "arguments": {"path": "src/a.ts"}}
</tool_call>`,
    two: `<tool_call>
{"name": "read_file", "arguments": {"path": "a.txt", "start": 5}}
</tool_call>
<tool_call>
{"name": "list_directory", "arguments": {"path": ".", "recursive": true}}
</tool_call>`,
    quotes: `<tool_call>
{"name": "write_file", "arguments": {"path": "it's \\"q\\".md", "content": "He said \\"hi\\" & <b>it's</b>\\n\\tline 2: {\\"a\\": [1, 2]}\\n\\nend"}}
</tool_call>`,
    unicode: `<tool_call>
{"name": "write_file", "arguments": {"path": "über/日本.txt", "content": "naïve 🎉 — ‘x’ «y» 中文"}}
</tool_call>`,
    tail: true,
    own: [
      {
        what: 'one brace too many',
        text: '<tool_call>\n{"name": "read_file", "arguments": {"path": "src/a.ts"}}}\n</tool_call>',
        calls: ONE,
        content: '',
      },
      {
        what: 'braces doubled',
        text: '<tool_call>\n{{"name": "read_file", "arguments": {"path": "src/a.ts"}}}\n</tool_call>',
        calls: ONE,
      },
      {
        what: 'one brace missing',
        text: '<tool_call>\n{"name": "read_file", "arguments": {"path": "src/a.ts"}\n</tool_call>',
        calls: ONE,
      },
      {
        what: 'quotes in a value not escaped',
        text: '<tool_call>\n{"name": "write_file", "arguments": {"path": "a", "content": "say "hi" twice"}}\n</tool_call>',
        calls: [{ name: 'write_file', arguments: { path: 'a', content: 'say "hi" twice' } }],
      },
      {
        what: 'a Windows path with two readings',
        text: '<tool_call>{"name": "read_file", "arguments": {"path": "C:\\Users\\new.txt"}}</tool_call>',
        calls: [],
        refused: 1,
      },
      {
        what: 'marks of the chat template around',
        text: '<|im_start|>assistant\n<tool_call>{"name": "read_file", "arguments": {"path": "src/a.ts"}}</tool_call><|im_end|>',
        calls: ONE,
        content: '',
      },

      {
        what: 'arguments encoded twice',
        text: '<tool_call>{"name": "read_file", "arguments": "{\\"path\\": \\"src/a.ts\\"}"}</tool_call>',
        calls: ONE,
      },
      {
        what: 'a trailing comma',
        text: '<tool_call>{"name": "read_file", "arguments": {"path": "src/a.ts",},}</tool_call>',
        calls: ONE,
      },
      {
        what: 'Python quotes',
        text: "<tool_call>{'name': 'read_file', 'arguments': {'path': 'src/a.ts'}}</tool_call>",
        calls: ONE,
      },
      {
        what: 'a closing tag in a value',
        text: '<tool_call>{"name": "write_file", "arguments": {"path": "t.md", "content": "write <tool_call>{}</tool_call>"}}</tool_call>',
        calls: [
          { name: 'write_file', arguments: { path: 't.md', content: 'write <tool_call>{}</tool_call>' } },
        ],
      },
      {
        what: 'no closing tag',
        text: '<tool_call>\n{"name": "read_file", "arguments": {"path": "src/a.ts"}}',
        calls: ONE,
      },
      {
        what: 'no closing tag between two',
        text: '<tool_call>\n{"name": "read_file", "arguments": {"path": "src/a.ts"}}\n<tool_call>\n{"name": "list_directory", "arguments": {}}\n</tool_call>',
        calls: [...ONE, { name: 'list_directory', arguments: {} }],
      },
      {
        what: 'a near-miss name',
        text: '<tool_call>{"name": "readFile", "arguments": {"file_path": "src/a.ts"}}</tool_call>',
        calls: ONE,
      },
      {
        what: 'not JSON',
        text: '<tool_call>{"name": "read_file", the path is src/a.ts}</tool_call>',
        calls: [],
        refused: 1,
      },
      { what: 'words in the tag', text: "<tool_call>I'm thinking about it</tool_call>", calls: [] },
      {
        what: 'thinking in a value',
        text: '<tool_call>{"name": "write_file", "arguments": {"path": "t.md", "content": "</think>\\n<think>x"}}</tool_call>',
        calls: [{ name: 'write_file', arguments: { path: 't.md', content: '</think>\n<think>x' } }],
        thinking: '',
      },
      {
        what: 'in the middle of a sentence',
        text: 'When I put <tool_call>{"name": "read_file", "arguments": {"path": "x"}}</tool_call> into a prompt, it is echoed.',
        calls: [],
      },
      {
        what: 'in quotation marks',
        text: 'The string "<tool_call>{"name": "read_file", "arguments": {"path": "x"}}</tool_call>" is parsed.',
        calls: [],
      },
    ],
  },
];
