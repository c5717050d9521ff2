/** Gives new lines the indentation of the place where the old lines were found. */

/** All white space that `trim` would take, so that nothing of a line gets lost between its two parts. */
export const indentOf = (line: string): string => /^\s*/.exec(line)![0];

/** As deep as it looks: a form feed begins a page, not a level. */
export const depthOf = (line: string): string => indentOf(line).replace(/[\f\v]/g, '');

const columns = (indent: string, tab: number): number =>
  [...indent].reduce((sum, char) => sum + (char === '\t' ? tab : 1), 0);

/** True when deeper in the edit is deeper in the file and equally deep is equally deep: the nesting is the same. */
export function keepsStructure(pairs: [string, string][]): boolean {
  const known = new Map(pairs);
  if (pairs.some(([from, to]) => known.get(from) !== to)) return false;
  return [4, 8, 2].some(tab => {
    const widths = [...known]
      .map(([from, to]) => [columns(from, tab), columns(to, tab)] as const)
      .sort((a, b) => a[0] - b[0] || a[1] - b[1]);
    return widths.every((width, i) => {
      const before = widths[i - 1];
      if (!before) return true;
      return width[0] === before[0] ? width[1] === before[1] : width[1] > before[1];
    });
  });
}

/** Width of one level: the smallest step between the indentations that occur; null where there is none. */
function stepOf(indents: string[]): number | null {
  const widths = [...new Set(['', ...indents].map(indent => indent.length))].sort((a, b) => a - b);
  const steps = widths.map((width, i) => width - (widths[i - 1] ?? 0)).filter(step => step > 0);
  return steps.length > 0 ? Math.min(...steps) : null;
}

/** One level of the file: a tab, or the step in spaces that occurs most; null where nothing is indented. */
export function unitOf(lines: string[]): string | null {
  const steps = new Map<number, number>();
  let tabs = 0;
  let before = 0;
  for (const line of lines) {
    if (line.trim() === '') continue;
    const indent = indentOf(line);
    if (indent.startsWith('\t')) tabs++;
    else if (indent.length > before)
      steps.set(indent.length - before, (steps.get(indent.length - before) ?? 0) + 1);
    before = indent.length;
  }
  const [step, count] = [...steps].sort((a, b) => b[1] - a[1])[0] ?? [0, 0];
  if (tabs > count) return '\t';
  return step > 1 ? ' '.repeat(step) : null;
}

/**
 * @param pairs indentation in the edit and in the file, line by line
 * @param written indentations that occur in old and new text of the edit
 * @param unit one level of the file
 * @returns what an indentation of the edit is in the file; null when nobody can say
 */
export function indenter(
  pairs: [string, string][],
  written: string[],
  unit: string | null,
): (indent: string) => string | null {
  const known = new Map<string, string | null>();
  for (const [from, to] of pairs) known.set(from, !known.has(from) || known.get(from) === to ? to : null);
  const scale = scaling(
    [...known].filter((pair): pair is [string, string] => pair[1] !== null),
    written,
    unit,
  );
  return indent => {
    const same = known.get(indent);
    if (same !== undefined) return same;
    const keys = [...known.keys()].sort((a, b) => b.length - a.length);
    const shallower = keys.find(key => indent.startsWith(key));
    if (shallower !== undefined) {
      const [base, rest] = [known.get(shallower)!, scale(indent.slice(shallower.length))];
      return base === null || rest === null ? null : base + rest;
    }
    const deeper = keys.reverse().find(key => key.startsWith(indent));
    if (deeper === undefined) return keys.length === 0 ? indent : null;
    const [base, rest] = [known.get(deeper)!, scale(deeper.slice(indent.length))];
    return base !== null && rest !== null && base.endsWith(rest)
      ? base.slice(0, base.length - rest.length)
      : null;
  };
}

/** Turns the difference of two indentations of the edit into that of the file. */
function scaling(
  known: [string, string][],
  written: string[],
  unit: string | null,
): (rest: string) => string | null {
  const indented = known.filter(([from, to]) => from !== '' || to !== '');
  const kept = indented.filter(([from]) => from !== '');
  if (kept.length > 0 && kept.every(([from, to]) => from === to)) return rest => rest;
  const tabbed = written.some(indent => indent.includes('\t'));
  const here = tabbed ? null : stepOf(written);
  const there = unitAmong(indented, unit);
  if (there === null) return rest => rest;
  return rest => {
    const tabs = rest.split('\t').length - 1;
    const spaces = rest.length - tabs;
    const levels = here === null ? 0 : spaces / here;
    // Not a level but an alignment: it stays as wide as it was written.
    if (spaces > 0 && (here === null || !Number.isInteger(levels))) return there === '\t' ? null : rest;
    return there.repeat(tabs + levels);
  };
}

/** What one level is at this place, as its own lines show; otherwise what it is in the file. */
function unitAmong(known: [string, string][], unit: string | null): string | null {
  const depths = [...new Map(known).values()];
  if (depths.some(depth => depth.includes('\t'))) return '\t';
  const spaces = unit !== null && unit !== '\t';
  const sorted = [...new Set(depths.map(depth => depth.length))].sort((a, b) => a - b);
  const steps = sorted.slice(1).map((depth, i) => depth - sorted[i]!);
  if (steps.length > 0 && !(spaces && steps.includes(unit.length))) return ' '.repeat(Math.min(...steps));
  return spaces || depths.every(depth => depth === '') ? unit : null;
}
