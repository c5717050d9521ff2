/** deepseek: the answers and what must be read from them. */
import { ONE, type Table } from './table.ts';

export const deepseek: Table[] = [
  {
    dialect: 'deepseek v3',
    one: `<｜tool▁calls▁begin｜><｜tool▁call▁begin｜>function<｜tool▁sep｜>read_file
\`\`\`json
{"path": "src/a.ts"}
\`\`\`<｜tool▁call▁end｜><｜tool▁calls▁end｜>`,
    two: `<｜tool▁calls▁begin｜><｜tool▁call▁begin｜>function<｜tool▁sep｜>read_file
\`\`\`json
{"path": "a.txt", "start": 5}
\`\`\`<｜tool▁call▁end｜>
<｜tool▁call▁begin｜>function<｜tool▁sep｜>list_directory
\`\`\`json
{"path": ".", "recursive": true}
\`\`\`<｜tool▁call▁end｜><｜tool▁calls▁end｜>`,
    quotes: `<｜tool▁calls▁begin｜><｜tool▁call▁begin｜>function<｜tool▁sep｜>write_file
\`\`\`json
{"path": "it's \\"q\\".md", "content": "He said \\"hi\\" & <b>it's</b>\\n\\tline 2: {\\"a\\": [1, 2]}\\n\\nend"}
\`\`\`<｜tool▁call▁end｜><｜tool▁calls▁end｜>`,
    unicode: `<｜tool▁calls▁begin｜><｜tool▁call▁begin｜>function<｜tool▁sep｜>write_file
\`\`\`json
{"path": "über/日本.txt", "content": "naïve 🎉 — ‘x’ «y» 中文"}
\`\`\`<｜tool▁call▁end｜><｜tool▁calls▁end｜>`,
    tail: true,
    own: [
      {
        what: 'plain bars',
        text: '<|tool▁calls▁begin|><|tool▁call▁begin|>function<|tool▁sep|>read_file\n```json\n{"path": "src/a.ts"}\n```<|tool▁call▁end|><|tool▁calls▁end|><|end▁of▁sentence|>',
        calls: ONE,
        content: '',
      },
      {
        what: 'a block in a value',
        text: '<｜tool▁calls▁begin｜><｜tool▁call▁begin｜>function<｜tool▁sep｜>write_file\n```json\n{"path": "a.md", "content": "```js\\nx\\n```"}\n```<｜tool▁call▁end｜><｜tool▁calls▁end｜>',
        calls: [{ name: 'write_file', arguments: { path: 'a.md', content: '```js\nx\n```' } }],
      },
      {
        what: 'a trailing comma',
        text: '<｜tool▁calls▁begin｜><｜tool▁call▁begin｜>function<｜tool▁sep｜>read_file\n```json\n{"path": "src/a.ts",}\n```<｜tool▁call▁end｜><｜tool▁calls▁end｜>',
        calls: ONE,
      },
    ],
  },
  {
    dialect: 'deepseek v3.1',
    one: `<｜tool▁calls▁begin｜><｜tool▁call▁begin｜>read_file<｜tool▁sep｜>{"path": "src/a.ts"}<｜tool▁call▁end｜><｜tool▁calls▁end｜>`,
    two: `<｜tool▁calls▁begin｜><｜tool▁call▁begin｜>read_file<｜tool▁sep｜>{"path": "a.txt", "start": 5}<｜tool▁call▁end｜><｜tool▁call▁begin｜>list_directory<｜tool▁sep｜>{"path": ".", "recursive": true}<｜tool▁call▁end｜><｜tool▁calls▁end｜>`,
    quotes: `<｜tool▁calls▁begin｜><｜tool▁call▁begin｜>write_file<｜tool▁sep｜>{"path": "it's \\"q\\".md", "content": "He said \\"hi\\" & <b>it's</b>\\n\\tline 2: {\\"a\\": [1, 2]}\\n\\nend"}<｜tool▁call▁end｜><｜tool▁calls▁end｜>`,
    unicode: `<｜tool▁calls▁begin｜><｜tool▁call▁begin｜>write_file<｜tool▁sep｜>{"path": "über/日本.txt", "content": "naïve 🎉 — ‘x’ «y» 中文"}<｜tool▁call▁end｜><｜tool▁calls▁end｜>`,
    tail: true,
    own: [
      {
        what: 'no name',
        text: '<｜tool▁calls▁begin｜><｜tool▁call▁begin｜><｜tool▁sep｜>{"path": "x"}<｜tool▁call▁end｜><｜tool▁calls▁end｜>',
        calls: [],
        refused: 1,
      },
      {
        what: 'no end',
        text: '<｜tool▁calls▁begin｜><｜tool▁call▁begin｜>read_file<｜tool▁sep｜>{"path": "src/a.ts"}',
        calls: ONE,
      },
    ],
  },
  {
    dialect: 'deepseek v3.2',
    one: `<｜DSML｜function_calls>
<｜DSML｜invoke name="read_file">
<｜DSML｜parameter name="path" string="true">src/a.ts</｜DSML｜parameter>
</｜DSML｜invoke>
</｜DSML｜function_calls>`,
    two: `<｜DSML｜function_calls>
<｜DSML｜invoke name="read_file">
<｜DSML｜parameter name="path" string="true">a.txt</｜DSML｜parameter>
<｜DSML｜parameter name="start" string="false">5</｜DSML｜parameter>
</｜DSML｜invoke>
<｜DSML｜invoke name="list_directory">
<｜DSML｜parameter name="path" string="true">.</｜DSML｜parameter>
<｜DSML｜parameter name="recursive" string="false">true</｜DSML｜parameter>
</｜DSML｜invoke>
</｜DSML｜function_calls>`,
    quotes: `<｜DSML｜function_calls>
<｜DSML｜invoke name="write_file">
<｜DSML｜parameter name="path" string="true">it's "q".md</｜DSML｜parameter>
<｜DSML｜parameter name="content" string="true">He said "hi" & <b>it's</b>
	line 2: {"a": [1, 2]}

end</｜DSML｜parameter>
</｜DSML｜invoke>
</｜DSML｜function_calls>`,
    unicode: `<｜DSML｜function_calls>
<｜DSML｜invoke name="write_file">
<｜DSML｜parameter name="path" string="true">über/日本.txt</｜DSML｜parameter>
<｜DSML｜parameter name="content" string="true">naïve 🎉 — ‘x’ «y» 中文</｜DSML｜parameter>
</｜DSML｜invoke>
</｜DSML｜function_calls>`,
    tail: true,
    own: [
      {
        what: 'plain bars',
        text: '<|DSML|function_calls><|DSML|invoke name="read_file"><|DSML|parameter name="path" string="true">src/a.ts</|DSML|parameter></|DSML|invoke></|DSML|function_calls>',
        calls: ONE,
      },
    ],
  },
];
