/** What the screen shows of a recorded run: lines, tree, live frame and report, at several widths, with and without colour. */
import { stripVTControlCharacters } from 'node:util';
import { Chalk } from 'chalk';
import { describe, expect, test } from 'vitest';
import type { RunResult } from '../../actors/loom.ts';
import { changed, diffLines } from '../../cli/render/diff.ts';
import { frame } from '../../cli/render/frame.ts';
import { eventLine, logLine } from '../../cli/render/lines.ts';
import { nextSteps, report } from '../../cli/render/result.ts';
import { treeRows } from '../../cli/render/tree.ts';
import { emptyView, fold, type View } from '../../cli/render/view.ts';
import { clip, oneLine, pad, safe, width } from '../../cli/render/width.ts';
import { clock, compact, duration, quoted } from '../../cli/render/words.ts';
import { recorded, result } from './recorded.ts';

const plain = new Chalk({ level: 0 });
const coloured = new Chalk({ level: 1 });
const upTo = (n: number): View => recorded.slice(0, n).reduce(fold, emptyView);
const at = (type: string, nth = 0) =>
  recorded.findIndex(
    (event, i) =>
      event.event_type === type && recorded.slice(0, i).filter(e => e.event_type === type).length === nth,
  ) + 1;

describe('plain lines', () => {
  const lines = recorded.map(event => eventLine(event, plain)).filter(line => line !== null);
  test('a change is one line with tool, file and counts', () => {
    expect(lines).toContain('[k3f9] ✓ fix-wrap  edit_file src/wrap.js +1 −1');
  });
  test('a failed call says why', () => {
    expect(lines).toContain('[k3f9] ✗ docs  read_file NOTES.md: NOTES.md does not exist');
  });
  test('a failed verification and the new attempt are told', () => {
    expect(lines).toContain(
      '[k3f9] ✗ tests  not verified: claimed_deliverable_missing: test/truncate.test.js is missing',
    );
    expect(lines).toContain('[k3f9] ↻ tests  attempt 2: test/truncate.test.js is missing');
  });
  test('repairs and undone changes are told', () => {
    expect(lines).toContain('[k3f9] ↻ check  write_file: arguments repaired (trailing comma)');
    expect(lines).toContain('[k3f9] ✓ undone: src/wrap.js, made.txt (loom redo u1 takes that back)');
  });
  test('a start other than planned is told with its reason, the planned one is not', () => {
    const chosen = (data: Record<string, unknown>) =>
      eventLine(
        { ...recorded[0]!, event_type: 'model_tier_chosen', data: { subtask_id: 'docs', ...data } },
        plain,
      );
    expect(chosen({ reason: 'planned', tier: 1, alias: 'small' })).toBeNull();
    expect(
      chosen({ reason: 'learned', tier: 2, alias: 'big', detail: 'docs/create: small did 0 of 4' }),
    ).toMatch(/◉ docs {2}starts at tier 2 \(big\), as learned: docs\/create: small did 0 of 4$/);
  });
  test('every line is one line without control characters', () => {
    for (const line of lines) expect(line).not.toMatch(/[\u0000-\u001f\u007f-\u009f]/);
  });
  test('colour changes no character', () => {
    for (const event of recorded) {
      const line = eventLine(event, coloured);
      expect(line === null ? null : stripVTControlCharacters(line)).toBe(eventLine(event, plain));
    }
    expect(recorded.some(event => eventLine(event, coloured)?.includes('\u001b[32m'))).toBe(true);
  });
  test('the log has a line for every event', () => {
    const log = recorded.map(event => logLine(event, plain));
    expect(log.every(line => /^ +\d+ {2}\d\d:\d\d:\d\d {2}\S/.test(line))).toBe(true);
    expect(log.some(line => line.includes('tool_call_started subtask_id=fix-wrap tool=read_file'))).toBe(
      true,
    );
  });
});

