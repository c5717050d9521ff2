/** Models that write their calls into their text, each in its own dialect, bring a run to its end like any other. */
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';
import { ending } from '../support/ending.ts';
import { type Lab, lab, ofType, servedLab } from '../support/lab.ts';
import { call, calls, done, plan, says, script } from '../support/script.ts';

const { keep } = ending();

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
    keep(here);
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

test.each(['openai', 'anthropic'] as const)(
  'a call over %s whose arguments end in the middle of a text writes nothing; the whole call does',
  async kind => {
    const here = await servedLab(
      kind,
      script(
        plan({ id: 'rain', files: ['rain.md'] }),
        calls('rain', call('write_file', '{"path": "rain.md", "content": "half of')),
        calls('rain', call('write_file', { path: 'rain.md', content: 'All of it.\n' })),
        done('rain', ['rain.md']),
      ),
    );
    keep(here);
    const { result, events } = await here.go('Write a poem');
    expect(result).toMatchObject({ status: 'completed', exit_code: 0 });
    expect(here.tree()['rain.md']).toBe('All of it.\n');
    const written = ofType(events, 'tool_call_completed').filter(({ data }) => data['tool'] === 'write_file');
    expect(written).toHaveLength(1);
    expect(JSON.stringify(here.servers[0]!.calls()[2]!.body)).toContain('end in the middle of a text');
  },
);

describe('loom tool parse', () => {
  const LOOM = fileURLToPath(new URL('../../dist/loom.js', import.meta.url));
  const parsed = (here: Lab, input: string, ...more: string[]) => {
    const args = [LOOM, '-w', here.workspace, 'tool', 'parse', ...more];
    const ended = spawnSync(process.execPath, args, {
      input,
      env: here.env,
      encoding: 'utf8',
      cwd: here.workspace,
    });
    return { code: ended.status, err: ended.stderr, value: ended.stdout ? JSON.parse(ended.stdout) : null };
  };
  const made = () => {
    const here = lab();
    keep(here);
    return here;
  };
  const ANSWER =
    '<think>Hm.</think>I look.\n<tool_call>getWeather\n<arg_key>town</arg_key>\n<arg_value>Bern</arg_value>\n<arg_key>days</arg_key>\n<arg_value>3</arg_value>\n</tool_call>';

  test('without tools any name is a call, and its values stay text', () => {
    const { code, value } = parsed(made(), ANSWER);
    expect(code).toBe(0);
    expect(value).toEqual({
      calls: [{ name: 'getWeather', arguments: { town: 'Bern', days: '3' }, repaired: [] }],
      thinking: 'Hm.',
      content: 'I look.',
    });
  });

  test.each([
    ['a list', (tool: object) => [tool]],
    ['a request', (tool: object) => ({ model: 'x', tools: [{ type: 'function', function: tool }] })],
  ])('with tools in %s names are mended and values get their types', (_, wrap) => {
    const here = made();
    const properties = { town: { type: 'string' }, days: { type: 'integer' } };
    const tool = { name: 'get_weather', parameters: { type: 'object', properties, required: ['town'] } };
    here.write('tools.json', JSON.stringify(wrap(tool)));
    const { value } = parsed(here, ANSWER, '--tools', join(here.workspace, 'tools.json'));
    expect(value.calls).toEqual([
      {
        name: 'get_weather',
        arguments: { town: 'Bern', days: 3 },
        repaired: ['name:getWeather->get_weather'],
      },
    ]);
  });

  test('an answer without calls is read, too; a file that holds no tools is a mistake', () => {
    const here = made();
    expect(parsed(here, 'Nothing to do.')).toMatchObject({
      code: 0,
      value: { calls: [], content: 'Nothing to do.' },
    });
    here.write('tools.json', '{"name": 7}');
    for (const file of ['tools.json', 'none.json']) {
      const wrong = parsed(here, ANSWER, '--tools', join(here.workspace, file));
      expect(wrong).toMatchObject({ code: 2, value: null });
      expect(wrong.err).toContain(file);
    }
  });

  test('the library reads the same', async () => {
    const here = made();
    await here.reopen();
    const tools = [
      { name: 'read_file', parameters: { type: 'object', properties: { path: { type: 'string' } } } },
    ];
    expect(here.loom.tools.parse(ANSWER, { tools }).calls).toEqual([]);
    expect(here.loom.tools.parse(ANSWER).calls).toHaveLength(1);
    expect(here.loom.tools.parse('[TOOL_CALLS]read_file[ARGS]{"path": "a"}', { tools }).calls).toEqual([
      { name: 'read_file', arguments: { path: 'a' }, repaired: [] },
    ]);
  });
});
