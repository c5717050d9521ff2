/** Calls as a confused, a hostile and a nearly right model would write them, from the schemas of the tools themselves. */
import fc from 'fast-check';
import type { Tool } from '../../../tools/tool.ts';

type Schema = Record<string, unknown>;

/** Commands that only look, in a workspace of throw-away files; any other command is judged, never run. */
export const HARMLESS = [
  'ls -la',
  'cat src/a.ts | head -3',
  'wc -l notes.md',
  'echo "a b" && pwd',
  'true',
  'false',
];

/** Paths that lead out, lead nowhere, are no files, or are protected. `OUT` stands for a folder beside the workspace. */
const HOSTILE_PATHS = [
  '../secret.txt',
  '../../../../../../etc/passwd',
  '/etc/passwd',
  'OUT/secret.txt',
  'OUT/new.txt',
  'link-out/secret.txt',
  'link-out/new.txt',
  'link-file',
  'dangling',
  'loop',
  'fifo',
  '.git/config',
  '.git/hooks/post-commit',
  '.GIT/config',
  'src/../../secret.txt',
  '/proc/self/environ',
  '/proc/self/cwd/../secret.txt',
  '/dev/null',
  '~/secret.txt',
  '',
  ' ',
  '.',
  '..',
  'a\u0000b',
  'x'.repeat(300),
  `${'d/'.repeat(900)}f`,
  'src/a.ts/b',
  'src\\..\\..\\secret.txt',
  '%2e%2e/secret.txt',
  '.\u200bgit/config',
  'file:///etc/passwd',
  'src/a.ts:1:1',
  '.loom/x',
  '.env',
  'COM1',
  'ünï/çödé.txt',
  'a\nb.txt',
];
const USUAL_PATHS = [
  'src/a.ts',
  'notes.md',
  'data.csv',
  'new/file.txt',
  'src',
  'image.png',
  'crlf.txt',
  'big.txt',
  'new.xlsx',
];
const HOSTILE_TEXTS = [
  '../../secret',
  '__proto__',
  'constructor',
  '#{7*7}',
  '$(touch OUT/pwned)',
  '`id`',
  "'; DROP TABLE x; --",
  '<script>',
  '(a+)+$',
  '[',
  '*',
  '{,',
  '\\',
  '\ud800',
  '\u0000',
  'null',
  'NaN',
  '-1',
  '1e309',
  '9**9**9',
  '--pre=sh',
  '-e',
  'é'.repeat(400),
  'http://169.254.169.254/latest',
  'file:///etc/passwd',
  'http://[::1]:9/',
  'af_0123456789abcdef',
  'af_../../etc',
];
const HOSTILE_VALUES: unknown[] = [
  null,
  true,
  false,
  0,
  -1,
  0.5,
  1e308,
  -1e308,
  Number.MAX_SAFE_INTEGER + 2,
  '',
  [],
  {},
  [[]],
  [null],
  [{}],
  { path: 'a' },
  JSON.parse('{"__proto__":{"polluted":1}}'),
  '{"path":"a"}',
  '[1,2',
  'x'.repeat(20_000),
  Array.from({ length: 2_000 }, (_, i) => i),
];

const URLS = [
  'http://a.example/',
  'http://a.example/data.json',
  'http://a.example/away',
  'http://127.0.0.1:9/',
  'http://[::ffff:10.0.0.1]/',
  'http://169.254.169.254/latest',
  'http://0177.0.0.1/',
  'http://user:pw@a.example/',
  'file:///etc/passwd',
  'javascript:alert(1)',
  'http://',
  'a.example',
];

const isPath = (name: string): boolean => /(path|file|folder|dir|directory|source|destination)$/i.test(name);

