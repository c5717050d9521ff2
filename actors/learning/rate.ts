/** How often a model manages a kind of work, with what few observations can and cannot say. */

/** Quantile of the normal distribution for 95 %. */
const Z = 1.96;

/** The score interval for a share, from E. B. Wilson, "Probable inference, the law of succession, and statistical
 *  inference", Journal of the American Statistical Association 22 (1927). Without observations it is [0, 1]. */
export function wilson(passed: number, failed: number): { low: number; high: number } {
  const n = passed + failed;
  if (n === 0) return { low: 0, high: 1 };
  const share = passed / n;
  const spread = Z * Math.sqrt((share * (1 - share)) / n + (Z * Z) / (4 * n * n));
  const scale = 1 + (Z * Z) / n;
  const middle = share + (Z * Z) / (2 * n);
  return { low: Math.max(0, (middle - spread) / scale), high: Math.min(1, (middle + spread) / scale) };
}

/** Mean of the posterior after an even prior (Laplace's rule of succession): a guess that also orders models nobody tried. */
export const expected = (passed: number, failed: number): number => (passed + 1) / (passed + failed + 2);
