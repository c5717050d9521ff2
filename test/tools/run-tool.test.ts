import { describe, expect, it } from 'vitest';
import { offer, wireTools } from '../../tools/offer.ts';
import { createRegistry } from '../../tools/registry.ts';
import { success } from '../../tools/result.ts';
import type { Tool } from '../../tools/tool.ts';
import { wireTool } from '../../tools/wire.ts';
import { bench } from './support.ts';

const registry = createRegistry();

describe('run_tool', () => {
  const mended = async (args: unknown) => {
    const found = await registry.validate('run_tool', args);
    return found.ok
      ? { tool: found.tool.name, given: found.given, via: found.via, repaired: found.repaired }
      : found.failure;
  };

  it('is the inner call, mended like a direct one', async () => {
    expect(await mended({ name: 'read_file', arguments: { path: 'a', line_start: '2' } })).toEqual({
      tool: 'read_file',
      given: { path: 'a', line_start: 2 },
      via: 'run_tool',
      repaired: ['type:line_start'],
    });
    expect(await mended({ name: 'readFile', arguments: '{"path":"a"}' })).toMatchObject({
      tool: 'read_file',
      given: { path: 'a' },
    });
    // Arguments beside the name have one reading as long as there are no others.
    expect(await mended({ name: 'read_file', path: 'a' })).toMatchObject({ given: { path: 'a' } });
    expect(await mended({ name: 'list_directory' })).toMatchObject({ tool: 'list_directory', given: {} });
  });

  it('names the field that is wrong, within its own', async () => {
    expect(await mended({ name: 'read_file', arguments: { line_start: 0 } })).toMatchObject({
      code: 'invalid_arguments',
      message: expect.stringContaining('path is missing'),
      detail: { fields: ['arguments.path', 'arguments.line_start'] },
    });
    expect(await mended({ arguments: {} })).toMatchObject({ detail: { fields: ['name'] } });
    expect(await mended({ name: 'read_file', path: 'a', arguments: { path: 'b' } })).toMatchObject({
      detail: { fields: ['path'] },
    });
    expect(await mended({ name: 'read_flie', arguments: {} })).toMatchObject({
      code: 'unknown_tool',
      message: expect.stringContaining('Did you mean read_file?'),
    });
  });

  it('does not run itself, however deep', async () => {
    for (const name of ['run_tool', 'runTool', 'functions.run_tool'])
      expect(
        await mended({ name, arguments: { name: 'read_file', arguments: { path: 'a' } } }),
      ).toMatchObject({
        code: 'invalid_arguments',
        detail: { fields: ['name'] },
      });
  });

  it('is judged as what it runs, and runs that', async () => {
    const { context } = await bench({ '.env': 'KEY=1', 'a.txt': 'hello' });
    const judge = (args: Record<string, unknown>) => registry.assess('run_tool', args, context.workspace);
    for (const [name, args] of [
      ['read_file', { path: '.env' }],
      ['write_file', { path: 'b', content: '' }],
      ['shell_execute', { command: 'rm -rf src' }],
      ['shell_execute', { command: 'ls' }],
    ] as const)
      expect(await judge({ name, arguments: args })).toEqual(
        await registry.assess(name, args, context.workspace),
      );
    const run = (args: unknown) => registry.run('run_tool', args, context);
    expect(await run({ name: 'read_file', arguments: { path: 'a.txt' } })).toMatchObject({ output: 'hello' });
    expect(await run({ name: 'read_file', arguments: { path: '../x' } })).toMatchObject({
      error: { code: 'path_outside' },
    });
    expect(await run({ name: 'list_tools', arguments: { query: 'ripgrep' } })).toMatchObject({
      success: true,
    });
  });
});

