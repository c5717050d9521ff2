/** calculator: one expression, exactly as Python would count, with financial formulas. */

import { LoomError } from '../machines/failure.ts';
import { refusal, success } from './result.ts';
import type { Tool } from './tool.ts';

export const calculator: Tool = {
  name: 'calculator',
  description:
    'Evaluate an expression: + - * / // % **, comparisons, sqrt, log, npv, irr, pmt, cagr, 15% of 80 …',
  category: 'data',
  keywords: ['calculate', 'compute', 'math', 'sum', 'percent', 'interest', 'npv', 'irr'],
  parameters: {
    type: 'object',
    properties: { expression: { type: 'string', minLength: 1, maxLength: 1_000 } },
    required: ['expression'],
    additionalProperties: false,
  },
  effects: 'read',
  timeoutMs: 5_000,

  async run(args) {
    const expression = (args['expression'] as string).trim();
    const { evaluate } = await import('./calculate/evaluate.ts');
    const { shownValue } = await import('./calculate/arithmetic.ts');
    try {
      const value = evaluate(expression);
      const shown = shownValue(value);
      const plain = typeof value === 'number' || typeof value === 'boolean';
      const result =
        typeof value === 'bigint' && Number.isSafeInteger(Number(value))
          ? Number(value)
          : plain
            ? value
            : shown;
      return success(`${expression} = ${shown}`, { data: { result, expression } });
    } catch (error) {
      if (!(error instanceof LoomError)) throw error;
      throw refusal(
        'calculation_failed',
        `${expression.slice(0, 200)} cannot be calculated: ${error.message}.`,
      );
    }
  },
};
