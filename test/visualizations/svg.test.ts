/** SVG is laid out by a package that need not be there. */
import { describe, expect, it } from 'vitest';
import type { LoomError } from '../../machines/failure.ts';
import { dot } from '../../visualizations/dot.ts';
import { chartOf } from '../../visualizations/machines.ts';
import { svg } from '../../visualizations/svg.ts';

const text = dot([{ title: 'turn', chart: chartOf('turn')! }]);
const failureOf = (work: Promise<unknown>): Promise<unknown> =>
  work.then(
    () => null,
    (error: unknown) => (error as LoomError).failure,
  );
/** A package whose layout answers with `result` and keeps what it was given. */
const laidOut = (result: { status: string; output?: string; errors: { message: string }[] }) => {
  const given: string[] = [];
  const load = async () => ({
    instance: async () => ({
      render: (input: string) => {
        given.push(input);
        return result;
      },
    }),
  });
  return { given, load };
};

describe('svg', () => {
  it('without its package says what to install and what works without', async () => {
    const missing = Object.assign(new Error('Cannot find package'), { code: 'ERR_MODULE_NOT_FOUND' });
    const failure = await failureOf(svg(text, () => Promise.reject(missing)));
    expect(failure).toMatchObject({ code: 'viz_missing' });
    expect((failure as LoomError).message).toMatch(
      /npm install @viz-js\/viz@\d+\.\d+\.\d+.*--format mermaid.*--format dot/,
    );
  });

  it('hands over the DOT text and gets letters that are as wide everywhere', async () => {
    const { given, load } = laidOut({
      status: 'success',
      output: '<svg><text font-family="Courier,monospace">turn</text></svg>',
      errors: [],
    });
    expect(await svg(text, load)).toMatch(
      /^<svg><text font-family="ui-monospace,.*monospace">turn<\/text><\/svg>$/,
    );
    expect(given).toEqual([text]);
  });

  it('says why nothing could be drawn', async () => {
    const { load } = laidOut({ status: 'failure', errors: [{ message: 'syntax error in line 1' }] });
    expect(await failureOf(svg('digraph {', load))).toMatchObject({
      code: 'viz_failed',
      message: expect.stringContaining('syntax error in line 1'),
    });
  });
});
