/** Second generator: the edit came through a model that decorates, escapes and abridges what it read. */

import { type Change, changesOf, fileOf, pick, type Row, random, sources, staled } from './rows.ts';

interface Rewriting {
  edit: (text: string, change: Change, which: 'old' | 'now') => string;
  /** What the file held before the model tidied it, applied to the whole file before and after. */
  file?: (text: string) => string;
  fits?: (change: Change) => boolean;
  /** First line of the block in which a change by others shows in the edit. */
  first?: number;
}

const text = (lines: string[]) => lines.join('\n');
const numberedWith = (format: (n: number) => string): Rewriting => ({
  edit: (all, { from }) =>
    all
      .split('\n')
      .map((line, i) => format(from + 1 + i) + line)
      .join('\n'),
});
const json = (all: string) => JSON.stringify(all).slice(1, -1);
const fenced = (all: string, { path }: Change) => `\`\`\`${path.split('.').at(-1)}\n${all}\n\`\`\``;
const decorated = (all: string) =>
  all.replace(/"([^"\n]*)"/g, '\u201c$1\u201d').replace(/'([^'\n]*)'/g, '\u2018$1\u2019');
const has =
  (pattern: RegExp) =>
  ({ block, changed }: Change) =>
    pattern.test(text(block)) && pattern.test(text(changed));
/** Blank lines of the block that the change does not touch. */
const keepsBlank = ({ block, changed }: Change) => {
  const at = block.indexOf('');
  const same = changed.indexOf('');
  return (
    at > 0 &&
    at === block.lastIndexOf('') &&
    same > 0 &&
    same === changed.lastIndexOf('') &&
    block[at - 1] === changed[same - 1] &&
    block[at + 1] === changed[same + 1]
  );
};
/** First place in a block between two lines that both sides have side by side. */
const seam = ({ block, changed }: Change): string[] | null => {
  for (let i = 1; i < block.length; i++) {
    const [a, b] = [block[i - 1]!, block[i]!];
    const at = changed.findIndex((line, j) => j > 0 && line === b && changed[j - 1] === a);
    if (at > 0 && a.trim() && b.trim()) return [a, b];
  }
  return null;
};

