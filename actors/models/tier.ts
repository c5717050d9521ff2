/** The size class of a model, inferred from its name when the configuration does not say. */

const LARGE = /\b(opus|large|gpt-[45](?!.*(mini|nano))|deepseek-(v3|r1)(?!.*distill)|kimi|glm-4\.[5-9])/i;
const MEDIUM = /\b(sonnet|medium|pro|mini)\b/i;
const SIZE = /(?<![\d.a])(?:(\d+)x)?(\d+(?:\.\d+)?)b\b/i;

/** 1 small (under 12 billion parameters, or unknown), 2 medium (under 40), 3 large. A configured tier wins. */
export function tierOf(name: string, configured: number): number {
  if (configured >= 1) return Math.min(3, Math.floor(configured));
  const size = SIZE.exec(name);
  if (size) {
    const billions = Number(size[1] ?? 1) * Number(size[2]);
    return billions >= 40 ? 3 : billions >= 12 ? 2 : 1;
  }
  if (LARGE.test(name)) return 3;
  return MEDIUM.test(name) ? 2 : 1;
}
