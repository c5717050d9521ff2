/** What every tool declares: bounds for all that a model can send, defaults, short words, effects that cover every operation. */
import { describe, expect, it } from 'vitest';
import { createRegistry } from '../../tools/registry.ts';
import type { Tool } from '../../tools/tool.ts';
import { wireTool } from '../../tools/wire.ts';

type Schema = Record<string, unknown> & { type?: string | string[] };

const tools = createRegistry().list();
const each = tools.map(tool => [tool.name, tool] as const);

const typesOf = (schema: Schema): string[] => [schema.type ?? []].flat();

/** Schemas within a schema, each with its place; the schema itself first. */
function* parts(schema: Schema, at = ''): Generator<[string, Schema]> {
  yield [at, schema];
  for (const [name, one] of Object.entries((schema['properties'] ?? {}) as Record<string, Schema>))
    yield* parts(one, at ? `${at}.${name}` : name);
  if (typeof schema['items'] === 'object') yield* parts(schema['items'] as Schema, `${at}[]`);
  for (const keyword of ['anyOf', 'oneOf', 'prefixItems'])
    for (const [i, one] of ((schema[keyword] ?? []) as Schema[]).entries()) yield* parts(one, `${at}<${i}>`);
  if (typeof schema['additionalProperties'] === 'object')
    yield* parts(schema['additionalProperties'] as Schema, `${at}{}`);
}

const bounded = (schema: Schema): boolean =>
  'enum' in schema ||
  'const' in schema ||
  typesOf(schema).every(type => {
    if (type === 'string') return typeof schema['maxLength'] === 'number';
    if (type === 'array') return typeof schema['maxItems'] === 'number' && 'items' in schema;
    if (type === 'integer' || type === 'number')
      return typeof schema['minimum'] === 'number' && typeof schema['maximum'] === 'number';
    // An object of free keys says how many it takes.
    if (type === 'object')
      return schema['additionalProperties'] === false || typeof schema['maxProperties'] === 'number';
    return true;
  });

/** An optional value has its default, or says what happens without it. */
const unexplained = (schema: Schema): string[] => {
  const required = (schema['required'] ?? []) as string[];
  return Object.entries((schema['properties'] ?? {}) as Record<string, Schema>).flatMap(([name, one]) =>
    required.includes(name) ||
    'default' in one ||
    /default|without|optional/i.test(String(one['description'] ?? '')) ||
    !('enum' in one || typesOf(one).some(type => ['integer', 'number', 'boolean'].includes(type)))
      ? []
      : [name],
  );
};

const operationsOf = ({ effects }: Tool): { by: string; operations: Record<string, unknown> } | null =>
  typeof effects === 'object' && 'operations' in effects ? effects : null;

describe('tools', () => {
  it('are seen at all, each name once', () => {
    expect(tools.length).toBeGreaterThanOrEqual(11);
    expect(new Set(tools.map(tool => tool.name)).size).toBe(tools.length);
  });

  it.each(each)('%s bounds everything a model can send', (_, { parameters }) => {
    const loose = [...parts(parameters)].filter(([, schema]) => !bounded(schema)).map(([at]) => at);
    expect(loose).toEqual([]);
    expect(parameters.additionalProperties).toBe(false);
  });

  it.each(each)('%s says what an optional value is without it', (_, { parameters }) => {
    expect([...parts(parameters)].flatMap(([, schema]) => unexplained(schema))).toEqual([]);
  });

  it.each(each)('%s is described in few words', (_, { name, description, parameters }) => {
    expect(name).toMatch(/^[a-z][a-z0-9_]{2,40}$/);
    expect(description.length).toBeGreaterThan(10);
    expect(description.length).toBeLessThanOrEqual(120);
    for (const [at, schema] of parts(parameters))
      expect(String(schema['description'] ?? '').length, `${name}.${at}`).toBeLessThanOrEqual(80);
  });

  it.each(each)('%s is small on the wire, without the bounds that only validation needs', (_, tool) => {
    const wire = JSON.stringify(wireTool(tool));
    expect(wire.length).toBeLessThanOrEqual(1_024);
    expect(wire).not.toMatch(/"(maxLength|maxItems|rare)"/);
  });

  it.each(each)('%s names only parameters it has, and the effects of every operation', (_, tool) => {
    const { properties, required = [] } = tool.parameters;
    const choice = operationsOf(tool);
    const named = [...required, ...(tool.paths ?? []), tool.subject ?? [], choice?.by ?? []].flat();
    expect(named.filter(name => !(name in properties))).toEqual([]);
    if (choice) {
      expect(Object.keys(choice.operations).sort()).toEqual(
        [...(properties[choice.by]!['enum'] as string[])].sort(),
      );
      expect(required.includes(choice.by) || 'default' in properties[choice.by]!).toBe(true);
    }
    expect(tool.timeoutMs).toBeGreaterThan(0);
    expect(tool.timeoutMs).toBeLessThanOrEqual(24 * 3600 * 1000);
  });

  it.each(each)('%s lists every parameter that holds a path', (_, { paths = [], parameters }) => {
    const likely = Object.keys(parameters.properties).filter(name =>
      /(^|_)(path|paths|file|folder|directory|dir|source|destination)$/.test(name),
    );
    expect(likely.filter(name => !paths.includes(name))).toEqual([]);
  });
});
