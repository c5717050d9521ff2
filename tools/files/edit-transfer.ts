/** Does to the file's own lines what an edit does to the lines it took them for. */

import { type Alignment, isBlank } from './edit-align.ts';
import type { Region } from './edit-region.ts';
import { plain } from './fold.ts';
import { diffLines, likeness, type Step, stepsOf } from './line-diff.ts';
import { depthOf, indenter, indentOf } from './reindent.ts';
import { type Drift, driftOf, transfer, unspelt } from './token-transfer.ts';

/** The place is found, but there are two readings of what the file is to become. */
export class Unclear extends Error {}

/** Lines of an edit that were made of another: from here on alike. */
const ALIKE = 0.6;

interface Place {
  region: Region;
  /** Line end of each line of the region. */
  eols: string[];
  /** Line end for lines that have no neighbour to learn from. */
  eol: string;
  /** One level of indentation in this file; null when unknown. */
  unit: string | null;
  /** White space at line ends means something here (Markdown). */
  keepTrailing: boolean;
}

const trailing = (line: string): string => /\s*$/.exec(line)![0];

/**
 * The new text of the place.
 * Unchanged lines are the file's own, changed ones keep its indentation, quotes and line ends.
 * @param old lines of the edit beside which `alignment` puts those of the file
 * @throws Unclear
 */
export function transferred(old: string[], now: string[], alignment: Alignment, place: Place): string {
  const { region } = place;
  const found = region.texts;
  const { partner, wrapped, bareFirst, flattened } = alignment;
  const indentIn = (line: number): string => (line === 0 && region.cutsFirst ? '' : indentOf(found[line]!));

  const steps = diffLines(old, now);
  const pairs = old.flatMap((line, i): [string, string][] =>
    partner[i] === null || isBlank(line) || (i === 0 && bareFirst)
      ? []
      : [[depthOf(line), depthOf(indentIn(partner[i]!))]],
  );
  const fromNow = steps.flatMap((step): [string, string][] =>
    step.same && partner[step.old] !== null && !isBlank(now[step.now]!)
      ? [[depthOf(now[step.now]!), depthOf(indentIn(partner[step.old]!))]]
      : [],
  );
  refuseTwoMargins(steps, old, now, pairs);
  const nested = flattened && now.some(line => indentOf(line) !== '');
  const written = [...old, ...now].filter(line => !isBlank(line)).map(indentOf);
  const translate = indenter(nested ? fromNow : pairs, written, place.unit);
  const drifts = old.flatMap((line, i) => (partner[i] === null ? [] : [driftOf(line, found[partner[i]!]!)]));
  const drift: Drift = {
    toPlain: drifts.some(one => one.toPlain),
    quotes: drifts.some(one => one.quotes),
    dashes: drifts.some(one => one.dashes),
  };
  const dirtyEnds = old.some(
    (line, i) => partner[i] !== null && trailing(line).length > trailing(found[partner[i]!]!).length,
  );

  const lines: { text: string; eol: string }[] = [];
  let next = 0;
  const keepUntil = (line: number) => {
    for (; next < line; next++) lines.push({ text: found[next]!, eol: place.eols[next]! });
  };
  const indentFor = (j: number, i: number | null): string => {
    const line = now[j]!;
    if (lines.length === 0 && region.cutsFirst) return '';
    if (i !== null && partner[i] !== null && indentOf(old[i]!) === indentOf(line))
      return indentIn(partner[i]!);
    if (j === 0 && bareFirst && indentOf(line) === '') return indentIn(0);
    const indent = translate(depthOf(line)) ?? (i === null ? besides(j) : null);
    if (indent === null) throw new Unclear(`how deep to indent "${line.trim().slice(0, 80)}" is not clear`);
    return indent;
  };
  /** Between two lines equally deep in edit and file, a new one that is as deep in the edit belongs there. */
  const besides = (j: number): string | null => {
    const kept = (step: Step) => step.same && !isBlank(now[step.now]!) && partner[step.old] !== null;
    const at = (step: Step | undefined): string | null =>
      step?.same && indentOf(now[step.now]!) === indentOf(now[j]!) ? indentIn(partner[step.old]!) : null;
    const before = at(steps.findLast(step => kept(step) && step.same && step.now < j));
    const after = at(steps.find(step => kept(step) && step.same && step.now > j));
    return before !== null && before === after ? before : null;
  };
  const add = (j: number, eol: string) => {
    const line = now[j]!;
    if (isBlank(line)) return lines.push({ text: '', eol });
    if (unspelt(line, drift))
      throw new Unclear(`which quotes "${line.trim().slice(0, 80)}" is to have is not clear`);
    const own = drift.toPlain ? plain(line) : line;
    const text = dirtyEnds ? own.trim() : own.slice(indentOf(own).length);
    return lines.push({ text: indentFor(j, null) + text, eol });
  };
  const eolHere = () => lines.at(-1)?.eol || place.eols[next] || place.eol;
  const change = (i: number, j: number) => {
    const at = partner[i]!;
    keepUntil(at);
    const [o, n, f] = [old[i]!, now[j]!, found[at]!];
    const same = o.trim() === n.trim();
    const content = same ? f.trim() : transfer(o, n, f, drift);
    if (content === null)
      throw new Unclear(`what "${n.trim().slice(0, 80)}" is in the file's spelling is not clear`);
    // A form feed is no slip of somebody's editor.
    const asIs = place.keepTrailing || trailing(o) === trailing(f) || /[^ \t]/.test(trailing(f));
    const end = trailing(o) === trailing(n) ? (asIs ? trailing(f) : '') : dirtyEnds ? '' : trailing(n);
    lines.push({ text: isBlank(n) ? end : indentFor(j, i) + content + end, eol: place.eols[at]! });
    next = at + 1;
  };
  const wrapOf = (i: number) => wrapped.find(group => i >= group.from && i < group.to);
  /** New lines beside a blank line of the file go with the neighbour that is as deep, if the other is not. */
  const sideOf = (fresh: number[], following: number): 'before' | 'behind' => {
    const depths = fresh.map(j => indentOf(now[j]!));
    const above = old.findLastIndex((line, i) => (partner[i] ?? next) < next && !isBlank(line));
    const [a, b] = [indentOf(old[above] ?? ''), indentOf(old[partner.indexOf(following)] ?? '')];
    const belongs = (own: string, other: string) =>
      above >= 0 && own !== other && depths.every(depth => depth.startsWith(own) && depth !== other);
    if (depths[0] === a && belongs(a, b)) return 'before';
    if (depths.at(-1) === b && belongs(b, a)) return 'behind';
    throw new Unclear('the new lines could stand before or behind a blank line of the file');
  };
  const replace = (gone: number[], fresh: number[], following: number | undefined) => {
    const places = gone.flatMap(i => {
      const group = wrapOf(i);
      if (group && (!gone.includes(group.from) || !gone.includes(group.to - 1)))
        throw new Unclear(`the file breaks "${old[i]!.trim().slice(0, 80)}" into other lines`);
      return group ? [group.first, group.end - 1] : partner[i] === null ? [] : [partner[i]!];
    });
    if (places.length > 0) {
      keepUntil(Math.min(...places));
      const behind = Math.max(...places) + 1;
      const apart = [next - 1, behind].every(line => isBlank(found[line] ?? '-'));
      if (fresh.length === 0 && apart && !partner.includes(next - 1))
        throw new Unclear('which blank line is to go with the removed lines is not clear');
      const eol = place.eols[next] || eolHere();
      for (const j of fresh) add(j, eol);
      next = behind;
      return;
    }
    const gap = following !== undefined && following > next;
    if (fresh.length > 0 && gap) {
      const side = fresh.some(j => isBlank(now[j]!)) ? 'instead' : sideOf(fresh, following);
      if (side === 'instead') next = following;
      if (side === 'behind') keepUntil(following);
    }
    for (const j of fresh) add(j, eolHere());
  };

  for (const [at, step] of steps.entries()) {
    if (!step.same) {
      const following = steps.slice(at + 1).find(other => other.same && partner[other.old] !== null);
      const bound = following?.same ? partner[following.old]! : undefined;
      hunk(step, old, now, partner, change, (gone, fresh, pair) =>
        replace(gone, fresh, pair === undefined ? bound : partner[pair]!),
      );
      continue;
    }
    const group = wrapOf(step.old);
    if (group) {
      // Left as the file breaks it; once for all its lines.
      const all = steps.filter(other => other.same && other.old >= group.from && other.old < group.to);
      if (all.length !== group.to - group.from)
        throw new Unclear(`the file breaks "${old[step.old]!.trim().slice(0, 80)}" into other lines`);
      keepUntil(group.end);
    } else if (partner[step.old] !== null) change(step.old, step.now);
  }
  keepUntil(found.length);
  return lines.map((line, i) => line.text + (i < lines.length - 1 ? line.eol || place.eol : '')).join('');
}

