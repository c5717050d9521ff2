import { describe, expect, it } from 'vitest';
import { nearest } from '../../tools/nearest.ts';
import { createRegistry } from '../../tools/registry.ts';
import { success } from '../../tools/result.ts';
import type { Tool } from '../../tools/tool.ts';
import { bench } from './support.ts';

const registry = createRegistry();

const probe = (run: Tool['run'], timeoutMs = 5000): Tool => ({
  name: 'probe',
  description: 'p',
  parameters: { type: 'object', properties: {}, additionalProperties: false },
  timeoutMs,
  category: 'tools',
  effects: 'read',
  run,
});

describe('the tools', () => {
  it('have the names that others know', () => {
    expect(registry.list().map(tool => tool.name)).toEqual(
      expect.arrayContaining([
        'read_file',
        'write_file',
        'edit_file',
        'delete_file',
        'move_file',
        'list_directory',
        'glob_find',
        'ripgrep_search',
        'shell_execute',
        'git_command',
        'ask_user',
        'read_artifact',
        'list_tools',
        'run_tool',
      ]),
    );
    expect(registry.get('read_file')?.name).toBe('read_file');
    expect(registry.get('nothing')).toBeUndefined();
  });

  it('with one name twice are refused', () => {
    expect(() => createRegistry([probe(async () => success('')), probe(async () => success(''))])).toThrow(
      /same name/,
    );
  });
});

describe('validation', () => {
  const failing: [string, string, unknown, string, RegExp][] = [
    ['a missing field', 'read_file', {}, 'invalid_arguments', /path is missing/],
    [
      'a wrong type',
      'read_file',
      { path: 'a', line_start: 'one' },
      'invalid_arguments',
      /line_start must be of type integer, not "one"/,
    ],
    [
      'a number out of range',
      'read_file',
      { path: 'a', line_start: 0 },
      'invalid_arguments',
      /line_start must be >= 1, not 0/,
    ],
    [
      'a misspelt field',
      'write_file',
      { path: 'a', contnet: 'x' },
      'invalid_arguments',
      /contnet is not a parameter of write_file; did you mean content\?/,
    ],
    [
      'an unknown field',
      'read_file',
      { path: 'a', zzz: 1 },
      'invalid_arguments',
      /zzz is not a parameter.*it has path, line_start/,
    ],
    [
      'a nested field',
      'edit_file',
      { path: 'a', edits: [{ old_str: 'x' }] },
      'invalid_arguments',
      /edits\[0\]\.new_str is missing/,
    ],
    [
      'a hidden option',
      'shell_execute',
      { command: 'ls', _approval_mode: 'auto' },
      'invalid_arguments',
      /_approval_mode is not a parameter/,
    ],
    ['no object', 'read_file', 'a.txt', 'invalid_arguments', /the arguments must be of type object/],
    ['a misspelt tool', 'readFile', {}, 'unknown_tool', /Did you mean read_file/],
    ['an unknown tool', 'teleport', {}, 'unknown_tool', /Tools: read_file, write_file/],
  ];
  it.each(failing)('names %s', async (_, name, args, code, message) => {
    const found = await registry.validate(name, args);
    expect(found.ok).toBe(false);
    if (found.ok) return;
    expect(found.failure.code).toBe(code);
    expect(found.failure.message).toMatch(message);
  });

  it('mends what has one reading, and says so', async () => {
    const mended = async (name: string, args: unknown) => {
      const found = await registry.validate(name, args);
      return found.ok ? { given: found.given, repaired: found.repaired } : found.failure;
    };
    expect(await mended('read_file', { path: 'a', line_start: '1', line_numbers: 'true' })).toEqual({
      given: { path: 'a', line_start: 1, line_numbers: true },
      repaired: ['type:line_start', 'type:line_numbers'],
    });
    expect(await mended('git_command', { args: 'status' })).toEqual({
      given: { args: ['status'] },
      repaired: ['type:args'],
    });
    expect(await mended('edit_file', { path: 'a', edits: ['{"old_str":"x","new_str":"y"}'] })).toMatchObject({
      given: { edits: [{ old_str: 'x', new_str: 'y' }] },
      repaired: ['type:edits[0]'],
    });
    expect(await mended('write_file', { file_path: 'a', text: 'x' })).toMatchObject({
      given: { path: 'a', content: 'x' },
    });
    // Two values for one parameter are two readings, in a list as well.
    expect(await mended('write_file', { path: 'a', file: 'b', content: '' })).toMatchObject({
      code: 'invalid_arguments',
      detail: { fields: ['file'] },
    });
    expect(
      await mended('edit_file', { path: 'a', edits: [{ old_str: 'x', old: 'z', new_str: 'y' }] }),
    ).toMatchObject({ code: 'invalid_arguments', detail: { fields: ['edits[0].old'] } });
  });

  it('fills in defaults for the tool, and leaves them out of what goes back to the model', async () => {
    const found = await registry.validate('ripgrep_search', { pattern: 'x' });
    expect(found).toMatchObject({ ok: true, given: { pattern: 'x' }, args: { path: '.', max_matches: 200 } });
    expect(found.ok && Object.keys(found.given)).toEqual(['pattern']);
  });

  it('takes hostile names for names', async () => {
    const hostile = JSON.parse('{"path":"a","__proto__":{"x":1},"constructor":2}') as unknown;
    const found = await registry.validate('read_file', hostile);
    expect(found).toMatchObject({ ok: false, failure: { detail: { fields: ['__proto__', 'constructor'] } } });
  });

  it('accepts empty contents', async () => {
    expect((await registry.validate('write_file', { path: 'a', content: '' })).ok).toBe(true);
  });

  it('finds near names, and none where none is near', () => {
    const names = registry.list().map(tool => tool.name);
    expect(nearest('read_flie', names)[0]).toBe('read_file');
    expect(nearest('file_write', names)[0]).toBe('write_file');
    expect(nearest('shell', names)[0]).toBe('shell_execute');
    expect(nearest('quantum', names)).toEqual([]);
  });
});

