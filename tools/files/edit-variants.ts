/** What a model may have meant: its text without line numbers, code fences, or one escape too many. */

import { likeness } from './line-diff.ts';
import { linesOf } from './lines.ts';

/** New text that was made of the old. */
const ALIKE = 0.6;

export interface Edit {
  old_str: string;
  new_str: string;
  /** What is left can only be whole lines. */
  whole?: boolean;
}

/** @returns the edit without the decoration; null when it has none, or the new text has it in part */
type Undo = (edit: Edit, file: string) => Edit | null;

const NUMBERED = [
  { form: /^ *\d+\t/, sure: true },
  { form: /^ *\d+ ?[|\u2502] ?/, sure: true },
  { form: /^ *\d+ ?\u2192/, sure: true },
  { form: /^ *(?:L|line )?\d+: ?/, sure: false },
  { form: /^ *\d+[.)] /, sure: false },
  { form: /^ *\[\d+\] ?/, sure: false },
  { form: /^ *\d+ /, sure: false },
];
/** `7 |` of a blank line, from which somebody cut the space behind. */
const bareNumber = (line: string): boolean => /^ *\d+ ?[|\u2502:\u2192]?\s*$/.test(line);

function withoutNumbers({ old_str, new_str }: Edit): Edit | null {
  const lines = old_str.split('\n');
  const full = lines.filter(line => line.trim() !== '');
  for (const { form, sure } of NUMBERED) {
    const has = (line: string) => form.test(line) || bareNumber(line);
    if (full.length === 0 || !full.every(has) || !full.some(line => form.test(line))) continue;
    const numbers = lines.map(line => (line.trim() === '' ? null : Number(/\d+/.exec(line)![0])));
    const first = numbers.findIndex(number => number !== null);
    if (!numbers.every((number, i) => number === null || number - numbers[first]! === i - first)) continue;
    const strip = (text: string) =>
      text
        .split('\n')
        .map(line => (form.test(line) ? line.replace(form, '') : has(line) ? '' : line))
        .join('\n');
    const fresh = new_str.split('\n').filter(line => line.trim() !== '');
    const numbered = fresh.filter(has).length;
    if (numbered > 0 && numbered < fresh.length && !sure) return null;
    return { old_str: strip(old_str), new_str: numbered > 0 ? strip(new_str) : new_str, whole: true };
  }
  return null;
}

const FENCED = /^\s*(`{3,}|~{3,})[^\n`]*\n([\s\S]*?)\n?[ \t]*\1\s*$/;
const FENCE = /^\s*(?:`{3}|~{3})/m;

function withoutFences({ old_str, new_str }: Edit, file: string): Edit | null {
  const old = FENCED.exec(old_str)?.[2];
  if (old === undefined) return null;
  // A document that has such a fence may be meant with it, and have changed.
  const opening = old_str.trim().split('\n', 1)[0]!.trim();
  if (linesOf(file).some(line => line.trim() === opening)) return null;
  // More fences within: it is a piece of a document that has some.
  if (FENCE.test(old)) return null;
  const fresh = FENCED.exec(new_str)?.[2];
  if (FENCE.test(fresh ?? new_str)) return null;
  return { old_str: old, new_str: fresh ?? new_str, whole: true };
}

function parsed(text: string): string | null {
  try {
    const wire = text
      .replace(/\r?\n/g, '\\n')
      .replaceAll('\t', '\\t')
      .replace(/(?<!\\)((?:\\\\)*)\\'/g, "$1'");
    return JSON.parse(`"${wire}"`) as string;
  } catch {
    return null;
  }
}

/** The whole text went through JSON once too often. */
function unescaped({ old_str, new_str }: Edit): Edit | null {
  const old = parsed(old_str);
  if (old === null || old === old_str) return null;
  const fresh = parsed(new_str);
  if (fresh !== null && !(new_str.includes('\n') && !old_str.includes('\n') && new_str.includes('\\')))
    return { old_str: old, new_str: fresh };
  return new_str.includes('\\') ? null : { old_str: old, new_str };
}

const BREAKS = /\\\\|\\r\\n|\\n|\\t/g;
const SPOKEN: Record<string, string> = { '\\r\\n': '\n', '\\n': '\n', '\\t': '\t' };
const spoken = (text: string): string => text.replace(BREAKS, found => SPOKEN[found] ?? found);

/** A `\n` behind an open quote is more likely the program's own than a line end; lines that the old text has are not asked. */
function breaksInQuotes(text: string, known: string[]): boolean {
  const odd = (line: string, quote: string) =>
    (line.replaceAll(quote.repeat(3), '').replace(/\\./g, '').split(quote).length - 1) % 2 === 1;
  return text
    .split(/(?:\\r)?\\n/)
    .filter(line => !known.includes(line.trim()))
    .some(line => odd(line, '"') || odd(line, '`') || odd(line.replace(/\p{L}'(?=\p{L})/gu, ''), "'"));
}

