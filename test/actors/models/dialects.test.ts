/** Every dialect's table is read right, nothing is invented, and no cut answer becomes a call it was not. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { readAnswer } from '../../../actors/models/answer.ts';
import { previewer } from '../../../actors/models/preview.ts';
import { MEANT, QUOTED } from './dialects/surroundings.ts';
import { type Call, type Case, casesOf, ONE, TOOLS } from './dialects/table.ts';
import { TABLES } from './dialects/tables.ts';

function read({ text, finish = 'stop', tools = TOOLS }: Pick<Case, 'text' | 'finish' | 'tools'>) {
  const answer = readAnswer({ content: text, tool_calls: [], finish }, tools);
  const calls = answer.calls.flatMap(call =>
    'invalid' in call ? [] : [{ name: call.name, arguments: call.arguments, repaired: call.repaired }],
  );
  return { ...answer, calls, refused: answer.calls.length - calls.length };
}

/** Keys in any order. */
const plain = (calls: Call[]): string =>
  JSON.stringify(
    calls.map(call => [call.name, Object.entries(call.arguments).sort(([a], [b]) => (a < b ? -1 : 1))]),
  );

/** What is wrong about the reading of a case; empty when nothing is. */
function wrongs(one: Case): string[] {
  const found = read(one);
  return [
    ...(plain(found.calls) === plain(one.calls) ? [] : [`calls ${JSON.stringify(found.calls)}`]),
    ...(one.refused === undefined || found.refused === one.refused ? [] : [`${found.refused} refused`]),
    ...(one.content === undefined || found.content.trim() === one.content
      ? []
      : [`content ${JSON.stringify(found.content)}`]),
    ...(one.thinking === undefined || found.thinking === one.thinking
      ? []
      : [`thinking ${JSON.stringify(found.thinking)}`]),
  ];
}

const all = TABLES.flatMap(table =>
  [...casesOf(table), ...table.own].map(one => ({ dialect: table.dialect, one })),
);
const clean = TABLES.flatMap(table =>
  casesOf(table)
    .slice(0, 4)
    .map(one => ({ dialect: table.dialect, one })),
);

test('at least 98 % of every table is read right, and no call is invented', () => {
  const failed = all
    .map(({ dialect, one }) => ({ dialect, one, wrong: wrongs(one) }))
    .filter(({ wrong }) => wrong.length > 0);
  const invented = all.filter(({ one }) =>
    read(one).calls.some(call => !plain(one.calls).includes(plain([call]).slice(1, -1))),
  );
  const percent = 100 * (1 - failed.length / all.length);
  console.log(
    `${TABLES.length} dialects, ${all.length} answers, ${percent.toFixed(1)} % read right, ${invented.length} with invented calls`,
  );
  for (const { dialect, one, wrong } of failed) console.log(`${dialect}: ${one.what}: ${wrong.join('; ')}`);
  expect(invented.map(({ dialect, one }) => `${dialect}: ${one.what}`)).toEqual([]);
  expect(percent).toBeGreaterThanOrEqual(98);
});

test('a call that is only spoken of is not one, in no dialect', () => {
  const invented = TABLES.flatMap(({ dialect, one }) =>
    QUOTED.filter(words => read({ text: words.replace('%', () => one) }).calls.length > 0).map(
      words => `${dialect}: ${words}`,
    ),
  );
  expect(invented).toEqual([]);
});

test('a call that is meant is read, whatever leads to it', () => {
  const missed = TABLES.flatMap(({ dialect, one }) =>
    MEANT.filter(words => plain(read({ text: words.replace('%', () => one) }).calls) !== plain(ONE)).map(
      words => `${dialect}: ${words}`,
    ),
  );
  for (const line of missed) console.log(`missed ${line}`);
  expect(missed.length).toBeLessThanOrEqual(0.02 * TABLES.length * MEANT.length);
});

test('every dialect has at least ten answers in its table', () => {
  expect(TABLES.filter(table => casesOf(table).length + table.own.length < 10)).toEqual([]);
});

test('a clean call is not called repaired', () => {
  const mended = clean.filter(({ one }) => read(one).calls.some(call => call.repaired.length > 0));
  expect(mended.map(({ dialect, one }) => `${dialect}: ${one.what}`)).toEqual([]);
});

describe('an answer cut at any character', () => {
  test('at its length limit: whole calls before the cut and no others', () => {
    const wrong: string[] = [];
    for (const { dialect, one } of clean)
      for (let at = 0; at < one.text.length; at++) {
        const { calls } = read({ text: one.text.slice(0, at), finish: 'length' });
        if (plain(calls) !== plain(one.calls.slice(0, calls.length)))
          wrong.push(`${dialect}: ${one.text.slice(0, at)}`);
      }
    expect(wrong.slice(0, 5)).toEqual([]);
  });

  test('where the server says that it ended: no value is shortened, and a call that may lack one is marked', () => {
    const wrong: string[] = [];
    for (const { dialect, one } of clean)
      for (let at = 0; at < one.text.length; at++) {
        const { calls } = read({ text: one.text.slice(0, at) });
        const good = calls.every((call, n) => {
          const whole = one.calls[n];
          if (whole && plain([call]) === plain([whole])) return true;
          const values = Object.entries(call.arguments);
          return (
            call.name === whole?.name &&
            call.repaired.includes('unclosed') &&
            values.every(([key, value]) => JSON.stringify(value) === JSON.stringify(whole.arguments[key]))
          );
        });
        if (!good) wrong.push(`${dialect}: ${one.text.slice(0, at)} → ${JSON.stringify(calls)}`);
      }
    expect(wrong.slice(0, 5)).toEqual([]);
  });
});

test.each([
  ['<think>secret</think>It is done.', 'It is done.'],
  [
    '<|channel|>analysis<|message|>secret<|end|><|start|>assistant<|channel|>final<|message|>It is done.',
    'It is done.',
  ],
  ['<|START_THINKING|>secret<|END_THINKING|><|START_RESPONSE|>It is done.', 'It is done.'],
  ['<|channel>thought\nsecret<channel|>It is done.', 'It is done.'],
  ['[THINK]secret[/THINK]It is done.', 'It is done.'],
  ['It is <b>done</b>.', 'It is <b>done</b>.'],
])('thinking is never shown while the answer grows: %s', (text, said) => {
  for (const size of [1, 3, 7, 1000]) {
    let shown = '';
    const feed = previewer(delta => {
      if ('text' in delta) shown += delta.text;
    });
    for (let at = 0; at < text.length; at += size) feed(text.slice(at, at + size));
    expect(shown).toBe(said);
  }
});

const WORDS =
  'the file read_file tool call `x` {a: 1} [b] (c) "quoted" <b> </b> it\'s path=1 f(x) Done. e.g. # - ```\n \n \n\n'.split(
    ' ',
  );

test('prose yields no call', () => {
  fc.assert(
    fc.property(fc.array(fc.oneof(fc.constantFrom(...WORDS), fc.string()), { maxLength: 60 }), words => {
      expect(read({ text: words.join(' ') }).calls).toEqual([]);
    }),
    { numRuns: 500 },
  );
});

test('a large answer full of marks is read in a moment', () => {
  const before = Date.now();
  for (const { one } of TABLES) read({ text: `${one.slice(0, Math.ceil(one.length / 2))}\n`.repeat(500) });
  expect(Date.now() - before).toBeLessThan(20_000);
});
