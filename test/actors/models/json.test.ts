/** Loose JSON: repaired with a label, or not read at all; and the one object somebody asked for, wherever it stands. */
import { isDeepStrictEqual } from 'node:util';
import { describe, expect, test } from 'vitest';
import { readAnswer } from '../../../actors/models/answer.ts';
import { extractJson } from '../../../actors/models/extract-json.ts';
import { parseArguments, parseLoose } from '../../../tools/calls/json-repair.ts';
import { sharedRows } from '../../support/shared-data.ts';
import { MALFORMED } from './dialects/malformed.ts';

describe('extractJson', () => {
  const plan = { subtasks: [{ id: 'a', description: 'x {y}' }] };
  const json = JSON.stringify(plan);

  test.each([
    ['the whole answer', json, false],
    ['with blanks around', `\n  ${json}\n`, false],
    ['in a block', `\`\`\`json\n${json}\n\`\`\``, false],
    ['in a block between prose', `Here is the plan:\n\n\`\`\`json\n${json}\n\`\`\`\n\nGood luck.`, false],
    ['in prose', `The plan is ${json} as you wished.`, false],
    ['after a think block', `<think>{"subtasks": "not this"}</think>${json}`, false],
    ['after an object that is not it', `{"note": 1} and then ${json}`, false],
    ['inside a wrapper', `{"plan": ${json}}`, false],
    ['with a trailing comma', json.replace(/}]}$/, '},]}'), true],
    ['with Python quotes', "{'subtasks': [{'id': 'a', 'description': 'x {y}'}]}", true],
    ['without its last braces', json.slice(0, -2), true],
  ])('%s', (_, text, repaired) => {
    expect(extractJson(text, ['subtasks'])).toEqual({ value: plan, repaired });
  });

  test('valid JSON wins over an earlier object that needs repair', () => {
    expect(extractJson(`{'passed': False,} … {"passed": true}`, ['passed'])).toEqual({
      value: { passed: true },
      repaired: false,
    });
  });

  test('without the expected keys the first object is better than none', () => {
    expect(extractJson('{"verdict": "ok"}', ['passed'])?.value).toEqual({ verdict: 'ok' });
  });

  test.each(['', 'No JSON here.', '[1, 2]', '```json\n```', 'a { b'])('%j holds no object', text => {
    expect(extractJson(text, ['x'])).toBeNull();
  });

  test('a long answer full of braces is read in a moment', () => {
    const before = Date.now();
    extractJson('{ '.repeat(20_000), ['x']);
    expect(Date.now() - before).toBeLessThan(5_000);
  });
});

describe('parseLoose', () => {
  test('a cut text is completed only when the caller says it was not cut', () => {
    expect(parseLoose('{"a": [1, 2')).toEqual({ value: { a: [1, 2] }, repaired: ['unclosed'] });
    expect(parseLoose('{"a": [1, 2', { cut: true })).toBeNull();
    expect(parseLoose('{"a": [1, 2,]}', { cut: true })).toEqual({
      value: { a: [1, 2] },
      repaired: ['trailing_comma'],
    });
  });

  test('prose is not JSON', () => {
    expect(parseLoose('I could not do it')).toBeNull();
  });
});

interface RepairRow {
  id: string;
  top: string;
  input: string;
  expected: unknown;
  schema: unknown;
  peers_agree: boolean | null;
}

const objects = sharedRows<RepairRow>('json_repair.jsonl').filter(
  row => row.top === 'object' && row.schema === null && row.peers_agree === true,
);

/** Objects that other parsers agree on; ours must read them alike. */
test.runIf(objects.length > 0)('agrees with what other parsers agree on', () => {
  const wrong = objects.filter(row => {
    const found = parseLoose(row.input);
    return JSON.stringify(found?.value) !== JSON.stringify(row.expected);
  });
  expect(wrong.map(row => row.id)).toEqual([]);
});

interface CallRow {
  id?: string;
  format: string;
  tools?: { function: { name: string; description?: string; parameters: Record<string, unknown> } }[];
  input: string;
  expected_calls: { name: string; arguments: Record<string, unknown> }[];
}

test('arguments with one reading are mended, and nothing becomes another value', () => {
  const readings = MALFORMED.map(one => ({ ...one, found: parseArguments(one.text)?.value ?? null }));
  const readable = readings.filter(one => one.value !== null);
  const missed = readable.filter(one => one.found === null);
  const wrong = readings.filter(one => one.found !== null && !isDeepStrictEqual(one.found, one.value));
  const percent = 100 * (1 - missed.length / readable.length);
  console.log(
    `${readable.length} malformed arguments with one reading: ${percent.toFixed(1)} % mended, ${wrong.length} wrong values`,
  );
  expect(wrong.map(one => one.what)).toEqual([]);
  expect(percent).toBeGreaterThanOrEqual(95);
});

test('a value spoiled at any one place is read as it was, or refused', () => {
  const value = { path: 'a/b.txt', content: 'one two (3)', list: ['x', 'y'], n: 12, ok: true };
  const text = JSON.stringify(value, null, 1);
  const spoiled = [
    ...[...text.matchAll(/[,}\]]/g)].map(({ index }) => `${text.slice(0, index)},${text.slice(index)}`),
    text.replaceAll(/"(\w+)":/g, '$1:'),
    text.replaceAll('"', "'"),
    text.replaceAll(/,\n/g, '\n'),
    text.replace('true', 'True'),
    text.slice(0, -1),
    `${text}}`,
  ];
  const wrong = spoiled.filter(one => {
    const found = parseArguments(one)?.value;
    return found !== undefined && !isDeepStrictEqual(found, value);
  });
  expect(wrong).toEqual([]);
});

/** Where ours differs from the recorded peers on purpose. */
const ON_PURPOSE: Record<string, string> = {
  'tc2-deepseek-v3-001': 'a call without a name is refused',
  'tc2-harmony-gpt-oss-001': 'the peer refuses tools it was not told of; here any name is accepted',
  'tc2-laguna-xml-002': 'a call written twice is two calls',
  'tc2-openhands-xml-function-001': 'the row lost the call that it expects',
};

const recorded = sharedRows<CallRow>('toolcall_text.jsonl');

test.runIf(recorded.length > 0)('finds the calls of recorded answers in all dialects', () => {
  const wrong = recorded.filter(row => {
    const tools = (row.tools ?? []).map(({ function: { name, description = '', parameters } }) => ({
      name,
      description,
      parameters,
    }));
    const response = { content: row.input, tool_calls: [], finish: 'stop' as const };
    const { calls } = readAnswer(response, tools.length > 0 ? tools : null);
    const found = calls.flatMap(call =>
      'invalid' in call ? [] : [{ name: call.name, arguments: call.arguments }],
    );
    return !isDeepStrictEqual(found, row.expected_calls);
  });
  console.log(`${recorded.length} recorded answers, ${recorded.length - wrong.length} read alike`);
  expect(wrong.filter(row => !(row.id && ON_PURPOSE[row.id])).map(row => row.id ?? row.input)).toEqual([]);
});

const repairs = sharedRows<RepairRow & { kind: string }>('json_repair.jsonl');

test.runIf(repairs.length > 0)('reads malformed JSON as others do, mostly', () => {
  const alike = repairs.filter(row => {
    const found = parseLoose(row.input);
    return row.kind === 'unrepairable' ? found === null : isDeepStrictEqual(found?.value, row.expected);
  });
  console.log(`${repairs.length} malformed texts, ${alike.length} read alike`);
  expect(alike.length).toBeGreaterThanOrEqual(repairs.length / 2);
});
