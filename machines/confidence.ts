/** The confidence of a verified result, 0..1, and its band. Weights and bands are those users of Loom know:
 *  share of passed checks 0.3, the reviewer's confidence 0.3 (only when one answered), retries left unused 0.2,
 *  nothing destructive 0.1, share of successful tool calls 0.1; the sum is divided by the weights that apply. */
import type { VerdictDigest } from './verdict.ts';

export type Band = 'high' | 'medium' | 'low' | 'zero';

export function confidence(verdict: VerdictDigest, retries: number, maxRetries: number): number {
  const parts: [weight: number, value: number][] = [
    [0.3, verdict.checks_passed ?? 1],
    [0.2, maxRetries > 0 ? 1 - Math.min(retries, maxRetries) / maxRetries : 1],
    [0.1, verdict.destructive ? 0 : 1],
    [0.1, verdict.tools_succeeded ?? 1],
  ];
  if (verdict.tier >= 2) parts.push([0.3, verdict.confidence]);
  const weights = parts.reduce((sum, [weight]) => sum + weight, 0);
  return parts.reduce((sum, [weight, value]) => sum + weight * value, 0) / weights;
}

/** `high` begins at the configured threshold (default 0.8), medium at 0.5, low at 0.2. */
export function band(score: number, threshold = 0.8): Band {
  if (score >= threshold) return 'high';
  if (score >= 0.5) return 'medium';
  return score >= 0.2 ? 'low' : 'zero';
}
