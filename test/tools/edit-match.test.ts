import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { LoomError } from '../../machines/failure.ts';
import { applyEdit } from '../../tools/files/edit-match.ts';
import { samples } from './support.ts';

const edit = (text: string, old_str: string, new_str: string) => applyEdit('f', text, { old_str, new_str });
const refused = (text: string, old_str: string, new_str = 'x') => {
  try {
    edit(text, old_str, new_str);
  } catch (error) {
    if (error instanceof LoomError) return error.failure;
    throw error;
  }
  throw new Error('was applied');
};

describe('an edit', () => {
  const applied: [string, string, string, string, string, string][] = [
    ['exact, within a line', 'let a = 1;\n', 'a = 1', 'a = 2', 'let a = 2;\n', 'exact'],
    [
      'exact, new lines take the line ends of the file',
      'a\r\nb\r\n',
      'b',
      'b\nc',
      'a\r\nb\r\nc\r\n',
      'exact',
    ],
    ['LF in old_str, CRLF in the file', 'a\r\nb\r\nc\r\n', 'a\nb', 'x\ny', 'x\r\ny\r\nc\r\n', 'eol'],
    ['CRLF in old_str, LF in the file', 'a\nb\nc\n', 'a\r\nb\r\n', 'x\r\n', 'x\nc\n', 'eol'],
    ['line ends differ up to the end of the file', 'a\r\nb', 'a\nb', 'x\ny', 'x\r\ny', 'eol'],
    ['mixed file: only the place changes', 'a\nb\r\nc\n', 'b\r\nc', 'B\r\nc', 'a\nB\r\nc\n', 'exact'],
    [
      'trailing blanks in the file',
      'def f():  \n    pass\n',
      'def f():\n    pass',
      'def g():\n    pass',
      'def g():\n    pass\n',
      'whitespace',
    ],
    [
      'deeper in the file',
      'class A:\n    def f(self):\n        return 1\n',
      'def f(self):\n    return 1',
      'def f(self):\n    if x:\n        return 2',
      'class A:\n    def f(self):\n        if x:\n            return 2\n',
      'indent',
    ],
    [
      'shallower in the file',
      'def f():\n  return 1\n',
      '    def f():\n      return 1',
      '    def f():\n      return 2\n    # end',
      'def f():\n  return 2\n# end\n',
      'indent',
    ],
    [
      'tabs in the file, spaces in the edit',
      'if a:\n\tif b:\n\t\tc()\n',
      'if b:\n    c()',
      'if b:\n    c()\n    if d:\n        e()',
      'if a:\n\tif b:\n\t\tc()\n\t\tif d:\n\t\t\te()\n',
      'indent',
    ],
    [
      'spaces in the file, tabs in the edit',
      'a {\n  b {\n    c\n  }\n}\n',
      '\tb {\n\t\tc\n\t}',
      '\tb {\n\t\tc\n\t\td\n\t}',
      'a {\n  b {\n    c\n    d\n  }\n}\n',
      'whitespace',
    ],
    [
      'other spacing within lines',
      'x  =  1\ny = 2\n',
      'x = 1\ny = 2',
      'x = 3\ny = 2',
      'x  =  3\ny = 2\n',
      'whitespace',
    ],
    ['a blank line more in the file', 'a()\n\nb()\n', 'a()\nb()', 'c()', 'c()\n', 'similar'],
    ['a blank line less in the file', 'a()\nb()\n', 'a()\n\nb()', 'c()', 'c()\n', 'similar'],
    ['lines are removed with their indentation', 'a\n  b\nc\n', 'b\n', '', 'a\nc\n', 'exact'],
    ['removed lines take their line end along', '  a\n  b\n  c\n', 'a\n    b', '', '  c\n', 'indent'],
    ['a form feed is not a line end', 'a\n\f\nb\nc\n', 'b  \nc', 'B\nc', 'a\n\f\nB\nc\n', 'whitespace'],
    ['$ has no meaning in new_str', 'a\n', 'a', "$&$1$'", "$&$1$'\n", 'exact'],
  ];
  it.each(applied)('%s', (_, text, old, fresh, expected, match) => {
    expect(edit(text, old, fresh)).toMatchObject({ text: expected, match });
  });

  const carried: [string, string, string, string, string, string][] = [
    [
      'a comma that the edit leaves out',
      'f(\n  a,\n  b,\n);\n',
      'f(\n  a,\n  b\n);',
      'g(\n  a,\n  b\n);',
      'g(\n  a,\n  b,\n);\n',
      'similar',
    ],
    [
      'the other kind of quote',
      "x = f('a', 1)\n",
      'x = f("a", 1)',
      'x = f("b", 1)',
      "x = f('b', 1)\n",
      'similar',
    ],
    [
      'wrapped text',
      'One two three\nfour five six.\nEnd 1.\n',
      'One two\nthree four\nfive six.\nEnd 1.',
      'One two\nthree four\nfive six.\nEnd 2.',
      'One two three\nfour five six.\nEnd 2.\n',
      'similar',
    ],
    [
      'a typographic apostrophe',
      'It’s “all” here – 1\nend\n',
      'It\'s "all" here - 1',
      'It\'s "all" here - 2',
      'It’s “all” here – 2\nend\n',
      'escape',
    ],
    [
      'letters in two parts',
      'cafe\u0301 = 1\nx\n',
      'café = 1\nx',
      'café = 2\nx',
      'cafe\u0301 = 2\nx\n',
      'escape',
    ],
    [
      'aligned text',
      'a    = 1\nbcd  = 2\n',
      'a = 1\nbcd = 2',
      'a = 1\nbcd = 3',
      'a    = 1\nbcd  = 3\n',
      'whitespace',
    ],
    ['Markdown line breaks', 'one  \ntwo  \n', 'one\ntwo', 'one\n2', 'one  \n2  \n', 'whitespace'],
    [
      'no indentation at all, where brackets tell it',
      'f() {\n    a();\n    b();\n}\n',
      'f() {\na();\nb();\n}',
      'f() {\na();\nc();\n}',
      'f() {\n    a();\n    c();\n}\n',
      'indent',
    ],
    [
      'a level of two in the file and of four in the edit',
      'a:\n  b:\n    c: 1\n',
      '    b:\n        c: 1\n',
      '    b:\n        c: 1\n        d:\n            e: 2\n',
      'a:\n  b:\n    c: 1\n    d:\n      e: 2\n',
      'indent',
    ],
    [
      'an if around it',
      '    a = 1\n    b = 2\n',
      'a = 1\nb = 2 ',
      'if x:\n    a = 1\n    b = 2',
      '    if x:\n        a = 1\n        b = 2\n',
      'indent',
    ],
    ['a line end that only old_str has', 'a\nb\nc\n', 'b\n', 'x', 'a\nx\nc\n', 'exact'],
    ['no final newline, whatever new_str ends with', 'a\nb', 'b', 'c\nd\n', 'a\nc\nd', 'exact'],
    ['a final newline, whatever new_str ends with', 'a\nb\n', '\nb\n', '\nc', 'a\nc\n', 'exact'],
    [
      'entities',
      'if (a < b && c) {\n',
      'if (a &lt; b &amp;&amp; c) {',
      'if (a &lt;= b &amp;&amp; c) {',
      'if (a <= b && c) {\n',
      'escape',
    ],
    [
      'a string with \\n among escaped line ends',
      'f()\nprint("a\\n")\ng()\n',
      'f()\\nprint(\\"a\\\\n\\")',
      'f()\\nprint(\\"b\\\\n\\")',
      'f()\nprint("b\\n")\ng()\n',
      'escape',
    ],
    ['letters as codes', 'x = "é"\ny\n', 'x = "\\u00e9"\ny', 'x = "\\u00e9a"\ny', 'x = "éa"\ny\n', 'escape'],
    ['HTML between tags', '<p><b>x</b></p>\n', '<b>x</b>', '<i>x</i>', '<p><i>x</i></p>\n', 'exact'],
  ];
  it.each(carried)('keeps %s', (_, text, old, fresh, expected, match) => {
    const result = applyEdit('f.md', text, { old_str: old, new_str: fresh });
    expect(result).toMatchObject({ text: expected, match });
    expect(result.ratio).toBeGreaterThan(match === 'exact' ? 0.999 : 0.3);
    expect(result.ratio).toBeLessThanOrEqual(1);
  });

  it('carries trailing spaces over only where they mean something', () => {
    const change = { old_str: 'one\ntwo', new_str: 'one\n2' };
    expect(applyEdit('f.py', 'one  \ntwo  \n', change).text).toBe('one\n2\n');
    expect(applyEdit('f.md', 'one  \ntwo  \n', change).text).toBe('one  \n2  \n');
  });

  it.each([
    ['a number cut short', 'timeout = 30\n', 'timeout = 3', 'timeout = 5', 'not_found'],
    ['a fraction cut off', 'x = 1.5\n', 'x = 1', 'x = 2', 'not_found'],
    ['the end of a longer name', 'new_count = 0\n', 'count = 0', 'count = 1', 'not_found'],
    ['the begin of a longer name', 'return result_old\n', 'return result', 'return x', 'not_found'],
    ['a last line that goes on', 'a()\nreturn x + 1\n', 'a()\nreturn x', 'a()\nreturn y', 'not_found'],
    ['a stricter operator', 'if x !== 1\n', '= 1', '= 2', 'not_found'],
    [
      'a word in a comment',
      '# the old rule\na()\nb()\nc()\n',
      '# the new rule\na() \nb()\nc()',
      'x',
      'not_found',
    ],
    [
      'a plural in prose',
      'One word here.\nTwo.\nThree.\nFour.\n',
      'One words here.\nTwo.\nThree.\nFour.',
      'x',
      'not_found',
    ],
    [
      'a space within a string',
      's.split(", ")\nx()\n',
      's.split(",")\nx( )',
      's.split(";")\nx()',
      'not_found',
    ],
    [
      'another nesting',
      'for x in y:\n    a()\n    return x\n',
      'for x in y:\n    a()\nreturn x',
      'pass',
      'not_found',
    ],
    ['numbers that do not count up', 'a()\nb()\n', '1: a()\n7: b()', '1: a()\n7: c()', 'not_found'],
    ['an elision', 'f() {\n  a();\n  b();\n}\n', 'f() {\n  ...\n}', 'f() {\n  c();\n}', 'not_found'],
    [
      'a new line beside a blank line of the file',
      'a()\n\nb()\n',
      'a()\nb()',
      'a()\nx()\nb()',
      'unclear_edit',
    ],
    [
      'new quotes of a kind nobody knows',
      "x = 'a'\ny()\n",
      'x = "a"\ny()',
      'x = "a"\nz("b")\ny()',
      'unclear_edit',
    ],
    [
      'a new line of unknown depth',
      'f() {\n    a(); \n    if (b) {\n        c();\n    }\n}\n',
      'f() {\na();\nif (b) {\nc();\n}\n}',
      'f() {\na();\nif (b) {\nc();\n}\nd();\n}',
      'unclear_edit',
    ],
    [
      'a move to the left that may mean nothing',
      '  if x:\n    a = 1 \n    b = 2\n',
      'if x:\n  a = 1\n  b = 2',
      'a = 1\nb = 2',
      'unclear_edit',
    ],
    ['two decorated readings', '  a\n    a\n', '1|a\n', '1|b\n', 'ambiguous'],
    ['nothing but line ends', 'a\r\nb\r\n', 'a\r\nb', 'a\nb', 'invalid_edit'],
  ])('is refused on %s', (_, text, old, fresh, code) => {
    expect(refused(text, old, fresh).code).toBe(code);
  });

  it('takes new text out of a code fence, except where the fence may be meant', () => {
    const change = { old_str: 'a = 1\nb = 2', new_str: '```py\na = 1\nb = 3\n```' };
    expect(applyEdit('f.py', 'a = 1\nb = 2\n', change)).toMatchObject({
      text: 'a = 1\nb = 3\n',
      match: 'escape',
    });
    expect(() => applyEdit('f.md', 'a = 1\nb = 2\n', change)).toThrow(/code fence/);
    const wrap = { old_str: 'npm i x', new_str: '```sh\nnpm i x\n```' };
    expect(applyEdit('f.md', 'npm i x\n', wrap).text).toBe('```sh\nnpm i x\n```\n');
  });

  it('puts a new line beside a blank one with the neighbour that is as deep', () => {
    const text = 'f:\n    a\n\ng:\n    b\n';
    expect(edit(text, 'f:\n    a\ng:', 'f:\n    a\n    new\ng:').text).toBe(
      'f:\n    a\n    new\n\ng:\n    b\n',
    );
    expect(edit(text, 'f:\n    a\ng:', 'f:\n    a\n# new\ng:').text).toBe('f:\n    a\n\n# new\ng:\n    b\n');
  });

  it('does not take a fence for decoration that the file has itself', () => {
    const old = '```sh\nmake all\n```';
    expect(edit('make all\n', old, '```sh\nmake one\n```').text).toBe('make one\n');
    expect(refused('make all\n```sh\n```\n', old).code).toBe('not_found');
  });

  it('keeps the dashes of the file and invents none', () => {
    expect(edit('range: 1–5\n', 'range: 1-5', 'range: 10-50').text).toBe('range: 10–50\n');
    expect(refused('break—here\n', 'break-here', 'break--there').code).toBe('unclear_edit');
  });

  it('removes a line and leaves the one blank line beside it', () => {
    expect(edit('a\n\nb\nc\n', 'a\nb\nc', 'a\nc').text).toBe('a\n\nc\n');
    expect(refused('a\n\nb\n\nc\n', 'a\nb\nc', 'a\nc').code).toBe('unclear_edit');
  });

  it('keeps form feeds and odd indentation of lines that it leaves alone', () => {
    const text = 'a = 1\n\f\n\u00a0\u00a0b = 2\n\fdef c():\n    d = 4\n';
    const old = 'a = 1 \n\n  b = 2\ndef c():\n    d = 4';
    expect(edit(text, old, old.replace('4', '5')).text).toBe(text.replace('4', '5'));
  });

  it('says what is not there', () => {
    const failure = refused('a()\ntimeout = 30\nb()\n', 'a()\ntimeout = 60\nb()');
    expect(failure.message).toContain('2 | timeout = 30');
    expect(failure.message).toContain('Not there: timeout = 60');
    expect(failure.detail).toEqual({ nearest: { line_start: 1, line_end: 3 } });
  });

  it('that matches twice shows both places', () => {
    const failure = refused('a = 1\nb = 2\na = 1\n', 'a = 1');
    expect(failure).toMatchObject({
      code: 'ambiguous',
      detail: {
        places: [
          { line_start: 1, line_end: 1 },
          { line_start: 3, line_end: 3 },
        ],
      },
    });
    expect(failure.message).toContain('lines 1–1');
    expect(failure.message).toContain('lines 3–3');
  });

  it('that matches twice but for line ends, which nobody sees, is refused', () => {
    const failure = refused('a\r\nb\r\n---\r\na\nb\n', 'a\nb\n', 'c\n');
    expect(failure).toMatchObject({
      code: 'ambiguous',
      detail: { places: [{ line_start: 1 }, { line_start: 4 }] },
    });
  });

  it('that matches twice apart from indentation is refused too', () => {
    expect(refused('  f()\n  g()\n\tf()\n\tg()\n', 'f()\ng()').code).toBe('ambiguous');
  });

  it.each([
    ['a changed number', 'timeout = 30\n', 'timeout = 60'],
    ['a missing negation', 'if user.is_admin:\n    go()\n', 'if not user.is_admin:\n    go()'],
    ['another name', 'def foo(a):\n    return a\n', 'def fob(a):\n    return a'],
    ['flattened structure', 'if a:\n    b()\n', ' if a:\n b()'],
  ])('is not applied to %s, but told where the nearest text is', (_, text, old) => {
    const failure = refused(text, old);
    expect(failure.code).toBe('not_found');
    expect(failure.message).toMatch(/Nearest region, lines 1–\d/);
    expect(failure.message).toContain('1 | ');
  });

  it('of nothing, or that changes nothing, is invalid', () => {
    expect(refused('a', '').code).toBe('invalid_edit');
    expect(refused('a', 'a', 'a').code).toBe('invalid_edit');
  });

  it('shows a line of similar letters, or how the file begins', () => {
    const near = refused('one\nself._handler_timeouts = {}\ntwo\n', 'handlerTimeout');
    expect(near).toMatchObject({ code: 'not_found', detail: { nearest: { line_start: 1 } } });
    expect(near.message).toContain('2 | self._handler_timeouts');
    const far = refused('one\ntwo\n', 'QQQ');
    expect(far.message).toContain('nothing in it is similar');
    expect(far.message).toContain('1 | one\n2 | two');
    expect(refused('', 'QQQ').message).toContain('empty');
  });

  it('in a file of 20,000 lines is bounded, found or not', () => {
    const lines = Array.from({ length: 20_000 }, (_, i) => `    value_${i} = compute(${i}, "text")`);
    const text = lines.join('\n');
    const block = lines.slice(9000, 9060);
    const took = (old: string[]) => {
      const start = process.cpuUsage();
      expect(refused(text, old.join('\n')).code).toBe('not_found');
      const { user, system } = process.cpuUsage(start);
      return (user + system) / 1000;
    };
    expect(took(block.map(line => line.replace('text', 'test')))).toBeLessThan(1000);
    expect(took(block.with(30, 'value_9030 = compute(9031)'))).toBeLessThan(1000);
    expect(refused(text.replace(/.*/g, '}'), Array(60).fill('} ').join('\n')).code).toBe('ambiguous');
  });

  it('in one line of a megabyte finds its piece', () => {
    const text = `${'var a=1;'.repeat(60_000)}function f(){return  42}${'var é=2;'.repeat(60_000)}`;
    const result = edit(text, 'function f(){return 42}', 'function f(){return 43}');
    expect(result.text).toBe(text.replace('42', '43'));
  });
});