describe('folding', () => {
  test('an event seen twice counts once', () => {
    const view = upTo(recorded.length);
    expect(recorded.reduce(fold, view)).toEqual(view);
    expect(view.model_calls).toBe(
      recorded.filter(e => e.event_type === 'model_invocation' && e.data['phase'] === 'done').length,
    );
  });
  test('a new plan keeps what is done and drops what is gone', () => {
    const view = upTo(recorded.length);
    const next = fold(view, {
      ...recorded[0]!,
      seq: 1_000,
      event_type: 'task_plan_ready',
      data: {
        subtasks: [
          { id: 'fix-wrap', depends_on: [] },
          { id: 'fresh', depends_on: ['fix-wrap'] },
        ],
      },
    });
    expect(next.subtasks.map(({ id, mark }) => [id, mark])).toEqual([
      ['fix-wrap', 'done'],
      ['fresh', 'waiting'],
    ]);
  });
});

describe('live frame', () => {
  test('shows the plan as a tree with the step of each subtask', () => {
    const lines = frame(upTo(at('subtask_retrying')), 65_000, { columns: 100, rows: 20 }, plain);
    expect(lines).toEqual([
      'Fix the failing test',
      expect.stringMatching(/^├─ ✓ fix-wrap {2,}wrap\(\) counts the space {2}\+1 −1$/),
      expect.stringMatching(/^│ {2}└─ ○ check ← tests {2}Run everything$/),
      expect.stringMatching(/^├─ ↻ tests {2,}test\/truncate.test.js is missing {2}attempt 2$/),
      expect.stringMatching(/^└─ ◉ docs {2,}thinking$/),
      expect.stringMatching(/^executing · 1:05 · 1 of 4 done · [\d.]+k? tokens · Ctrl\+C stops, resumable$/),
    ]);
  });
  test.each([12, 20, 40, 80, 200])('no line reaches column %d, at any instant', columns => {
    for (let n = 0; n <= recorded.length; n++)
      for (const paint of [plain, coloured])
        for (const line of frame(upTo(n), 1_000, { columns, rows: 10 }, paint))
          expect(width(line)).toBeLessThan(columns);
  });
  test('colour moves nothing', () => {
    for (let n = 0; n <= recorded.length; n++) {
      const size = { columns: 60, rows: 10 };
      expect(frame(upTo(n), 0, size, coloured).map(stripVTControlCharacters)).toEqual(
        frame(upTo(n), 0, size, plain),
      );
    }
  });
  test('a plan of a thousand stays within the screen and shows what moves', () => {
    const subtasks = Array.from({ length: 1_000 }, (_, i) => ({
      id: `n${i}`,
      depends_on: i > 0 ? [`n${i - 1}`] : [],
    }));
    const ready = { seq: 1, event_type: 'task_plan_ready', task_id: 't', timestamp: '', data: { subtasks } };
    const started = {
      seq: 2,
      event_type: 'subtask_started',
      task_id: 't',
      timestamp: '',
      data: { subtask_id: 'n500' },
    };
    const lines = frame([ready, started].reduce(fold, emptyView), 0, { columns: 80, rows: 12 }, plain);
    expect(lines.length).toBeLessThanOrEqual(12);
    expect(lines.join('\n')).toMatch(/◉ n500[\s\S]*and 999 more/);
    expect(treeRows(subtasks)).toHaveLength(1_000);
  });
});

describe('tree', () => {
  test('a diamond hangs under the deeper side and names the other', () => {
    const rows = treeRows([
      { id: 'a', depends_on: [] },
      { id: 'b', depends_on: ['a'] },
      { id: 'c', depends_on: ['b', 'a'] },
      { id: 'd', depends_on: [] },
    ]);
    expect(rows.map(({ node, branch, also }) => [branch + node.id, also])).toEqual([
      ['├─ a', []],
      ['│  └─ b', []],
      ['│     └─ c', ['a']],
      ['└─ d', []],
    ]);
  });
  test('cycles and unknown dependencies lose no node', () => {
    const rows = treeRows([
      { id: 'a', depends_on: ['b'] },
      { id: 'b', depends_on: ['a'] },
      { id: 'c', depends_on: ['zz'] },
    ]);
    expect(rows.map(row => row.node.id).toSorted()).toEqual(['a', 'b', 'c']);
  });
});

