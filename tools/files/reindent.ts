/** Gives new lines the indentation of the place where the old lines were found. */

const indentOf = (line: string): string => /^[ \t]*/.exec(line)![0];
const isBlank = (line: string): boolean => line.trim() === '';

/** Width of one level in spaces: the smallest step between the indentations that occur. */
function stepOf(indents: string[]): number {
  const widths = [...new Set(indents.map(indent => indent.length))].sort((a, b) => a - b);
  const steps = widths.map((width, i) => width - (widths[i - 1] ?? 0)).filter(step => step > 0);
  return steps.length > 0 ? Math.min(...steps) : 4;
}

/**
 * `old` and `found` are the matched lines pair by pair (same number, same words); `fresh` is indented like `old`.
 * @returns `fresh` indented like `found`; null when one indentation of `old` stands for several in `found`, so that
 * nobody can say how deep a new line belongs.
 */
export function reindent(old: string[], found: string[], fresh: string[]): string[] | null {
  const known = new Map<string, string>();
  for (const [i, line] of old.entries()) {
    if (isBlank(line)) continue;
    const [from, to] = [indentOf(line), indentOf(found[i]!)];
    if ((known.get(from) ?? to) !== to) return null;
    known.set(from, to);
  }
  const tabs = [...known.values()].some(indent => indent.includes('\t'));
  const written = [...known.keys(), ...fresh.filter(line => !isBlank(line)).map(indentOf)];
  const translate = translation(written, [...known.values()], tabs);
  return fresh.map(line =>
    isBlank(line) ? '' : placed(indentOf(line), known, translate) + line.trimStart(),
  );
}

/** Turns a deeper part written in one kind of whitespace into the kind of the place. */
function translation(written: string[], present: string[], tabs: boolean): (rest: string) => string {
  const writtenTabs = written.some(indent => indent.includes('\t'));
  if (tabs && !writtenTabs) {
    const step = stepOf(written);
    return rest => '\t'.repeat(Math.ceil(rest.length / step));
  }
  if (!tabs && writtenTabs && present.some(indent => indent.length > 0)) {
    const step = stepOf(present);
    return rest => rest.replaceAll('\t', ' '.repeat(step));
  }
  return rest => rest;
}

function placed(indent: string, known: Map<string, string>, translate: (rest: string) => string): string {
  const same = known.get(indent);
  if (same !== undefined) return same;
  const keys = [...known.keys()].sort((a, b) => b.length - a.length);
  const shallower = keys.find(key => indent.startsWith(key));
  if (shallower !== undefined) return known.get(shallower)! + translate(indent.slice(shallower.length));
  const deeper = keys.reverse().find(key => key.startsWith(indent));
  if (deeper === undefined) return indent;
  const to = known.get(deeper)!;
  return to.slice(0, Math.max(0, to.length - translate(deeper.slice(indent.length)).length));
}
