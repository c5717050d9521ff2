/** When two calls, or two results, are one and the same for the loop guard. */
import { describe, expect, it } from 'vitest';
import { callSignature, resultSignature } from '../../../actors/effects/signature.ts';

type Args = Record<string, unknown>;
const same = (a: Args, b: Args) => callSignature('tool', a) === callSignature('tool', b);

describe('one call', () => {
  it.each<[string, Args, Args]>([
    ['in another order', { path: 'a', pattern: 'x' }, { pattern: 'x', path: 'a' }],
    ['with other white space', { command: 'npm  test\n' }, { command: 'npm test' }],
    ['with another spelling of the path', { path: './src/' }, { path: 'src' }],
    [
      'with other limits and flags',
      { path: 'a', line_end: 40, recursive: true },
      { path: 'a', line_end: 80 },
    ],
    ['with a remark', { command: 'ls', description: 'look again' }, { command: 'ls' }],
    ['with a comment', { command: 'npm test # third try' }, { command: 'npm test' }],
    ['at another moment', { q: 'x?t=1770000000' }, { q: 'x?t=1770000123' }],
    ['with another number of its own', { q: 'a', request_id: 'r-1' }, { q: 'a', request_id: 'r-2' }],
    ['with nothing in it', { path: 'a', glob: '', extra: null }, { path: 'a' }],
  ])('stays the same %s', (_, a, b) => {
    expect(same(a, b)).toBe(true);
  });

  it.each<[string, Args, Args]>([
    ['path', { path: 'src/a' }, { path: 'src/b' }],
    ['pattern', { pattern: 'foo' }, { pattern: 'bar' }],
    ['day', { path: 'logs/2026-11-21.log' }, { path: 'logs/2026-11-22.log' }],
    ['time of day', { pattern: '12:00:01' }, { pattern: '12:00:02' }],
    ['pause', { command: 'sleep 2; look' }, { command: 'sleep 4; look' }],
    ['text with a # in it', { command: 'grep "# a" x' }, { command: 'grep "# b" x' }],
    ['order of edits', { edits: ['a', 'b'] }, { edits: ['b', 'a'] }],
  ])('is another with another %s', (_, a, b) => {
    expect(same(a, b)).toBe(false);
  });

  it('belongs to its tool', () => {
    expect(callSignature('a', { path: 'x' })).not.toBe(callSignature('b', { path: 'x' }));
  });
});

describe('one result', () => {
  it.each([
    ['1 failed, 3 passed in 0.12s', '1 failed, 3 passed in 3.40s'],
    ['✓ slug (12 ms)', '✓ slug (7 ms)'],
    ['Time:        1.2 s, estimated 2 s', 'Time:        0.9 s'],
    [' Duration  812ms (transform 20ms)', ' Duration  700ms (transform 18ms)'],
    ['compiled in 812 ms', 'compiled in 90 ms'],
    ['real\t0m1.203s', 'real\t0m0.999s'],
    ['# duration_ms 43.2', '# duration_ms 44.9'],
  ])('stays the same however long it took: %s', (a, b) => {
    expect(resultSignature(true, a)).toBe(resultSignature(true, b));
  });

  it.each([
    ['2 failed', '1 failed'],
    ['ready in 30s', 'ready in 20s'],
    ['10s elapsed', '20s elapsed'],
    ['1770000000', '1770000007'],
    ['12:00:01 building', '12:00:02 building'],
    ['found in 3 files', 'found in 5 files'],
  ])('is another when it says something else: %s', (a, b) => {
    expect(resultSignature(true, a)).not.toBe(resultSignature(true, b));
  });

  it('is another when it failed', () => {
    expect(resultSignature(true, 'x')).not.toBe(resultSignature(false, 'x'));
  });
});
