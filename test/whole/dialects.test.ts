/** Models that write their calls into their text, each in its own dialect, bring a run to its end like any other. */
import { afterEach, expect, test } from 'vitest';
import { type Lab, ofType, servedLab } from '../support/lab.ts';
import { done, plan, says, script } from '../support/script.ts';

const ending: Lab[] = [];
afterEach(async () => {
  for (const one of ending.splice(0)) await one.end();
});

const QWEN = `<think>I could write <tool_call>{"name": "delete_path", "arguments": {"path": "seed.txt"}}</tool_call> but should not.</think>
I write the file.

<tool_call>
<function=write_file>
<parameter=path>
rain.md
</parameter>
<parameter=content>
# Rain

"wet" & <b>cold</b>
</parameter>
</function>
</tool_call>`;

const HARMONY =
  '<|channel|>analysis<|message|>I need snow.md.<|end|><|start|>assistant<|channel|>commentary to=functions.write_file <|constrain|>json<|message|>{"path": "snow.md", "content": "# Snow\\n"}<|call|>';

const KIMI_CUT =
  '<|tool_calls_section_begin|><|tool_call_begin|>functions.write_file:0<|tool_call_argument_begin|>{"path": "rain.md", "content": "half';

const job = script(
  plan({ id: 'rain', files: ['rain.md'] }, { id: 'snow', files: ['snow.md'], needs: ['rain'] }),
  says('rain', KIMI_CUT),
  says('rain', QWEN),
  done('rain', ['rain.md']),
  says('snow', HARMONY),
  done('snow', ['snow.md']),
);

test.each(['ollama', 'openai'] as const)(
  'a run completes over %s although its model writes calls in several dialects',
  async kind => {
    const here = await servedLab(kind, job);
    ending.push(here);
    const { result, events } = await here.go('Write two poems');
    expect(result).toMatchObject({
      status: 'completed',
      exit_code: 0,
      files_changed: ['rain.md', 'snow.md'],
    });
    expect(here.tree()).toMatchObject({ 'rain.md': '# Rain\n\n"wet" & <b>cold</b>', 'snow.md': '# Snow\n' });
    // Nothing had to be mended, and the call that broke off was never run.
    expect(ofType(events, 'tool_call_repaired')).toEqual([]);
    expect(here.tree()['rain.md']).not.toContain('half');
  },
);
