/** What makes two tool calls, or two results, the same for the loop guard: their meaning, not their spelling.
 *
 *  A call counts as repeated only when its result is the same, too, so that leaving out what cannot matter then (limits,
 *  time limits, flags, moments in time) never makes two different questions one. */
import { createHash } from 'node:crypto';

const hash = (text: string): string => createHash('sha256').update(text).digest('base64url').slice(0, 16);

/** Words about the call, which do not change what it does, and what only makes it look new. */
const REMARKS =
  /^(description|explanation|reason|reasoning|purpose|comment|thought|note|timestamp|now|nonce|request_?id|trace_?id)$/i;
/** Exact moments and random ids. A day or a time of day alone may be what is asked for. */
const MOMENT =
  /\b\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d([.,]\d+)?(Z|[+-]\d\d:?\d\d)?|\b1\d{9}(\d{3})?\b|\b[0-9a-f]{8}-([0-9a-f]{4}-){3}[0-9a-f]{12}\b/gi;

function textOf(key: string, text: string): string {
  const moments = text.replace(MOMENT, '<moment>');
  // A comment at the end of a command.
  const plain = key === 'command' ? moments.replace(/\s#\s[^'"`]*$/, '') : moments;
  const squeezed = plain.replace(/\s+/g, ' ').trim();
  return /path|folder|directory/i.test(key)
    ? squeezed.replace(/^(\.\/+)+/, '').replace(/\/+$/, '') || '.'
    : squeezed;
}

/** The value in one spelling; null where it cannot make a difference. */
function meaning(key: string, value: unknown): unknown {
  if (typeof value === 'string') return REMARKS.test(key) ? null : textOf(key, value) || null;
  if (Array.isArray(value)) return value.map(item => meaning(key, item));
  if (typeof value !== 'object' || value === null) return null;
  const parts = Object.entries(value)
    .map(([name, part]) => [name, meaning(name, part)] as const)
    .filter(([, part]) => part !== null)
    .sort(([a], [b]) => (a < b ? -1 : 1));
  return parts.length > 0 ? parts : null;
}

/** Same for every spelling of one call: order of the arguments, white space, `./`, limits, remarks, moments in time. */
export const callSignature = (name: string, args: Record<string, unknown>): string =>
  hash(`${name}\n${JSON.stringify(meaning('', args))}`);

/** How long a test run or a build took, and when it began, in the forms in which runners write it; the rest of their output
 *  is what they say. Not what is still to come (`ready in 30s`) or goes on (`10s elapsed`): that is progress. */
const TIMING = [
  /\bin \d+\.\d+ ?(ms|s|sec|seconds)\b/g,
  /\b(took|(passed|failed|finished|completed|compiled|built) in) [\d.,]+ ?(ms|s|sec|seconds|minutes)\b/gi,
  /\(\d+(\.\d+)? ?ms\)|\(\d+\.\d+ ?s\)/g,
  /^\s*(Time|Duration):?\s+[\d.,]+ ?(ms|s)\b.*$/gm,
  /^(real|user|sys)\s+\d+m[\d.,]+s/gm,
  /^\s*Start at\s+[\d:]+/gm,
  /\bduration_ms:? [\d.]+/g,
];

/** Same for every result that tells the model the same. */
export const resultSignature = (success: boolean, text: string): string =>
  hash(`${success}\n${TIMING.reduce((rest, form) => rest.replace(form, '<time>'), text)}`);
