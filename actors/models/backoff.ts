/** How long to wait before the next attempt of a model call. */

interface BackoffLimits {
  base_ms: number;
  max_ms: number;
  jitter_ms: number;
}

/** 0 ≤ x < 1, the same for the same words (FNV-1a, 32 bit), so that a replay waits as the run did. */
function seeded(words: string): number {
  let hash = 0x811c9dc5;
  for (let i = 0; i < words.length; i++) hash = Math.imul(hash ^ words.charCodeAt(i), 0x01000193);
  // The plain sum has weak high bits for short words; one round of mixing spreads them.
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  return ((hash ^ (hash >>> 13)) >>> 0) / 2 ** 32;
}

/** Milliseconds before attempt `n + 1` (n from 1): doubling and bounded, plus jitter; never less than what the server asked for. */
export function backoffMs(
  n: number,
  limits: BackoffLimits,
  seed: string,
  retryAfterMs: number | undefined,
): number {
  const grown = Math.min(limits.max_ms, limits.base_ms * 2 ** (n - 1));
  return Math.round(Math.max(grown, retryAfterMs ?? 0) + limits.jitter_ms * seeded(`${seed}|${n}`));
}
