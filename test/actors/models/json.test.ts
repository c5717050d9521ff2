/** Loose JSON: repaired with a label, or not read at all; and the one object somebody asked for, wherever it stands. */
import { describe, expect, test } from 'vitest';
import { readAnswer } from '../../../actors/models/answer.ts';
import { extractJson } from '../../../actors/models/extract-json.ts';
import { parseLoose } from '../../../actors/models/json-repair.ts';
import { sharedRows } from '../../support/shared-data.ts';

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

/** The dialects of JSON in tags, blocks and bare text; XML and bracket dialects are others. */
const OURS = /^(hermes|none|qwen3 hermes-json|json after template tag (<tool_call>|\{|\[)|xlam json list)$/;
const dialects = sharedRows<CallRow>('toolcall_text.jsonl').filter(
  row => OURS.test(row.format) && !/\[TOOL_CALLS\]/.test(row.input),
);

test.runIf(dialects.length > 0)('finds the calls of recorded answers in JSON dialects', () => {
  const wrong = dialects.filter(row => {
    const tools = (row.tools ?? []).map(({ function: { name, description = '', parameters } }) => ({
      name,
      description,
      parameters,
    }));
    const response = { content: row.input, tool_calls: [], finish: 'stop' as const };
    const { calls } = readAnswer(response, tools.length > 0 ? tools : null);
    const found = calls.map(call =>
      'invalid' in call ? null : { name: call.name, arguments: call.arguments },
    );
    return JSON.stringify(found) !== JSON.stringify(row.expected_calls);
  });
  expect(wrong.map(row => row.id ?? row.input)).toEqual([]);
});
