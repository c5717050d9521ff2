/** Calls are found however a model writes them, mended where there is one reading, and refused where there is none or two. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { readAnswer } from '../../../actors/models/answer.ts';
import type { ModelResponse, ToolSchema } from '../../../actors/models/model.ts';

const tool = (name: string, properties: Record<string, object>, required: string[] = []): ToolSchema => ({
  name,
  description: name,
  parameters: { type: 'object', properties, required, additionalProperties: false },
});

const text = { type: 'string' };
const TOOLS = [
  tool('read_file', { path: text, start: { type: 'integer' } }, ['path']),
  tool('write_file', { path: text, content: text }, ['path', 'content']),
  tool('edit_file', { path: text, old_str: text, new_str: text }, ['path']),
  tool('list_directory', { path: text, recursive: { type: 'boolean' } }),
  tool('shell_execute', { command: text }, ['command']),
  tool('glob_find', { patterns: { type: 'array', items: text }, limit: { type: 'integer' } }),
  tool('search_files', { query: text, mode: { type: 'string', enum: ['literal', 'regex'] } }),
  tool('ripgrep_search', { pattern: text }),
];

const said = (content: string, rest: Partial<ModelResponse> = {}) =>
  readAnswer({ content, tool_calls: [], finish: 'stop', ...rest }, TOOLS);
const wire = (name: string, args: string, rest: Partial<ModelResponse> = {}) =>
  readAnswer(
    { content: '', tool_calls: [{ id: 'c1', name, arguments: args }], finish: 'tool_calls', ...rest },
    TOOLS,
  ).calls[0]!;

const CALL = '{"name": "read_file", "arguments": {"path": "a.txt"}}';
const READ_A = [{ name: 'read_file', arguments: { path: 'a.txt' } }];

describe('calls written as text', () => {
  test.each([
    ['bare JSON', CALL],
    ['bare JSON with parameters', '{"name": "read_file", "parameters": {"path": "a.txt"}}'],
    [
      'bare JSON in OpenAI form',
      '{"type":"function","function":{"name":"read_file","arguments":"{\\"path\\":\\"a.txt\\"}"}}',
    ],
    ['a list', `[${CALL}]`],
    ['a wrapper', `{"tool_calls": [${CALL}]}`],
    ['tool and args', '{"tool": "read_file", "args": {"path": "a.txt"}}'],
    ['the tool as key', '{"read_file": {"path": "a.txt"}}'],
    ['after prose', `I will read the file first.\n${CALL}`],
    ['after prose on one line', `Reading it now: ${CALL}`],
    ['after prose that doubts', `I don't know what is in there, so I check it: ${CALL}`],
    ['after an announcement', `I'll call the tool like this:\n${CALL}`],
    ['after something that went wrong', `I ran into an error, so let me look again:\n${CALL}`],
    ['a json block', `\`\`\`json\n${CALL}\n\`\`\``],
    ['a block without a language', `\`\`\`\n${CALL}\n\`\`\``],
    ['a block after prose', `Let me look.\n\n\`\`\`json\n${CALL}\n\`\`\``],
    ['a block with a remark behind it', `\`\`\`json\n${CALL}\n\`\`\`\nThis shows the file.`],
    ['a block without an end', `\`\`\`json\n${CALL}`],
    ['a tag', `<tool_call>\n${CALL}\n</tool_call>`],
    ['a tag on one line', `<tool_call>${CALL}</tool_call>`],
    ['a tag without an end', `<tool_call>\n${CALL}`],
    [
      'a tag with parameters',
      '<tool_call>{"name": "read_file", "parameters": {"path": "a.txt"}}</tool_call>',
    ],
    [
      'a tag with arguments encoded twice',
      '<tool_call>{"name": "read_file", "arguments": "{\\"path\\": \\"a.txt\\"}"}</tool_call>',
    ],
    ['a tag after prose', `Sure, I read it.<tool_call>${CALL}</tool_call>`],
    ['a tag in a code block', `\`\`\`xml\n<tool_call>\n${CALL}\n</tool_call>\n\`\`\``],
    ['a block in a tag', `<tool_call>\n\`\`\`json\n${CALL}\n\`\`\`\n</tool_call>`],
    ['after a think block', `<think>I need the file.</think>\n${CALL}`],
    ['Python quotes', "{'name': 'read_file', 'arguments': {'path': 'a.txt'}}"],
    ['a trailing comma', '<tool_call>{"name": "read_file", "arguments": {"path": "a.txt",},}</tool_call>'],
    ['a missing brace', '<tool_call>{"name": "read_file", "arguments": {"path": "a.txt"}</tool_call>'],
  ])('%s', (_, content) => {
    const answer = said(content);
    expect(answer.calls).toMatchObject(READ_A);
    expect(answer.source).toBe('text');
    expect(answer.content).not.toContain('read_file');
  });

  test('several tags are several calls, each with an id of its own, and the prose stays', () => {
    const answer = said(
      `Both.\n<tool_call>${CALL}</tool_call>\n<tool_call>{"name":"list_directory","arguments":{}}</tool_call>`,
    );
    expect(answer.calls.map(call => call.name)).toEqual(['read_file', 'list_directory']);
    expect(new Set(answer.calls.map(call => call.id)).size).toBe(2);
    expect(answer.content).toBe('Both.');
  });

  test('several objects are several calls, in one tag, one block or bare', () => {
    const two = `${CALL}\n{"name":"list_directory","arguments":{"path":"."}}`;
    for (const content of [two, `<tool_call>\n${two}\n</tool_call>`, `\`\`\`json\n${two}\n\`\`\``])
      expect(said(content).calls.map(call => call.name)).toEqual(['read_file', 'list_directory']);
  });

  test.each([
    ['prose', 'I have read the file and it says hello.'],
    ['JSON that is an answer', '{"status": "success", "summary": "done"}'],
    ['a tool nobody offered', '{"name": "launch_rocket", "arguments": {}}'],
    ['a name without arguments', '{"name": "read_file"}'],
    ['inside thinking', `<think>I could call <tool_call>${CALL}</tool_call></think>\nDone.`],
    ['inside thinking that never ends', `<think>maybe ${CALL}`],
    ['inside thinking whose start was in the template', `maybe <tool_call>${CALL}</tool_call></think>Done.`],
    ['an example in a block', `For example, you can call it like this:\n\`\`\`json\n${CALL}\n\`\`\``],
    ['an example in a tag', `The format is, for example: <tool_call>${CALL}</tool_call>`],
    ['an example although announced', `I'll show you an example: ${CALL}`],
    ['a call inside a longer JSON', `{"calls_made": 1, "first": ${CALL}}`],
    ['an example in prose', `You could use ${CALL}`],
    ['in inline code', `The call is \`${CALL}\` in JSON.`],
    ['in the middle of prose', `I thought about ${CALL} but the file is missing.`],
    [
      'a report of what was called',
      `I called:\n\`\`\`json\n${CALL}\n\`\`\`\nand it returned "hello", so the work is done.`,
    ],
    [
      'a block in a longer text',
      `Here is how tools work.\n\`\`\`json\n${CALL}\n\`\`\`\n${'More text about tools. '.repeat(20)}`,
    ],
    ['a JSON file that was asked for', '```json\n{"name": "my-package", "version": "1.0.0"}\n```'],
  ])('no call: %s', (_, content) => {
    expect(said(content).calls).toEqual([]);
  });

  test('a large answer full of brackets is read in a moment', () => {
    const before = Date.now();
    said(`${'Result: {"a": [1, 2, {"b": "c"}]}\n'.repeat(5_000)}\nThat is all.`);
    expect(Date.now() - before).toBeLessThan(5_000);
  });

  test('an offered tool list that is empty offers nothing; null accepts any name', () => {
    const response = { content: CALL, tool_calls: [], finish: 'stop' as const };
    expect(readAnswer(response, []).calls).toEqual([]);
    expect(readAnswer(response, null).calls).toMatchObject(READ_A);
  });

  test('a tag that cannot be read is a refused call, so that the model hears of it', () => {
    expect(said('<tool_call>{"name": "read_file", the path is a.txt}</tool_call>').calls).toMatchObject([
      { name: 'read_file', invalid: expect.any(String) },
    ]);
  });
});

describe('answers cut off at the length limit', () => {
  test.each([
    [
      'arguments on the wire',
      () => wire('write_file', '{"path": "a.txt", "content": "half of', { finish: 'length' }),
    ],
    ['no arguments yet', () => wire('write_file', '', { finish: 'length' })],
    [
      'bare JSON',
      () =>
        said('{"name": "write_file", "arguments": {"path": "a.txt", "content": "half', { finish: 'length' })
          .calls[0],
    ],
    [
      'a tag',
      () =>
        said('<tool_call>{"name": "write_file", "arguments": {"path": "a", "content": "ha', {
          finish: 'length',
        }).calls[0],
    ],
    [
      'a block',
      () =>
        said('```json\n{"name": "write_file", "arguments": {"path": "a", "content": "ha', {
          finish: 'length',
        }).calls[0],
    ],
    [
      'arguments encoded twice',
      () => wire('write_file', '"{\\"path\\": \\"a\\", \\"content\\": \\"ha', { finish: 'length' }),
    ],
  ])('%s: an unclosed call is never accepted', (_, read) => {
    expect(read()).toMatchObject({ name: 'write_file', invalid: expect.any(String) });
  });

  test('whole calls before the cut are good, the cut one is refused', () => {
    const answer = said(`<tool_call>${CALL}</tool_call>\n<tool_call>{"name": "read_file", "argu`, {
      finish: 'length',
    });
    expect(answer.calls).toMatchObject([...READ_A, { invalid: expect.stringContaining('cut off') }]);
    expect(answer.finish).toBe('length');
  });

  test('any proper beginning of a call’s arguments is refused after a cut', () => {
    const args = JSON.stringify({ path: 'src/a.ts', content: 'const x = {"y": [1, 2]};\n// "done"' });
    fc.assert(
      fc.property(fc.integer({ min: 0, max: args.length - 1 }), length => {
        expect(wire('write_file', args.slice(0, length), { finish: 'length' })).toHaveProperty('invalid');
      }),
    );
  });
});

describe('malformed arguments on the wire', () => {
  test.each([
    ['trailing comma', '{"path": "a.txt",}', 'trailing_comma'],
    ['single quotes', "{'path': 'a.txt'}", 'single_quotes'],
    ['unclosed brace', '{"path": "a.txt"', 'unclosed'],
    ['unclosed string', '{"path": "a.txt', 'unclosed_text'],
    ['fence inside', '```json\n{"path": "a.txt"}\n```', 'fence'],
    ['encoded twice', '"{\\"path\\": \\"a.txt\\"}"', 'double_encoded'],
    ['prose before', 'Here: {"path": "a.txt"}', 'surrounding_text'],
    ['one brace too many', '{"path": "a.txt"}}', 'surrounding_text'],
    ['unquoted key', '{path: "a.txt"}', 'unquoted'],
    ['a comment', '{"path": "a.txt" /* here */}', 'comments'],
  ])('%s is repaired and labelled', (_, args, label) => {
    expect(wire('read_file', args)).toMatchObject({ arguments: { path: 'a.txt' }, repaired: [label] });
  });

  test('Python literals become JSON ones', () => {
    expect(wire('list_directory', '{"path": ".", "recursive": True}')).toMatchObject({
      arguments: { path: '.', recursive: true },
      repaired: ['python_literals'],
    });
  });

  test('a real line break in a string is kept', () => {
    expect(wire('write_file', '{"path": "a", "content": "one\ntwo"}')).toMatchObject({
      arguments: { content: 'one\ntwo' },
      repaired: ['control_characters'],
    });
  });

  test('nothing at all means no arguments', () => {
    expect(wire('list_directory', '')).toMatchObject({ arguments: {}, repaired: [] });
  });

  test.each(['read a.txt', '42', '"a.txt"', '[1, 2]'])('%s has no reading as arguments', args => {
    expect(wire('read_file', args)).toMatchObject({ invalid: expect.stringContaining('not a JSON object') });
  });

  test('valid JSON passes unchanged and unlabelled, whatever it contains', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), fc.string(), (path, content) => {
        const call = wire('write_file', JSON.stringify({ path, content }));
        expect(call).toEqual({ id: 'c1', name: 'write_file', arguments: { path, content }, repaired: [] });
      }),
    );
  });
});