/** Old and new text may each have been moved to the left margin by themselves: then less deep may mean nothing. */
function refuseTwoMargins(steps: Step[], old: string[], now: string[], pairs: [string, string][]): void {
  const kept = steps.filter(step => step.same && !isBlank(now[step.now]!));
  const moved = pairs.some(([o, f]) => o.length < f.length);
  const atMargin = [old, now].every(lines => lines.some(line => !isBlank(line) && indentOf(line) === ''));
  if (kept.length === 0 || !moved || !atMargin) return;
  if (kept.every(step => step.same && indentOf(now[step.now]!).length < indentOf(old[step.old]!).length))
    throw new Unclear('whether its lines are to move to the left is not clear');
}

/** Lines changed one by one are changed in place; what has no counterpart is removed or added between them. */
function hunk(
  step: Extract<Step, { same: false }>,
  old: string[],
  now: string[],
  partner: (number | null)[],
  change: (i: number, j: number) => void,
  replace: (gone: number[], fresh: number[], nextPair?: number) => void,
): void {
  const whole = (i: number) => partner[i] !== null && !isBlank(old[i]!);
  const [gone, fresh] = [step.old.filter(whole), step.now.filter(j => !isBlank(now[j]!))];
  const pairs: [number, number][] = [];
  if (gone.length === fresh.length && gone.length === step.old.length && fresh.length === step.now.length)
    for (const k of gone.keys()) pairs.push([k, k]);
  else {
    let from = 0;
    for (const [j, line] of step.now.entries()) {
      const scores = step.old.map((i, k) =>
        k >= from && whole(i) && !isBlank(now[line]!) ? likeness(old[i]!.trim(), now[line]!.trim()) : 0,
      );
      const best = scores.reduce((top, score, k) => (score > scores[top]! ? k : top), 0);
      if ((scores[best] ?? 0) < ALIKE) continue;
      pairs.push([best, j]);
      from = best + 1;
    }
  }
  const parts = stepsOf(pairs, step.old, step.now);
  for (const [at, part] of parts.entries()) {
    if (part.same) {
      change(part.old, part.now);
      continue;
    }
    const following = parts[at + 1];
    replace(part.old, part.now, following?.same ? following.old : undefined);
  }
}