/** Something a schema accepts, mostly. */
function fitting(name: string, schema: Schema): fc.Arbitrary<unknown> {
  if (Array.isArray(schema['enum'])) return fc.constantFrom(...(schema['enum'] as unknown[]));
  const type = [schema['type'] ?? 'string'].flat()[0] as string;
  const at = (key: string, other: number): number => (schema[key] as number | undefined) ?? other;
  switch (type) {
    case 'integer':
      return fc.integer({ min: at('minimum', -10), max: Math.min(at('maximum', 50), at('minimum', 0) + 50) });
    case 'number':
      return fc.double({ min: at('minimum', -10), max: Math.min(at('maximum', 50), 1e6), noNaN: true });
    case 'boolean':
      return fc.boolean();
    case 'array':
      return fc.array(fitting(name, (schema['items'] ?? {}) as Schema), {
        minLength: at('minItems', 0),
        maxLength: 4,
      });
    case 'object':
      return schema['properties']
        ? argumentsOf(schema)
        : fc.dictionary(
            fc.constantFrom('path', 'a', 'content'),
            fc.constantFrom<unknown>('src/a.ts', 1, true),
            { maxKeys: 3, noNullPrototype: true },
          );
    default:
      return isPath(name)
        ? fc.oneof(
            { weight: 3, arbitrary: fc.constantFrom(...USUAL_PATHS) },
            fc.constantFrom(...HOSTILE_PATHS),
          )
        : name === 'url'
          ? fc.constantFrom(...URLS)
          : name === 'command'
            ? fc.constantFrom(...HARMLESS)
            : fc.oneof(
                fc.constantFrom('line 1', 'a', 'needle', '**/*.ts', '1 + 1'),
                fc.string({ maxLength: 30 }),
                fc.constantFrom(...HOSTILE_TEXTS),
              );
  }
}

function argumentsOf({ properties = {}, required = [] }: Schema): fc.Arbitrary<Record<string, unknown>> {
  const model = Object.fromEntries(
    Object.entries(properties as Record<string, Schema>).map(([name, schema]) => [
      name,
      fitting(name, schema),
    ]),
  );
  return fc.record(model, { requiredKeys: required as string[], noNullPrototype: true }) as fc.Arbitrary<
    Record<string, unknown>
  >;
}

type Change = (args: Record<string, unknown>, pick: number, value: unknown) => unknown;

const nameAt = (args: object, pick: number): string =>
  Object.keys(args)[pick % Math.max(1, Object.keys(args).length)] ?? 'path';

const CHANGES: Change[] = [
  // Most tools must be reached at all.
  args => args,
  args => args,
  args => args,
  args => args,
  (args, pick, value) => ({ ...args, [nameAt(args, pick)]: value }),
  (args, pick) => Object.fromEntries(Object.entries(args).filter(([name]) => name !== nameAt(args, pick))),
  (args, pick, value) => ({
    ...args,
    [['_approval_mode', 'constructor', 'pth', 'file_path', 'extra', 'x y'][pick % 6]!]: value,
  }),
  (args, pick) => ({ ...args, [nameAt(args, pick)]: HOSTILE_PATHS[pick % HOSTILE_PATHS.length] }),
  (args, pick) => ({ ...args, [nameAt(args, pick)]: HOSTILE_TEXTS[pick % HOSTILE_TEXTS.length] }),
  args => Object.fromEntries(Object.entries(args).map(([name, value]) => [name, String(value)])),
  args => JSON.stringify(args),
  (_, __, value) => value,
  (args, pick) =>
    Object.fromEntries(
      Object.entries(args).map(([name, value]) => [
        pick % 2 ? name.toUpperCase() : name.replaceAll('_', ''),
        value,
      ]),
    ),
];

export interface FuzzedCall {
  name: string;
  args: unknown;
}

/** Random and mutated calls over all tools, a part of them by way of `run_tool` or under another name. */
export function fuzzedCalls(tools: Tool[]): fc.Arbitrary<FuzzedCall> {
  const direct = fc
    .constantFrom(...tools)
    .chain(tool =>
      fc
        .tuple(
          argumentsOf(tool.parameters),
          fc.constantFrom(...CHANGES),
          fc.nat(1_000),
          fc.constantFrom(...HOSTILE_VALUES),
        )
        .map(
          ([args, change, pick, value]): FuzzedCall => ({ name: tool.name, args: change(args, pick, value) }),
        ),
    );
  const odd = fc.constantFrom(
    '',
    'readFile',
    'rm',
    '__proto__',
    'run_tool',
    'toString',
    'mcp.x.y',
    'x'.repeat(500),
  );
  return fc.oneof(
    { weight: 12, arbitrary: direct },
    {
      weight: 3,
      arbitrary: direct.map(({ name, args }) => ({ name: 'run_tool', args: { name, arguments: args } })),
    },
    { weight: 1, arbitrary: fc.tuple(odd, direct).map(([name, { args }]) => ({ name, args })) },
  );
}
