/** Verdicts as verifiers write them; what does not say clearly whether it passed says nothing. */
import { describe, expect, it } from 'vitest';
import { readVerdict } from '../../../actors/effects/review.ts';

describe('a verdict', () => {
  it.each([
    ['{"passed":true,"outcome":"pass","confidence":0.9,"feedback":"ok","issues":[]}', 'pass', 0.9],
    ['{"passed":true,"issues":[],"confidence":0.9}', 'pass', 0.9],
    ['{"passed":true,"issues":["small thing"]}', 'pass_with_warnings', 0.8],
    ['{"passed":true,"outcome":"fail","confidence":0.9}', 'fail', 0.9],
    ['{"passed":false,"outcome":"pass"}', 'fail', 0.4],
    ['```json\n{"passed": "yes", "confidence": "85%"}\n```', 'pass', 0.85],
    ['{"outcome":"partial_verified","confidence":70}', 'partial_verified', 0.7],
    ['I checked it. {"passed": false, "feedback": "no tests"}', 'fail', 0.4],
  ])('%s', (text, outcome, confidence) => {
    const verdict = readVerdict(text);
    expect(verdict?.outcome).toBe(outcome);
    expect(verdict?.confidence).toBeCloseTo(confidence);
    expect(verdict?.passed).toBe(outcome !== 'fail');
  });

  it.each(['Looks good to me!', '{"confidence":0.9}', '', '{"passed":"maybe"}', '[true]'])(
    'is not: %s',
    text => expect(readVerdict(text)).toBeNull(),
  );

  it('that fails without a reason gets one', () => {
    expect(readVerdict('{"passed":false}')?.reason_code).toBe('llm_semantic_failed');
  });
});
