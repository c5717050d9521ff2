/** One way to cut text into lines, for every tool that counts them: only real line ends, no form feeds or U+2028. */

/** A lone CR ends lines only where nothing else does (old Mac files); elsewhere it is a character in a line. */
const endOf = (text: string): RegExp => (text.includes('\n') ? /\r?\n/g : /\r/g);

/** Lines without their ends; a final line end does not begin another line. */
export function linesOf(text: string): string[] {
  if (text === '') return [];
  const lines = text.split(endOf(text));
  if (lines.at(-1) === '') lines.pop();
  return lines;
}

export interface Line {
  /** Without its end. */
  text: string;
  /** Offset of its first character, and of the first character behind its end. */
  start: number;
  end: number;
  /** Its line end, '' for a last line without one. */
  eol: string;
}

/** Lines with their places in the text. */
export function lineTable(text: string): Line[] {
  const lines: Line[] = [];
  const pattern = endOf(text);
  let start = 0;
  for (let found = pattern.exec(text); found; found = pattern.exec(text)) {
    lines.push({ text: text.slice(start, found.index), start, end: pattern.lastIndex, eol: found[0] });
    start = pattern.lastIndex;
  }
  if (start < text.length) lines.push({ text: text.slice(start), start, end: text.length, eol: '' });
  return lines;
}

/** 1-based number of the line that holds `offset`. */
export function lineAt(lines: Line[], offset: number): number {
  let low = 0;
  let high = lines.length - 1;
  while (low < high) {
    const middle = (low + high + 1) >> 1;
    if (lines[middle]!.start <= offset) low = middle;
    else high = middle - 1;
  }
  return low + 1;
}

/** Numbered lines `from`..`to` (1-based, inclusive), for an error text. */
export function numbered(lines: Line[], from: number, to: number): string {
  const width = String(to).length;
  return lines
    .slice(from - 1, to)
    .map((line, i) => `${String(from + i).padStart(width)} | ${line.text.slice(0, 200)}`)
    .join('\n');
}
