/** What answers claim and what criteria ask for, read from words. */
import { describe, expect, it } from 'vitest';
import { readClaim } from '../../../actors/effects/claim.ts';
import { claimedPaths, criteriaPaths, pathsIn } from '../../../actors/effects/claimed-paths.ts';

describe('paths in prose', () => {
  it.each([
    ['I wrote src/a.ts and docs/read-me.md.', ['src/a.ts', 'docs/read-me.md']],
    ['See `./lib/x.test.js`, please.', ['lib/x.test.js']],
    ['Version 1.2.3 of Node.js, e.g. from https://example.org/a.html', []],
    ['config.yaml: done', ['config.yaml']],
    ['call foo.bar() then stop', []],
    ['../outside.txt', []],
  ])('%s', (text, paths) => expect(pathsIn(text)).toEqual(paths));
});

describe('a claim of having written', () => {
  it.each([
    ['I created report.md with the findings.', '', ['report.md'], true],
    ['I read report.md and it is fine.', '', [], false],
    ['I could not update report.md.', '', [], false],
    ['report.md was not changed.', '', [], false],
    ['I removed old.txt.', '', [], false],
    ['All good.', 'a.txt', ['a.txt'], true],
    ['Fixed the bug. The cause was in src/a.ts.', '', [], false],
    ['```js\n// wrote fake.js\n```\nNothing to do.', '', [], false],
  ])('%s', (answer, listed, touched, claims) => {
    expect(claimedPaths(answer, listed ? [listed] : [])).toEqual({ touched, claimsWriting: claims });
  });
});

describe('criteria', () => {
  it('name files that must be there and files that must be gone', () => {
    expect(
      criteriaPaths('report.md exists and lists all risks; old.txt is removed. src/a.ts compiles'),
    ).toEqual({
      wanted: ['report.md', 'src/a.ts'],
      unwanted: ['old.txt'],
    });
  });
});

describe('the status of an answer', () => {
  it.each([
    ['Done.', 'success'],
    ['Done. {"status":"success","summary":"x"}', 'success'],
    ['{"status":"blocked","reason":"no access"}', 'blocked'],
    ['```json\n{"status": "partial", "summary": "half"}\n```', 'partial'],
    ['I looked at {"status":"failed"} in the log. {"status":"success","summary":"ok"}', 'success'],
    ['{"status":"cannot continue"}', 'failed'],
    ["{'status': 'blocked', 'reason': 'no key',}", 'blocked'],
    ['The config {"mode": "a"} is right.', 'success'],
  ])('%s', (answer, status) => expect(readClaim(answer).status).toBe(status));

  it('keeps the reason and the deliverables', () => {
    const claim = readClaim(
      '{"status":"failed","reason":"the file is locked","deliverables_touched":["a.txt",3]}',
    );
    expect(claim).toMatchObject({ reason: 'the file is locked', deliverables: ['a.txt'] });
  });
});
