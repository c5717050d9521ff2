import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { shownValue } from '../../tools/calculate/arithmetic.ts';
import { evaluate } from '../../tools/calculate/evaluate.ts';
import { calculator } from '../../tools/calculator.ts';
import { createRegistry } from '../../tools/registry.ts';
import { sharedRows } from '../support/shared-data.ts';
import { bench, failureOf } from './support.ts';

const value = (expression: string) => shownValue(evaluate(expression));

const why = (expression: string): string => {
  try {
    evaluate(expression);
  } catch (error) {
    return (error as Error).message;
  }
  throw new Error(`${expression} was calculated`);
};

describe('calculator', () => {
  it.each([
    ['7 // 2', '3'],
    ['-7 // 2', '-4'],
    ['-7 % 3', '2'],
    ['7 % -3', '-2'],
    ['-7.5 // 2', '-4'],
    ['5.5 % -2', '-0.5'],
    ['-2 ** 2', '-4'],
    ['2 ** -1', '0.5'],
    ['2 ** 3 ** 2', '512'],
    ['(-1) ** 99999999999', '-1'],
    ['10 / 4', '2.5'],
    ['2 ** 64 - 1', '18446744073709551615'],
    ['(10 ** 400) / (10 ** 399)', '10'],
    ['1_000 * 3', '3000'],
    ['0xff + 0b11 + 0o7', '265'],
    ['.5 + 1.', '1.5'],
    ['1e3', '1000'],
    ['1 / 3e20', '3.333333333e-21'],
    ['12345678901.5', '1.23456789e+10'],
    ['round(2.5)', '2'],
    ['round(3.5)', '4'],
    ['round(-2.5)', '-2'],
    ['round(0.125, 2)', '0.12'],
    ['round(2.675, 2)', '2.67'],
    ['round(1250, -2)', '1200'],
    ['round(1350, -2)', '1400'],
    ['int(-3.7)', '-3'],
    ['floor(-3.2)', '-4'],
    ['15% of 80', '12'],
    ['20%', '0.2'],
    ['200 * 15%', '30'],
    ['(50%) + 3', '3.5'],
    ['17 % 5', '2'],
    ['1 < 2 < 3', 'True'],
    ['3 > 2 == 2', 'True'],
    ['0.1 + 0.2 == 0.3', 'False'],
    ['2 ** 53 + 1 == 2.0 ** 53', 'False'],
    ['1 != 1.0', 'False'],
    ['true + true', '2'],
    ['[1, 2 + 3, [4],]', '[1, 5, [4]]'],
    ['max([3, 7.5, 2])', '7.5'],
    ['factorial(20)', '2432902008176640000'],
    ['comb(50, 25)', '126410606437752'],
    ['perm(5, 2)', '20'],
    ['gcd(84, 30) + lcm(4, 6)', '18'],
    ['log(8, 2)', '3'],
    ['round(log(10 ** 500), 4)', '1151.2925'],
    ['round(sin(pi / 6), 10)', '0.5'],
    ['median([5, 1, 3, 2])', '2.5'],
    ['stdev([2, 4, 4, 4, 5, 5, 7, 9])', '2.138089935'],
    ['round(irr([-1000, 300, 420, 680]), 6)', '0.163406'],
    ['round(irr([-100, 60, 60]) * 100, 4)', '13.0662'],
    ['irr([-100, 100])', '0'],
    ['pmt(0, 10, 1000)', '-100'],
    ['round(fv(0.05 / 12, 120, -100), 2)', '15528.23'],
    ['round(pv(0.08 / 12, 240, 500), 2)', '-59777.15'],
    ['percent(30, 120)', '25'],
    ['percent_change(80, 100)', '25'],
    ['(1,)', '[1]'],
  ])('%s = %s', (expression, expected) => {
    expect(value(expression)).toBe(expected);
  });

  it.each([
    ['1/0', 'division by zero'],
    ['1 % 0', 'division by zero'],
    ['0 ** -1', 'division by zero'],
    ['(9**9999)**9999', 'too many digits'],
    ['9**9999*9**9999*9**9999', 'too many digits'],
    ['pow(2, 99999999)', 'exponent too large'],
    ['10 ** -50000', 'exponent too large'],
    ['factorial(99999999)', 'from 0 to 3000'],
    ['comb(10 ** 300, 2999)', 'too many digits'],
    ['1e308 * 10', 'too large'],
    ['10 ** 400 + 0.5', 'too large'],
    ['(-8) ** (1/3)', 'not a real number'],
    ['sqrt(-1)', 'not defined'],
    ['log(0)', 'not defined'],
    ['asin(2)', 'not a real number'],
    ['sqrt', 'is a function; call it as sqrt(x)'],
    ['sqrt(1, 2)', 'call it as sqrt(x)'],
    ['sqr(4)', 'did you mean sqrt'],
    ['constructor', 'unknown name'],
    ['constructor(1)', 'no function'],
    ['__proto__', 'unknown name'],
    ['2 ^ 3', 'write ** for a power'],
    ["'a'", 'only numbers'],
    ['1,000 + 1', 'write 1000 or 1_000'],
    ['5% + 3', 'two ways'],
    ['2 +', 'ends where a number was expected'],
    ['(2 + 3', 'misses its )'],
    ['2 3', 'was not expected'],
    ['[1] + 1', 'a list cannot be calculated with'],
    ['irr([1, 2])', 'at least one payment and one return'],
    ['irr([-100, 230, -132])', '2 rates of return: 0.100000, 0.200000'],
    ['npv(0.1, 5)', 'must be a list'],
    [`${'('.repeat(200)}1${')'.repeat(200)}`, 'nested more than 100'],
    [`${'-'.repeat(200)}1`, 'nested more than 100'],
  ])('refuses %s', (expression, reason) => {
    expect(why(expression)).toContain(reason);
  });

  it('answers the recorded calls as expected', async () => {
    const registry = createRegistry();
    const { context } = await bench();
    for (const row of sharedRows<{ expression: string | null; expected: string; success: boolean }>(
      'calculator.jsonl',
    )) {
      const args = row.expression === null ? {} : { expression: row.expression };
      const result = await registry.run('calculator', args, context);
      expect(result.success, row.expression ?? '').toBe(row.success);
      if (row.success) expect(result.output).toBe(row.expected);
    }
  });

  it('gives plain data, and says which expression failed', async () => {
    const { context } = await bench();
    const run = (expression: string) => calculator.run({ expression }, context);
    expect((await run('2 ** 10')).data).toEqual({ result: 1024, expression: '2 ** 10' });
    expect((await run('2 ** 100')).data['result']).toBe('1267650600228229401496703205376');
    expect((await run('1 < 2')).data['result']).toBe(true);
    expect((await failureOf(run('1 / 0'))).message).toBe('1 / 0 cannot be calculated: division by zero.');
  });

  it('counts as exact fractions do', () => {
    const integer = fc.integer({ min: -1_000_000, max: 1_000_000 });
    fc.assert(
      fc.property(integer, integer, (a, b) => {
        fc.pre(b !== 0);
        expect(value(`(${a}) // (${b}) * (${b}) + (${a}) % (${b})`)).toBe(String(a));
        expect(Number(value(`(${a}) // (${b})`))).toBe(Math.floor(a / b));
      }),
      { numRuns: 200, seed: 4 },
    );
  });

  it('ends within bounds whatever it is given, without crashing', () => {
    const part = fc.constantFrom(
      '9',
      '**',
      '(',
      ')',
      '99',
      '-',
      '%',
      ',',
      '[',
      ']',
      'pow(',
      'factorial(',
      'comb(',
      'e',
      ' ',
      '//',
      '1e300',
      'irr([',
      'round(',
    );
    fc.assert(
      fc.property(fc.array(part, { maxLength: 40 }), parts => {
        const start = performance.now();
        try {
          shownValue(evaluate(parts.join('')));
        } catch (error) {
          expect(error).toHaveProperty('failure.code', 'calculation_failed');
        }
        expect(performance.now() - start).toBeLessThan(500);
      }),
      { numRuns: process.env['LOOM_DEEP'] ? 20_000 : 1_000, seed: 5 },
    );
  });
});