describe('near-miss names and types', () => {
  test.each([
    ['Read_File', 'read_file'],
    ['readFile', 'read_file'],
    ['read-file', 'read_file'],
    ['Edit', 'edit_file'],
    ['write_to_file', 'write_file'],
    ['functions.read_file', 'read_file'],
    ['shell', 'shell_execute'],
  ])('%s means %s', (written, name) => {
    const call = wire(written, '{"path": "a", "command": "ls"}');
    expect(call.name).toBe(name);
    expect(call).toMatchObject({ repaired: expect.arrayContaining([`name:${written}->${name}`]) });
  });

  test.each(['search', 'file', 'delete_file', 'remove_directory', 'bash', ''])(
    '%s has no single reading',
    written => {
      expect(wire(written, '{}')).toMatchObject({ invalid: expect.stringContaining('there is no tool') });
    },
  );

  test('two readings are named in the refusal', () => {
    const two = [...TOOLS, tool('edit_lines', { path: text })];
    const [call] = readAnswer(
      { content: '', tool_calls: [{ id: 'x', name: 'edit', arguments: '{}' }], finish: 'tool_calls' },
      two,
    ).calls;
    expect(call).toMatchObject({ invalid: expect.stringMatching(/edit_file.*edit_lines/) });
  });

  test.each([
    ['{"Path": "a"}', { path: 'a' }, 'argument:Path->path'],
    ['{"file_path": "a"}', { path: 'a' }, 'argument:file_path->path'],
    ['{"path": "a", "start": "5"}', { path: 'a', start: 5 }, 'type:start'],
    ['{"path": "a", "start": null}', { path: 'a' }, 'null:start'],
  ])('read_file %s', (args, fitted, label) => {
    expect(wire('read_file', args)).toMatchObject({ arguments: fitted, repaired: [label] });
  });

  test.each([
    ['glob_find', '{"patterns": "*.ts"}', { patterns: ['*.ts'] }, 'type:patterns'],
    ['glob_find', '{"patterns": "[\\"*.ts\\"]"}', { patterns: ['*.ts'] }, 'type:patterns'],
    ['list_directory', '{"recursive": "True"}', { recursive: true }, 'type:recursive'],
    ['search_files', '{"mode": "Regex"}', { mode: 'regex' }, 'value:mode'],
    [
      'write_file',
      '{"path": "a.json", "content": {"b": 1}}',
      { path: 'a.json', content: '{\n  "b": 1\n}' },
      'type:content',
    ],
    [
      'edit_file',
      '{"path": "a", "old_string": "x", "new_string": "y"}',
      { path: 'a', old_str: 'x', new_str: 'y' },
      'argument:old_string->old_str',
    ],
    ['shell_execute', '{"cmd": "ls"}', { command: 'ls' }, 'argument:cmd->command'],
  ])('%s %s', (name, args, fitted, label) => {
    const call = wire(name, args);
    expect(call).toMatchObject({ arguments: fitted });
    expect(call).toMatchObject({ repaired: expect.arrayContaining([label]) });
  });

  test('two keys for one parameter with different values are refused, with equal values merged', () => {
    expect(wire('read_file', '{"path": "a", "Path": "b"}')).toMatchObject({
      invalid: expect.stringContaining('path'),
    });
    expect(wire('read_file', '{"path": "a", "Path": "a"}')).toMatchObject({ arguments: { path: 'a' } });
  });

  test.each([
    ['{"path": "a", "start": "5.5"}', { path: 'a', start: '5.5' }],
    ['{"path": "a", "start": "five"}', { path: 'a', start: 'five' }],
    ['{"path": "a", "colour": "red"}', { path: 'a', colour: 'red' }],
  ])('what has no reading is left for validation to refuse: %s', (args, same) => {
    expect(wire('read_file', args)).toMatchObject({ arguments: same, repaired: [] });
  });
});

describe('thinking', () => {
  test.each([
    ['<think>why</think>answer', 'why', 'answer'],
    ['<think>\nwhy\n</think>\n\nanswer', 'why', 'answer'],
    ['why</think>answer', 'why', 'answer'],
    ['<think>why', 'why', ''],
    ['<think>one</think>\n<think>two</think>answer', 'one\n\ntwo', 'answer'],
    ['before\n<think>why</think>\nafter', 'why', 'before\nafter'],
    ['plain answer', '', 'plain answer'],
    ['Use the `<think>` tag.', '', 'Use the `<think>` tag.'],
    ['```html\n<think>x</think>\n```', '', '```html\n<think>x</think>\n```'],
  ])('%j', (content, thinking, rest) => {
    const answer = said(content);
    expect(answer.thinking).toBe(thinking);
    expect(answer.content.replace(/\n+/g, '\n')).toBe(rest);
  });

  test('reasoning of the wire comes first', () => {
    const answer = said('<think>b</think>x', { reasoning: { text: 'a', format: 'reasoning_content' } });
    expect(answer.thinking).toBe('a\n\nb');
  });
});
