/** What a subtask's records say to others, and which of it fits into the prompt of one. */
import { describe, expect, it } from 'vitest';
import { readEntries } from '../../../actors/effects/extract.ts';
import { memoryEntry, memoryLines, recordedMemory } from '../../../actors/effects/memory.ts';
import type { ChangelogEntry, MemoryEntry, ToolTrace } from '../../../actors/effects/rows.ts';
import type { ChangeRecord } from '../../../tools/tool.ts';
import { digest, node, planOf } from '../../machines/results.ts';

const change = (operation: ChangeRecord['operation'], path: string): ChangeRecord => ({
  operation,
  path,
  before: null,
  after: null,
  mode_before: null,
  mode_after: null,
  undoable: true,
});
const changed = (changes: ChangeRecord[], more: Partial<ChangelogEntry> = {}): ChangelogEntry => ({
  id: 'c1',
  key: 'k',
  subtask: 'a',
  tool: 'write_file',
  changes,
  at: '',
  ...more,
});
const ran = (subject: string, exit_code: number): ToolTrace => ({
  tool: 'shell_execute',
  subject,
  success: exit_code === 0,
  exit_code,
  files_changed: [],
  destructive: false,
});

const plan = planOf(node('a'), node('b', ['a']), node('c', ['b']), node('d', ['a']));
const nothing = { subtask: 'a', plan, changelog: [], traces: [], decisions: [], feedback: [] };
const summaries = (entries: MemoryEntry[]) => entries.map(({ type, summary }) => `${type}: ${summary}`);

describe('what is recorded', () => {
  it('is nothing where nothing happened', () => {
    expect(recordedMemory(nothing)).toEqual([]);
  });

  it('names each file by what became of it, and not what was undone', () => {
    const entries = recordedMemory({
      ...nothing,
      changelog: [
        changed([change('create', 'new.ts'), change('modify', 'old.ts')]),
        changed([change('modify', 'new.ts')]),
        changed([change('delete', 'gone.ts'), change('rename', 'moved.ts')]),
        changed([change('create', 'undone.ts')], { undone_by: 'c9' }),
      ],
    });
    expect(summaries(entries)).toEqual([
      'artifact: created new.ts; changed old.ts; deleted gone.ts; moved moved.ts',
    ]);
    expect(entries[0]).toMatchObject({
      tags: ['new.ts', 'old.ts', 'gone.ts', 'moved.ts'],
      relevance_to: ['b', 'd'],
    });
  });

  it('has the last exit code of each command, the newest first, at most four', () => {
    const entries = recordedMemory({
      ...nothing,
      traces: [
        ran('npm test', 1),
        ran('one', 0),
        ran('two', 0),
        ran('three', 2),
        { tool: 'read_file', subject: 'x', success: true, files_changed: [], destructive: false },
        ran('npm test', 0),
        ran('four', 0),
      ],
    });
    expect(summaries(entries)).toEqual([
      'tool_result: four → exit 0',
      'tool_result: npm test → exit 0',
      'tool_result: three → exit 2',
      'tool_result: two → exit 0',
    ]);
  });

  it('puts what people decided first', () => {
    const failure = { kind: 'retryable' as const, code: 'rejected_by_person', message: 'too long' };
    const entries = recordedMemory({
      ...nothing,
      changelog: [changed([change('create', 'a.md')])],
      decisions: [{ question: 'Which colour?', answer: 'blue' }],
      feedback: [
        { attempt: 1, thread: 'a@1.1', failure_class: 'generic' as const, failure, verdict: digest('pass') },
        {
          attempt: 2,
          thread: 'a@1.2',
          failure_class: 'generic' as const,
          failure: { ...failure, code: 'loop' },
          verdict: null,
        },
      ],
    });
    expect(summaries(entries)).toEqual([
      'decision: Which colour? → blue',
      'decision: a person rejected a result: too long',
      'artifact: created a.md',
    ]);
  });

  it('keeps to its bounds', () => {
    const [entry] = recordedMemory({
      ...nothing,
      decisions: [{ question: 'q '.repeat(500), answer: 'a '.repeat(500) }],
    });
    expect(entry!.summary.length).toBeLessThanOrEqual(150);
    expect(entry!.detail.length).toBeLessThanOrEqual(200);
  });
});

describe('what a subtask is told', () => {
  const entry = (subtask: string, type: MemoryEntry['type'], summary: string, more = {}) =>
    memoryEntry(subtask, type, summary, more);

  it('is what was written for it, then what it mentions, then what holds for all; the newest first', () => {
    const rows = [
      [entry('z', 'decision', 'newest'), entry('z', 'tool_result', 'none of its business')],
      [entry('y', 'artifact', 'by name', { tags: ['lib/Parse.ts'] })],
      [entry('x', 'discovery', 'for c', { relevance_to: ['c'] }), entry('b', 'tool_result', 'dependency')],
    ];
    const lines = memoryLines(rows, node('c', ['b'], { description: 'Extend lib/parse.ts' }), []);
    expect(lines).toEqual([
      '- x (discovery): for c',
      '- b (tool_result): dependency',
      '- y (artifact): by name',
      '- z (decision): newest',
    ]);
  });

  it('leaves out the files of dependencies, which are listed beside it', () => {
    const rows = [[entry('b', 'artifact', 'created b.md'), entry('b', 'tool_result', 'ran')]];
    expect(memoryLines(rows, node('c', ['b']), ['b'])).toEqual(['- b (tool_result): ran']);
  });

  it('stays within twelve lines and 1,800 characters, however much there is', () => {
    const many = (text: string) =>
      Array.from({ length: 40 }, (_, i) => [entry(`s${i}`, 'decision', `${i} ${text}`, { detail: text })]);
    expect(memoryLines(many('short'), node('c'), [])).toHaveLength(12);
    const long = memoryLines(many('x'.repeat(300)), node('c'), []);
    expect(long.join('\n').length).toBeLessThanOrEqual(1_800);
    expect(long[0]).toContain('s0');
  });
});

describe('what an extractor says', () => {
  it('is read leniently and kept within bounds', () => {
    const text = JSON.stringify([
      { type: 'discovery', summary: 'x'.repeat(400), tags: ['a', 7], relevance_to: ['b', 'unknown'] },
      { type: 'nonsense', summary: 'kept as context' },
      { type: 'error', summary: ' ' },
    ]);
    expect(readEntries(`Here they are:\n\`\`\`json\n${text}\n\`\`\``, 'a', ['b'])).toEqual([
      {
        subtask: 'a',
        type: 'discovery',
        summary: `${'x'.repeat(149)}…`,
        detail: '',
        tags: ['a'],
        relevance_to: ['b'],
      },
      { subtask: 'a', type: 'context', summary: 'kept as context', detail: '', tags: [], relevance_to: [] },
    ]);
  });

  it.each(['', 'Nothing.', '{"entries": "none"}', '{"entries": []}', '[]'])('%j is nothing', text => {
    expect(readEntries(text, 'a', [])).toEqual([]);
  });
});