/** Line ends and tabs were written as `\n` and `\t`, the rest as it is. */
function broken({ old_str, new_str }: Edit): Edit | null {
  if (old_str.trim().includes('\n') || !/\\n/.test(old_str)) return null;
  const has = /\\[nt]/.test(new_str);
  if (
    has &&
    (new_str.trim().includes('\n') ||
      breaksInQuotes(
        new_str,
        linesOf(spoken(old_str)).map(line => line.trim()),
      ))
  )
    return null;
  return { old_str: spoken(old_str), new_str: has ? spoken(new_str) : new_str };
}

const tabbed = (text: string): string => text.replace(/^(?:\\t)+/gm, found => '\t'.repeat(found.length / 2));

function withoutTabEscapes({ old_str, new_str }: Edit): Edit | null {
  return /^\\t/m.test(old_str) ? { old_str: tabbed(old_str), new_str: tabbed(new_str) } : null;
}

function withoutQuoteEscapes({ old_str, new_str }: Edit): Edit | null {
  if (/\\\\/.test(old_str + new_str)) return null;
  const kinds = ['"', "'", '`', '$'].filter(kind => old_str.includes(`\\${kind}`));
  if (kinds.length === 0) return null;
  const bare = (text: string, kind: string) => text.replaceAll(`\\${kind}`, '').includes(kind);
  if (kinds.some(kind => bare(old_str, kind) || (new_str.includes(`\\${kind}`) && bare(new_str, kind))))
    return null;
  const strip = (text: string) => kinds.reduce((rest, kind) => rest.replaceAll(`\\${kind}`, kind), text);
  return { old_str: strip(old_str), new_str: strip(new_str) };
}

const CODES = /\\u(?:\{([0-9a-f]{1,6})\}|([0-9a-f]{4}))/gi;
const coded = (text: string): string =>
  text.replace(CODES, (found, braced?: string, four?: string) => {
    const point = Number.parseInt(braced ?? four!, 16);
    return point > 0x7f && point <= 0x10ffff ? String.fromCodePoint(point) : found;
  });

function withoutCodes({ old_str, new_str }: Edit): Edit | null {
  return coded(old_str) === old_str ? null : { old_str: coded(old_str), new_str: coded(new_str) };
}

const ENTITIES: Record<string, string> = {
  '&lt;': '<',
  '&gt;': '>',
  '&amp;': '&',
  '&quot;': '"',
  '&#39;': "'",
  '&apos;': "'",
};
const ENTITY = /&(?:lt|gt|amp|quot|#39|apos);/g;
const decoded = (text: string): string => text.replace(ENTITY, found => ENTITIES[found]!);

function withoutEntities({ old_str, new_str }: Edit): Edit | null {
  if (decoded(old_str) === old_str || /[<>]/.test(old_str)) return null;
  if (decoded(new_str) !== new_str && /[<>]/.test(new_str)) return null;
  return { old_str: decoded(old_str), new_str: decoded(new_str) };
}

const UNDOS: Undo[] = [
  withoutFences,
  withoutNumbers,
  unescaped,
  broken,
  withoutTabEscapes,
  withoutQuoteEscapes,
  withoutCodes,
  withoutEntities,
];

const DOCUMENT = /\.(md|markdown|mdx|rst|txt|adoc)$/i;

/**
 * New text alone in a code fence: no program is to hold that.
 * @returns null in a document where it looks like the old text, so that the fence may be meant or not
 */
export function bareNew(path: string, edit: Edit): Edit | null {
  const fresh = FENCE.test(edit.old_str) ? undefined : FENCED.exec(edit.new_str)?.[2];
  if (fresh === undefined || FENCE.test(fresh)) return edit;
  if (!DOCUMENT.test(path)) return { ...edit, new_str: fresh };
  const [old, now] = [edit.old_str.trim(), fresh.trim()];
  return old !== now && likeness(old, now) > ALIKE ? null : edit;
}

/** Other readings of an edit of `file`: with one decoration taken off, the likeliest first, then with two. */
export function variantsOf(edit: Edit, file: string): Edit[][] {
  const layers: Edit[][] = [];
  for (let layer = [edit]; layer.length > 0 && layers.length < 2; ) {
    const deeper: Edit[] = [];
    for (const one of layer)
      for (const undo of UNDOS) {
        const other = undo(one, file);
        if (!other || other.old_str.trim() === '' || other.old_str === one.old_str) continue;
        const known = [...layers.flat(), ...deeper];
        if (known.some(same => same.old_str === other.old_str && same.new_str === other.new_str)) continue;
        deeper.push(one.whole ? { ...other, whole: true } : other);
      }
    layers.push(deeper);
    layer = deeper;
  }
  return layers;
}