describe('report', () => {
  const text = (changes: Partial<RunResult>, columns = 100) =>
    report({ ...result, ...changes }, { columns, paint: plain });
  test('tells verdicts, attempts, files, usage and what next', () => {
    const lines = text({});
    expect(lines).toContain('✓ completed  Fix the failing test');
    expect(lines).toMatch(/✓ tests {2,}pass 1\.00, same model · 2 attempts {2}Three tests/);
    expect(lines).toContain('src/wrap.js');
    expect(lines).toContain('12 model calls · 20.5k tokens in · 1.2k out · $0.0123 · 8.2 s');
    expect(lines).toContain('loom undo k3f9abcdef');
  });
  test('a decision nobody took prints the commands that take it', () => {
    const lines = text({
      exit_code: 3,
      status: 'waiting_approval',
      questions: [
        {
          id: 'q7',
          task_id: result.task_id,
          kind: 'approval',
          subtask_id: 'tests',
          prompt: 'run: rm -rf build',
          choices: ['approve', 'reject'],
          call: '',
          detail: '',
          rule: "shell_execute(rm -rf 'build')",
          risk: 'destructive',
          asked_at: '',
        },
      ],
    });
    expect(lines).toContain('stopped at a decision');
    expect(lines).toContain('loom approve q7');
    expect(lines).toContain(`loom resume k3f9abcdef --allow 'shell_execute(rm -rf '\\''build'\\'')'`);
  });
  test.each([
    [0, 'loom undo'],
    [1, 'loom logs'],
    [4, 'loom models --check'],
    [5, 'loom models --check'],
    [6, 'loom resume k3f9abcdef --max-tokens'],
    [7, 'loom show'],
    [130, 'loom resume k3f9abcdef'],
  ])('exit code %d leads to %s', (exit_code, command) => {
    expect(nextSteps({ ...result, exit_code }).join('\n')).toContain(command);
  });
  test('an error message cannot move the cursor', () => {
    expect(text({ error: { code: 'x', message: 'bad\u001b[2J\u001b]0;title\u0007 end' } })).toContain(
      'bad end',
    );
  });
});

describe('text for terminals', () => {
  test.each([
    ['abc', 3],
    ['日本', 4],
    ['e\u0301', 1],
    ['👩‍👩‍👧', 2],
    ['\u001b[31mred\u001b[39m', 3],
  ])('%j has width %d', (text, columns) => {
    expect(width(text)).toBe(columns);
  });
  test('clipping never exceeds and says so', () => {
    expect(clip('abcdef', 4)).toBe('abc…');
    expect(clip('日本語', 4)).toBe('日…');
    expect(clip('日本語', 6)).toBe('日本語');
    expect(clip('abc', 0)).toBe('');
    for (let n = 1; n < 12; n++) expect(width(clip('a日b本c語d', n))).toBeLessThanOrEqual(n);
    expect(width(pad('日', 5))).toBe(5);
  });
  test('escape sequences, bells and direction marks disappear', () => {
    expect(safe('a\u0007\u001b[31mb\u202ec\r\nd')).toBe('abc\nd');
    expect(oneLine(' a\n\tb ')).toBe('a b');
  });
  test('diffs are counted without their headers and coloured by line', () => {
    const diff = '--- a/x\n+++ b/x\n@@ -1,2 +1,2 @@\n-old\n+new\n+--- more\n same\n';
    expect(changed(diff)).toEqual({ added: 2, removed: 1 });
    expect(diffLines(diff, coloured)[3]).toBe('\u001b[31m-old\u001b[39m');
    expect(diffLines(diff, plain, 3)).toEqual(['--- a/x', '+++ b/x', '@@ -1,2 +1,2 @@', '… 4 more lines']);
  });
  test('figures are short', () => {
    expect([950, 12_345, 999_960, 1_234_567].map(compact)).toEqual(['950', '12.3k', '1.0M', '1.2M']);
    expect([7_000, 750_000, 3_723_000].map(clock)).toEqual(['0:07', '12:30', '1:02:03']);
    expect([12, 3_400, 125_000].map(duration)).toEqual(['12 ms', '3.4 s', '2:05 min']);
    expect(quoted('a b')).toBe("'a b'");
  });
});