const rewritings: Record<string, Rewriting> = {
  'line ends escaped': {
    edit: all => all.replaceAll('\n', '\\n'),
    fits: change => !has(/\\/)(change),
  },
  'everything escaped once more': { edit: json, fits: has(/["\\\t]/) },
  'quotes escaped': {
    edit: all => all.replaceAll('"', '\\"'),
    fits: ch => has(/"/)(ch) && !/\\/.test(text([...ch.block, ...ch.changed])),
  },
  'numbered as by cat -n': numberedWith(n => `${String(n).padStart(6)}\t`),
  'numbered with a bar': numberedWith(n => `${String(n).padStart(4)} | `),
  'numbered with an arrow': numberedWith(n => `${String(n).padStart(5)}\u2192`),
  'numbered with a colon': numberedWith(n => `${n}: `),
  'old numbered, new not': {
    edit: (all, change, which) =>
      which === 'old' ? numberedWith(n => `${String(n).padStart(4)} | `).edit(all, change, which) : all,
  },
  'in a code fence': { edit: fenced, fits: ({ block }) => !text(block).includes('```') },
  'in a fence, numbered': {
    edit: (all, change, which) => fenced(numberedWith(n => `${n}\t`).edit(all, change, which), change),
    fits: ({ block }) => !text(block).includes('```'),
  },
  'typographic quotes': {
    edit: decorated,
    fits: change => decorated(text(change.block)) !== text(change.block) && !has(/[\u2018-\u201d]/)(change),
  },
  'no-break spaces': {
    edit: all => all.replace(/(?<=\S) (?=\S)/g, '\u00a0'),
    fits: ({ block }) => /\S \S/.test(text(block)),
  },
  'indentation of no-break spaces': {
    edit: all => all.replace(/^ +/gm, found => '\u00a0'.repeat(found.length)),
    fits: ({ block }) => block.some(line => line.startsWith(' ')),
  },
  'numbered in brackets': numberedWith(n => `[${n}] `),
  'a zero-width space': { edit: all => all.replace(/^(.*\S)$/m, '$1\u200b') },
  'a blank line dropped': {
    edit: all =>
      all
        .split('\n')
        .filter(line => line !== '')
        .join('\n'),
    fits: keepsBlank,
  },
  'a blank line added': {
    edit: (all, change) => {
      const [a, b] = seam(change)!;
      return all.replace(`${a}\n${b}`, () => `${a}\n\n${b}`);
    },
    fits: change => seam(change) !== null && !change.block.includes(''),
  },
  'the first line without its indentation': {
    edit: all => all.trimStart(),
    file: all => all.replaceAll('\n', '\r\n'),
    fits: ({ block }) => /^[ \t]/.test(block[0]!),
  },
  'the first line in part': {
    edit: (all, { block }) => all.slice(block[0]!.indexOf(' ', block[0]!.search(/\S/)) + 1),
    fits: ({ block, changed }) => block[0] === changed[0] && /^\s*\S+ \S+ \S/.test(block[0]!),
    first: 1,
  },
  'the first line in part, other line ends': {
    edit: (all, { block }) => all.slice(block[0]!.indexOf(' ', block[0]!.search(/\S/)) + 1),
    file: all => all.replaceAll('\n', '\r\n'),
    fits: ({ block, changed }) => block[0] === changed[0] && /^\s*\S+ \S+ \S/.test(block[0]!),
    first: 1,
  },
  'entities for brackets': {
    edit: all =>
      all.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;').replaceAll('"', '&quot;'),
    fits: has(/[<>]/),
  },
  'the other kind of quote': {
    edit: all => all.replaceAll('"', "'"),
    fits: ({ block, changed }) => {
      const [a, b] = [text(block), text(changed)];
      return /"/.test(a) && !/'/.test(a) && (a.match(/"/g) ?? []).length === (b.match(/"/g) ?? []).length;
    },
  },
  'numbered and moved to the left': {
    edit: (all, change) => {
      const lines = all.split('\n');
      const least = Math.min(...change.block.filter(line => line.trim()).map(line => line.search(/\S/)));
      return lines.map((line, i) => `${change.from + i + 1}\t${line.slice(least)}`).join('\n');
    },
    fits: ({ block }) => block.every(line => line.trim() === '' || /^[ \t]/.test(line)),
  },
};

function rowOf(name: string, rewriting: Rewriting, change: Change, block: string[]): Row {
  const file = rewriting.file ?? (all => all);
  return {
    name,
    path: change.path,
    original: file(fileOf(change, block)),
    old: rewriting.edit(text(change.block), change, 'old'),
    now: rewriting.edit(text(change.changed), change, 'now'),
    expected: block === change.block ? file(fileOf(change, change.changed)) : null,
  };
}

/** Each row with the same edit of a file in which somebody changed a line of the block meanwhile. */
export function rewritingRows(seed: number, perKind: number): [Row, Row][] {
  const next = random(seed);
  const pool = sources().flatMap(source => changesOf(source, next, 14));
  return Object.entries(rewritings).flatMap(([name, rewriting]) => {
    const fitting = pool.filter(change => rewriting.fits?.(change) ?? true);
    const rows: [Row, Row][] = [];
    for (let tries = 0; rows.length < perKind && tries < perKind * 4; tries++) {
      const change = pick(next, fitting);
      const stale = change && staled(change.block, next, rewriting.first);
      if (!stale) continue;
      rows.push([
        rowOf(name, rewriting, change, change.block),
        rowOf(`${name}; another ${stale.kind} in the file`, rewriting, change, stale.block),
      ]);
    }
    return rows;
  });
}
