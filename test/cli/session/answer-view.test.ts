import { Chalk } from 'chalk';
import { describe, expect, it } from 'vitest';
import type { Preview } from '../../../actors/loom.ts';
import { answerView } from '../../../cli/session/answer-view.ts';
import { complete } from '../../../cli/session/complete.ts';
import { readEntry, splitWords } from '../../../cli/session/words.ts';

const style = () => ({ paint: new Chalk({ level: 0 }), highlight: (code: string) => code, columns: 60 });
const view = () => answerView(style, text => `(${text})`);
const piece = (text: string, call = 'c1'): Preview => ({ task_id: 't', call, attempt: 1, offset: 0, text });
const reset = (call = 'c1'): Preview => ({ ...piece('', call), reset: true });

describe('an answer on the screen', () => {
  it('is printed once, whether it was previewed or not', () => {
    const seen = view();
    expect(seen.take(piece('One.\n\nTw'))).toEqual(['One.']);
    expect(seen.rest()).toEqual(['', 'Tw']);
    expect(seen.committed('One.\n\nTwo.')).toEqual(['', 'Two.']);
    expect(view().committed('One.\n\nTwo.')).toEqual(['One.', '', 'Two.']);
  });

  it('a withdrawn piece that comes again is not shown twice', () => {
    const seen = view();
    seen.take(piece('One.\n\nTwo'));
    expect(seen.take(reset())).toEqual([]);
    expect(seen.take(piece('One.\n'))).toEqual([]);
    expect(seen.take(piece('\nTwo and three.\n\n'))).toEqual(['', 'Two and three.']);
    expect(seen.committed('One.\n\nTwo and three.')).toEqual([]);
  });

  it('another answer after a withdrawal is said to be one', () => {
    const seen = view();
    seen.take(piece('One.\n\n'));
    seen.take(reset());
    expect(seen.take(piece('Something else.\n\n'))).toEqual([
      '(the answer broke off and begins again)',
      'Something else.',
    ]);
  });

  it('what is stored wins over what was previewed', () => {
    const seen = view();
    seen.take(piece('Preview of something.'));
    expect(seen.committed('The stored text.')).toEqual([
      'Preview of something.',
      '(the stored answer:)',
      'The stored text.',
    ]);
  });

  it('an interrupted answer is marked', () => {
    const seen = view();
    seen.take(piece('Half of'));
    expect(seen.cutOff()).toEqual(['Half of', '(cut off here)']);
    expect(seen.cutOff()).toEqual([]);
  });
});

describe('an entry', () => {
  it.each([
    ['', { kind: 'nothing' }],
    ['/help', { kind: 'command', name: 'help', args: [], rest: '' }],
    [
      '/run --fresh "two words" x',
      { kind: 'command', name: 'run', args: ['--fresh', 'two words', 'x'], rest: '--fresh "two words" x' },
    ],
    ['/usr/bin is full', { kind: 'text', text: '/usr/bin is full', attachments: [] }],
    ['//help', { kind: 'text', text: '/help', attachments: [] }],
    ['! use tabs', { kind: 'steer', text: 'use tabs' }],
    ['!! wow', { kind: 'text', text: '!! wow', attachments: [] }],
    [
      'look at @src/a.ts, and @"my file.md".',
      {
        kind: 'text',
        text: 'look at @src/a.ts, and @"my file.md".',
        attachments: ['src/a.ts', 'my file.md'],
      },
    ],
    ['mail me@example.org', { kind: 'text', text: 'mail me@example.org', attachments: [] }],
  ])('%j', (line, entry) => {
    expect(readEntry(line)).toEqual(entry);
  });

  it('is split as a shell does', () => {
    expect(splitWords(`a 'b c' "d \\"e" f\\ g ''`)).toEqual(['a', 'b c', 'd "e', 'f g', '']);
  });
});

describe('the Tab key', () => {
  const sources = {
    commands: [
      { name: 'help', takes: 'nothing' as const },
      { name: 'history', takes: 'nothing' as const },
      { name: 'open', takes: 'path' as const },
      { name: 'cancel', takes: 'run' as const },
      { name: 'process', takes: ['list', 'use', 'off'] },
    ],
    workspace: new URL('../../..', import.meta.url).pathname,
    runs: async () => ['k3x9', 'q111'],
    sessions: async () => [],
  };
  it.each([
    ['/h', ['/help ', '/history ']],
    ['/cancel k', ['k3x9 ']],
    ['/process u', ['use ']],
    ['/open cli/rend', ['cli/render/']],
    ['look at @cli/main', ['@cli/main.ts ']],
    ['just words', []],
  ])('%j offers %j', async (line, offered) => {
    expect((await complete(line, sources))[0]).toEqual(offered);
  });
});
