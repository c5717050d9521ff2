import { expect, test } from 'vitest';
import { safePattern } from '../../tools/safe-pattern.ts';

const find = async (source: string, text: string, flags = '') =>
  (await safePattern(source, flags))!.find(text);

test.each([
  ['b+', 'abbc', '', 'bb'],
  ['^todo', 'x\nTODO: y', 'im', 'TODO'],
  ['a.b', 'a\nb', 's', 'a\nb'],
  ['(?<year>\\d{4})-\\k<year>', '2025-2025', '', '2025-2025'],
  ['foo(?!bar)', 'foobar foobaz', '', 'foo'],
  ['(?<=\\$)\\d+', 'cost $42', '', '42'],
  ['\\u0041\\x42', 'xAB', '', 'AB'],
  ['\\p{L}+', '12äö', 'u', 'äö'],
])('%s finds in %j with %j: %j', async (source, text, flags, match) => {
  expect(await find(source, text, flags)).toEqual({ match });
  expect(await find(source, '', flags)).toBeNull();
});

test('what is no expression is none; flags that would change the next search are passed over', async () => {
  expect(await safePattern('(')).toBeNull();
  const global = (await safePattern('a', 'gy'))!;
  expect([global.find('ba'), global.find('ba')]).toEqual([{ match: 'a' }, { match: 'a' }]);
});

test('nothing hangs: in linear time, or given up in time', async () => {
  const text = `${'a'.repeat(50_000)}!`;
  const start = performance.now();
  expect(await find('(a+)+$', text)).toBeNull();
  expect(await find('(?=a)(a+)+$', text)).toBe('too_slow');
  expect(performance.now() - start).toBeLessThan(5_000);
});
