/** harmony: the answers and what must be read from them. */
import { ONE, type Table } from './table.ts';

export const harmony: Table[] = [
  {
    dialect: 'harmony',
    one: `<|channel|>commentary to=functions.read_file <|constrain|>json<|message|>{"path": "src/a.ts"}<|call|>`,
    two: `<|channel|>commentary to=functions.read_file <|constrain|>json<|message|>{"path": "a.txt", "start": 5}<|call|><|start|>assistant<|channel|>commentary to=functions.list_directory <|constrain|>json<|message|>{"path": ".", "recursive": true}<|call|>`,
    quotes: `<|channel|>commentary to=functions.write_file <|constrain|>json<|message|>{"path": "it's \\"q\\".md", "content": "He said \\"hi\\" & <b>it's</b>\\n\\tline 2: {\\"a\\": [1, 2]}\\n\\nend"}<|call|>`,
    unicode: `<|channel|>commentary to=functions.write_file <|constrain|>json<|message|>{"path": "über/日本.txt", "content": "naïve 🎉 — ‘x’ «y» 中文"}<|call|>`,
    tail: false,
    own: [
      {
        what: 'analysis, then a call',
        text: '<|channel|>analysis<|message|>Read it: functions.read_file.<|end|><|start|>assistant<|channel|>commentary to=functions.read_file <|constrain|>json<|message|>{"path":"src/a.ts"}<|call|>',
        calls: ONE,
        thinking: 'Read it: functions.read_file.',
        content: '',
      },
      {
        what: 'the recipient before the channel',
        text: '<|start|>assistant to=functions.read_file<|channel|>commentary json<|message|>{"path":"src/a.ts"}<|call|>',
        calls: ONE,
        content: '',
      },
      {
        what: 'no end',
        text: '<|channel|>commentary to=functions.read_file <|constrain|>json<|message|>{"path":"src/a.ts"}',
        calls: ONE,
      },
      {
        what: 'a preamble for the user',
        text: '<|channel|>commentary<|message|>I look at it.<|end|><|start|>assistant<|channel|>commentary to=functions.read_file<|message|>{"path":"src/a.ts"}<|call|>',
        calls: ONE,
        content: 'I look at it.',
      },
      {
        what: 'a final answer',
        text: '<|channel|>analysis<|message|>2 + 2<|end|><|start|>assistant<|channel|>final<|message|>It is 4.<|return|>',
        calls: [],
        thinking: '2 + 2',
        content: 'It is 4.',
      },
      {
        what: 'a call in the analysis',
        text: '<|channel|>analysis<|message|>I could write {"name": "read_file", "arguments": {"path": "x"}}.<|end|><|start|>assistant<|channel|>final<|message|>No.<|return|>',
        calls: [],
        content: 'No.',
      },
      {
        what: 'analysis that never ends',
        text: '<|channel|>analysis<|message|>I think',
        calls: [],
        thinking: 'I think',
        content: '',
      },
      {
        what: 'a trailing comma',
        text: '<|channel|>commentary to=functions.read_file <|constrain|>json<|message|>{"path":"src/a.ts",}<|call|>',
        calls: ONE,
      },
    ],
  },
];
