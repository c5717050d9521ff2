/** What an executor's last answer claims: the completion contract of the prompt, read leniently but never in its favour. */
import type { ClaimStatus } from '../../machines/effects.ts';
import { extractJson } from '../models/extract-json.ts';

export interface Claim {
  /** The answer says its status in so many words. */
  explicit: boolean;
  status: ClaimStatus;
  reason: string;
  summary: string;
  deliverables: string[];
}

const STATUSES: ClaimStatus[] = ['success', 'partial', 'failed', 'blocked'];

/** The last JSON object of the answer, if it speaks of a status; an answer without one claims success. */
export function readClaim(answer: string): Claim {
  const found = lastObject(answer);
  const text = answer.trim();
  if (!found)
    return { explicit: false, status: 'success', reason: '', summary: text.slice(0, 480), deliverables: [] };
  const word = String(found['status'] ?? 'success')
    .toLowerCase()
    .trim();
  const status =
    STATUSES.find(candidate => candidate === word) ??
    (word === 'completed' || word === 'done' ? 'success' : 'failed');
  const touched = found['deliverables_touched'];
  return {
    explicit: true,
    status,
    reason: String(found['reason'] ?? found['summary'] ?? `the answer's status was "${word}"`).slice(0, 500),
    summary: String(found['summary'] ?? text).slice(0, 480),
    deliverables: Array.isArray(touched)
      ? touched.filter(path => typeof path === 'string').slice(0, 100)
      : [],
  };
}

function lastObject(answer: string): Record<string, unknown> | null {
  // From the last brace that opens an object mentioning a status, so that objects quoted earlier do not count.
  for (let at = answer.lastIndexOf('{'); at >= 0; at = at > 0 ? answer.lastIndexOf('{', at - 1) : -1) {
    const tail = answer.slice(at);
    if (!/["']?status["']?\s*:/.test(tail)) continue;
    const found = extractJson(tail, ['status']);
    const value = found?.value;
    if (value && typeof value === 'object' && !Array.isArray(value) && 'status' in value)
      return value as Record<string, unknown>;
  }
  return null;
}
