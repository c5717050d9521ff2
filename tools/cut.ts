/** Cuts long output so that its beginning and its end stay. */

/** Stands in the gap until whoever keeps the whole knows its name. */
export const KEPT = 'the whole output is kept';

/** The first two and the last three fifths, cut at line ends where these are near.
 *  @param kept where the whole is, for the line that stands in the gap */
export function headAndTail(text: string, limit: number, kept = KEPT): { shown: string; cut: boolean } {
  if (text.length <= limit) return { shown: text, cut: false };
  const room = Math.max(0, limit - 56 - kept.length);
  let head = text.slice(0, Math.floor(room * 0.4));
  let tail = text.slice(text.length - Math.ceil(room * 0.6));
  const lastBreak = head.lastIndexOf('\n');
  if (lastBreak > head.length * 0.7) head = head.slice(0, lastBreak);
  const firstBreak = tail.indexOf('\n');
  if (firstBreak >= 0 && firstBreak < tail.length * 0.3) tail = tail.slice(firstBreak + 1);
  const gone = text.length - head.length - tail.length;
  return {
    shown: `${head}\n[... ${gone} characters not shown; ${kept} ...]\n${tail}`,
    cut: true,
  };
}