describe('a call', () => {
  it('runs, and turns refusals into results', async () => {
    const { context } = await bench({ 'a.txt': 'x' });
    expect(await registry.run('read_file', { path: 'a.txt' }, context)).toMatchObject({
      success: true,
      output: 'x',
    });
    expect(await registry.run('read_file', { path: '../x' }, context)).toMatchObject({
      success: false,
      error: { code: 'path_outside' },
    });
    expect(await registry.run('read_file', {}, context)).toMatchObject({
      success: false,
      error: { code: 'invalid_arguments' },
    });
    expect(await registry.run('nope', {}, context)).toMatchObject({
      success: false,
      error: { code: 'unknown_tool' },
    });
    expect(await registry.run('ask_user', { question: 'q?' }, context)).toMatchObject({
      success: false,
      error: { code: 'needs_person' },
    });
  });

  it('never throws, whatever the tool does', async () => {
    const { context } = await bench();
    const broken = createRegistry([probe(() => Promise.reject(new TypeError('boom')))]);
    const result = await broken.run('probe', {}, context);
    expect(result).toMatchObject({ success: false, error: { kind: 'terminal', code: 'tool_error' } });
    expect(result.output).not.toContain('at ');
    const full = createRegistry([
      probe(() => Promise.reject(Object.assign(new Error('x'), { code: 'ENOSPC' }))),
    ]);
    expect((await full.run('probe', {}, context)).error?.code).toBe('disk_full');
    const unjudged = createRegistry([
      {
        ...probe(async () => success('')),
        assess: () => {
          throw new Error('x');
        },
      },
    ]);
    expect(await unjudged.assess('probe', {}, context.workspace)).toMatchObject({
      risks: ['exec', 'destructive'],
      effect: 'unknowable',
    });
  });

  it('ends at its time limit and at an abort, even when the tool is deaf', async () => {
    const { context } = await bench();
    const deaf = createRegistry([probe(() => new Promise(() => {}), 50)]);
    const start = performance.now();
    expect((await deaf.run('probe', {}, context)).error?.code).toBe('timeout');
    const stop = new AbortController();
    stop.abort();
    expect((await deaf.run('probe', {}, { ...context, signal: stop.signal })).error?.code).toBe('aborted');
    expect(performance.now() - start).toBeLessThan(2600);
  });

  it('has its output cut to what goes to the model, the whole kept', async () => {
    const { context } = await bench();
    const long = `${'begin '.repeat(100)}${'x'.repeat(5000)}${' end'.repeat(100)}`;
    const talkative = createRegistry([probe(async () => success(long))]);
    const result = await talkative.run('probe', {}, { ...context, outputLimit: 500 });
    expect(result.output.length).toBeLessThanOrEqual(500);
    expect(result.output).toMatch(/^begin[\s\S]*characters not shown[\s\S]*end$/);
    const kept = await context.artifacts.get(result.data['artifact_ref'] as string);
    expect(kept.content.toString()).toBe(long);
  });

  it('is judged before it runs', async () => {
    const { context } = await bench();
    const judge = (name: string, args: Record<string, unknown>) =>
      registry.assess(name, args, context.workspace);
    expect(await judge('read_file', { path: './a.txt' })).toEqual({
      risks: ['read'],
      effect: 'repeatable',
      mutates: false,
      subject: 'a.txt',
    });
    expect(await judge('write_file', { path: 'src/../b.txt', content: '' })).toEqual({
      risks: ['write'],
      effect: 'checkable',
      mutates: true,
      subject: 'b.txt',
    });
    expect(await judge('move_file', { source: 'a', destination: 'b' })).toMatchObject({
      subject: 'a -> b',
      effect: 'checkable',
    });
    expect(await judge('shell_execute', { command: 'npm test' })).toMatchObject({
      risks: ['exec'],
      effect: 'unknowable',
      mutates: true,
      subject: 'npm test',
    });
    expect(await judge('shell_execute', { command: 'ls' })).toMatchObject({
      risks: ['read'],
      effect: 'repeatable',
      mutates: false,
    });
  });
});