describe('list_tools', () => {
  const list = async (args: Record<string, unknown>) => {
    const { context } = await bench();
    return registry.run('list_tools', args, context);
  };

  it('finds by words and category, with parameters, page by page', async () => {
    expect((await list({ query: 'rename' })).output).toMatch(/^edit_file\(path\*,|move_file\(/m);
    expect((await list({ category: 'shell' })).output.split('\n')).toHaveLength(2);
    const first = await list({ limit: 3 });
    expect(first.output.split('\n')[3]).toMatch(/^\[\d+ more: offset=3\]$/);
    const rest = await list({ limit: 50, offset: 3 });
    const names = (text: string) => text.split('\n').flatMap(line => /^([a-z_]+)\(/.exec(line)?.[1] ?? []);
    expect([...names(first.output), ...names(rest.output)]).toEqual(
      registry.list().flatMap(tool => (tool.name === 'run_tool' ? [] : tool.name)),
    );
    expect((await list({ query: 'nothing like this' })).output).toContain('No tool matches');
    expect(await list({ mutating_only: true, query: 'ripgrep' })).toMatchObject({ data: { count: 0 } });
  });

  it('keeps to its room, but for one that is larger', async () => {
    const some = await list({ detail: 'schema', query: 'file', max_payload_bytes: 1_024 });
    expect(some.output.length).toBeLessThanOrEqual(1_100);
    expect(some.output).toMatch(/more: offset=\d\]$/);
  });

  it('gives schemas only for a choice, within its room', async () => {
    expect(await list({ detail: 'schema' })).toMatchObject({
      error: { code: 'filter_needed', detail: { fields: ['query', 'category'] } },
    });
    const some = await list({ detail: 'schema', category: 'files', max_payload_bytes: 1_024, limit: 1 });
    const schemas = some.output.split('\n').filter(line => line.startsWith('{'));
    expect(schemas.map(line => JSON.parse(line))).toEqual([wireTool(registry.get('read_file')!)]);
    expect(some.output).toMatch(/more: offset=1\]$/);
  });
});

describe('the tools that a request carries', () => {
  const made = (name: string, keywords: string[] = []): Tool => ({
    name,
    description: 'x'.repeat(90),
    category: 'data',
    keywords,
    parameters: {
      type: 'object',
      properties: { value: { type: 'string', maxLength: 10, description: 'y'.repeat(60) } },
      additionalProperties: false,
    },
    effects: 'read',
    timeoutMs: 1_000,
    run: async () => success(''),
  });
  const many = createRegistry([
    ...registry.list(),
    made('sheet_maker', ['xyz', 'totals', 'csv']),
    made('page_getter', ['gopher', 'burrow']),
    ...Array.from({ length: 30 }, (_, i) => made(`special_${i}`)),
  ]).list();
  const choose = (text: string, room = 1e9) => offer(many, { role: 'executor', text, room });
  const bytes = (names: string[]) => JSON.stringify(wireTools(many, names)).length;

  it('stay few, however many there are; what the work names comes first', () => {
    const plain = choose('Fix the failing test');
    expect(bytes(plain)).toBeLessThanOrEqual(5_000);
    expect(plain.length).toBeLessThanOrEqual(16);
    expect(plain).toEqual(
      expect.arrayContaining(['read_file', 'edit_file', 'shell_execute', 'list_tools', 'run_tool']),
    );
    expect(plain).not.toContain('sheet_maker');
    expect(choose('Write the totals as costs.xyz')).toContain('sheet_maker');
    expect(choose('Summarise gopher://example.org/a')).toContain('page_getter');
    expect(choose('Fix the failing test')).toEqual(plain);
  });

  it('shrink with the window to what no work can do without', () => {
    const small = choose('Summarise gopher://example.org/a', 2_600);
    expect(small.length).toBeLessThan(choose('Summarise gopher://example.org/a').length);
    expect(bytes(choose('', 0))).toBeLessThanOrEqual(3_400);
    expect(choose('', 0)).toEqual([
      'read_file',
      'write_file',
      'edit_file',
      'shell_execute',
      'list_tools',
      'run_tool',
    ]);
  });

  it('are all of them where all fit, and then nothing has to be found', () => {
    const few = createRegistry([made('a_tool'), made('b_tool')]).list();
    expect(offer(few, { role: 'executor', text: '', room: 1e9 })).toEqual(['a_tool', 'b_tool']);
  });

  it('tell in run_tool what else there is', () => {
    const door = wireTools(many, choose('')).find(tool => tool.name === 'run_tool')!;
    expect(door.description).toContain('sheet_maker');
    expect(door.description).not.toContain('read_file');
    expect(door.description.length).toBeLessThanOrEqual(500);
  });
});