describe('any block of any file', () => {
  const word = fc.stringMatching(/^[a-z]{1,6}$/);
  /** Unique lines, each indented deeper, as deep, or shallower than the one before. */
  const file = fc.array(fc.record({ word, depth: fc.nat(3) }), { minLength: 3, maxLength: 12 });
  const unit = fc.constantFrom('  ', '    ', '\t');
  const eol = fc.constantFrom('\n', '\r\n');

  it('is found under other indentation and line ends, and the new line stands where it belongs', () => {
    fc.assert(
      fc.property(
        file,
        unit,
        unit,
        eol,
        eol,
        fc.nat(),
        fc.nat(),
        (spec, there, here, fileEol, editEol, a, b) => {
          const line = (i: number, indent: string, text?: string) =>
            indent.repeat(spec[i]!.depth) + (text ?? `${spec[i]!.word}_${i}`);
          const lines = spec.map((_, i) => line(i, there));
          const from = a % spec.length;
          const to = Math.min(spec.length - 1, from + 1 + (b % 3));
          const changed = from + (b % (to - from + 1));
          const block = (text?: string) =>
            Array.from({ length: to - from + 1 }, (_, k) =>
              line(from + k, here, text && from + k === changed ? text : undefined),
            ).join(editEol);
          const expected = lines.with(changed, line(changed, there, 'NEW'));
          const result = edit(lines.join(fileEol), block(), block('NEW'));
          expect(result.text).toBe(expected.join(fileEol));
        },
      ),
      { numRuns: 400, seed: 11 },
    );
  });
});

interface Row {
  name: string;
  original: string;
  old?: string;
  new?: string;
  edits?: { old: string; new: string }[];
  expected: string;
  class: 'apply' | 'refuse';
}
const rows = samples<Row>('edits.jsonl');

describe.runIf(rows.length > 0)('edits collected from others', () => {
  /** Ours keeps tabs where the file has tabs (the other answer mixes both in one block), and line ends as they were. */
  const better: Record<string, string> = {
    'def bar():\n\treturn 42\n': 'def bar():\n\treturn 99\n',
    'def hello():  \r\n    return 1\r\n': 'def hello():\r\n    return 2\r\n',
  };
  it('come out as expected', () => {
    const wrong: unknown[] = [];
    for (const row of rows) {
      const edits = row.edits ?? [{ old: row.old!, new: row.new! }];
      let answer: string;
      try {
        answer = edits.reduce((text, one) => edit(text, one.old, one.new).text, row.original);
      } catch (error) {
        answer = error instanceof LoomError ? 'refused' : String(error);
      }
      const expected = row.class === 'refuse' ? 'refused' : (better[row.original] ?? row.expected);
      if (answer !== expected) wrong.push({ name: row.name, answer, expected });
    }
    expect(wrong).toEqual([]);
  });
});
