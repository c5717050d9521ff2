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
    ['Fixed the bug. The cause was in src/a.ts.', '', [], true],
    ['```js\n// wrote fake.js\n```\nNothing to do.', '', [], false],
    ['I have implemented the cache.', '', [], true],
    ['Done.', 'notes.txt (new)', ['notes.txt'], true],
    ['I replaced console.log with the logger of example.com.', '', [], true],
    ['I wrote /srv/project/docs/a.md and the route /api/users.json.', '', ['docs/a.md'], true],
  ])('%s', (answer, listed, touched, saysWork) => {
    const claimed = claimedPaths(answer, listed ? [listed] : [], '/srv/project');
    expect([...claimed.listed, ...claimed.prose.flatMap(sentence => sentence.paths)]).toEqual(touched);
    expect(claimed.saysWork).toBe(saysWork);
  });
});

describe('criteria', () => {
  it('name files that must be there and files that must be gone', () => {
    expect(
      criteriaPaths('report.md exists and lists all risks; old.txt is removed. src/a.ts compiles'),
    ).toEqual({
      wanted: ['report.md', 'src/a.ts'],
      unwanted: ['old.txt'],
      mentioned: [],
    });
  });

  it.each([
    'the call to open is removed from src/a.ts',
    'main.js does not import src/a.ts any more',
    'it follows the style of src/a.ts',
    'src/a.ts no longer contains foo',
  ])('do not want the file gone, nor made: %s', criteria => {
    expect(criteriaPaths(criteria).unwanted).toEqual([]);
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
