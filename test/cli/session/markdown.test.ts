import { Chalk } from 'chalk';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { highlighter } from '../../../cli/render/highlight.ts';
import { type MarkdownStyle, markdownLines } from '../../../cli/render/markdown.ts';
import { width } from '../../../cli/render/width.ts';
import { markdownStream } from '../../../cli/session/stream.ts';

const none = new Chalk({ level: 0 });
const plain = (columns = 60): MarkdownStyle => ({ paint: none, highlight: code => code, columns });

const ANSWER = `# What I found

The cause is in \`wrap()\`: it **counts** bytes, see [the docs](https://example.org/wrap).
A second line of the same paragraph that is long enough to be folded at sixty columns.

- first
  - nested \`code\`
- [x] done

1. one

2. two

> quoted
> words

| name | size |
|------|-----:|
| a.ts | 12 |
| long-name.ts | 3 |

\`\`\`ts
/* a comment
   over two lines */
const a = "x < y";

let b = 1;
\`\`\`

The end &amp; nothing more.`;

describe('Markdown on a terminal', () => {
  it('shows every kind of block', () => {
    expect(markdownLines(ANSWER, plain())).toEqual(
      [
        'What I found',
        '',
        'The cause is in wrap(): it counts bytes, see the docs',
        '(https://example.org/wrap).',
        'A second line of the same paragraph that is long enough to',
        'be folded at sixty columns.',
        '',
        '• first',
        '  • nested code',
        '☑ done',
        '',
        '1. one',
        '',
        '2. two',
        '',
        '│ quoted',
        '│ words',
        '',
        'name         │ size',
        '─────────────┼─────',
        'a.ts         │   12',
        'long-name.ts │    3',
        '',
        '  /* a comment',
        '     over two lines */',
        '  const a = "x < y";',
        '',
        '  let b = 1;',
        '',
        'The end & nothing more.',
      ].map((line, i) => (i === 26 ? '  ' : line)),
    );
  });

  it('is never wider than the terminal, but for code', () => {
    const prose = ANSWER.replace(/```[\s\S]*```/, '');
    for (const columns of [24, 33, 47, 80])
      for (const line of markdownLines(prose, plain(columns)))
        expect(width(line)).toBeLessThanOrEqual(columns);
  });

  it('a model cannot move the cursor or hide words', () => {
    const lines = markdownLines('a\u001b[2Jb \u202Ereversed \u001b]0;title\u0007', plain());
    expect(lines.join('\n')).toBe('ab reversed');
  });

  it('colours code by its language, and leaves unknown languages alone', async () => {
    const paint = new Chalk({ level: 1 });
    const highlight = await highlighter(paint);
    expect(highlight('const a = "x<y&";', 'ts')).toBe(
      `${paint.magenta('const')} a = ${paint.green('"x<y&"')};`,
    );
    expect(highlight('const a', 'klingon')).toBe('const a');
    expect((await highlighter(none))('const a', 'ts')).toBe('const a');
  });
});

describe('an answer while it is written', () => {
  const streamed = (pieces: string[], style = plain()): string[] => {
    const stream = markdownStream(() => style);
    return [...pieces.flatMap(piece => stream.push(piece)), ...stream.end()];
  };

  it('comes out the same however it is cut', () => {
    const whole = streamed([ANSWER]);
    expect(whole.join('\n')).toBe(markdownLines(ANSWER, plain()).join('\n'));
    const cuts = fc.uniqueArray(fc.nat(ANSWER.length), { maxLength: 40 }).map(at => at.sort((a, b) => a - b));
    fc.assert(
      fc.property(cuts, at => {
        const edges = [0, ...at, ANSWER.length];
        const pieces = edges.slice(1).map((edge, i) => ANSWER.slice(edges[i], edge));
        expect(streamed(pieces)).toEqual(whole);
      }),
      { seed: 7, numRuns: 60 },
    );
  });

  it('shows the unfinished paragraph, and takes it back when it is finished', () => {
    const stream = markdownStream(() => plain());
    expect(stream.push('Hello **wor')).toEqual([]);
    expect(stream.rest()).toEqual(['Hello **wor']);
    stream.push('ld**');
    expect(stream.rest()).toEqual(['Hello world']);
    expect(stream.push('\n\nNext')).toEqual(['Hello world']);
    expect(stream.rest()).toEqual(['', 'Next']);
  });

  it('gives lines of code as they come', async () => {
    const paint = new Chalk({ level: 1 });
    const style = { paint, highlight: await highlighter(paint), columns: 60 };
    const stream = markdownStream(() => style);
    stream.push('```ts\n');
    expect(stream.push('/* one\n')).toEqual([`  ${paint.dim('/* one')}`]);
    expect(stream.push('two */\n')).toEqual([`  ${paint.dim('two */')}`]);
    expect(stream.rest()).toEqual([]);
  });
});
