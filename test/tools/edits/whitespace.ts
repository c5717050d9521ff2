/** First generator: white space, line ends and invisible characters differ between the file and the edit. */

import { type Change, changesOf, fileOf, pick, type Row, random, sources, staled } from './rows.ts';

/** What became of the file, and what the model wrote. */
interface Drift {
  /** Turns the clean file, before and after, into what is on disk. */
  file?: (text: string) => string;
  /** Turns the clean block, before and after, into what the model wrote. */
  edit?: (lines: string[], block: string[]) => string[];
  /** Whole-text ending of old and new. */
  wrap?: (text: string) => string;
  fits?: (change: Change) => boolean;
}

const indented = (lines: string[], by: (indent: string) => string) =>
  lines.map(line => (line.trim() === '' ? line : line.replace(/^[ \t]*/, by)));
const onlySpaces = ({ block, lines }: Change) =>
  block.some(line => line.startsWith('    ')) && !lines.some(line => /^\t/.test(line)) && fourSteps(block);
const fourSteps = (lines: string[]) => lines.every(line => /^ */.exec(line)![0].length % 4 === 0);
const twoSteps = (lines: string[]) => lines.every(line => /^ */.exec(line)![0].length % 2 === 0);
const onlyTabs = ({ block }: Change) =>
  block.some(line => /^\t/.test(line)) && !block.some(line => /^ /.test(line));
const depth = (lines: string[]) =>
  Math.min(...lines.filter(line => line.trim() !== '').map(line => /^ */.exec(line)![0].length));
const crlf = (text: string) => text.replaceAll('\n', '\r\n');
const mixed = (text: string) => {
  let n = 0;
  return text.replaceAll('\n', () => (Math.floor(n++ / 3) % 2 === 0 ? '\r\n' : '\n'));
};

const drifts: Record<string, Drift> = {
  'CRLF in the file': { file: crlf },
  'CRLF in the edit': { wrap: crlf },
  'CR alone in the file': { file: text => text.replaceAll('\n', '\r') },
  'trailing spaces in the edit': {
    edit: lines => lines.map((line, i) => (i % 2 === 0 ? `${line}  ` : line)),
  },
  'a trailing tab in the edit': { edit: lines => lines.map(line => `${line}\t`) },
  'CRLF in the file, trailing spaces in the edit': {
    file: crlf,
    edit: lines => lines.map(line => `${line} `),
  },
  'spaces in blank lines of the edit': {
    edit: lines => lines.map(line => (line === '' ? '    ' : line)),
    fits: ({ block }) => block.includes(''),
  },
  'tabs in the file, spaces in the edit': {
    file: text => text.replace(/^( {4})+/gm, found => '\t'.repeat(found.length / 4)),
    fits: onlySpaces,
  },
  'spaces in the file, tabs in the edit': {
    edit: lines => indented(lines, indent => '\t'.repeat(indent.length / 4)),
    fits: onlySpaces,
  },
  'tabs in the file, four spaces in the edit': {
    edit: lines => indented(lines, indent => '    '.repeat(indent.length)),
    fits: onlyTabs,
  },
  'moved to the left margin': {
    edit: (lines, block) => {
      const least = depth(block);
      return indented(lines, indent => indent.slice(least));
    },
    fits: ({ block }) => depth(block) > 0,
  },
  'four columns too deep': {
    edit: lines => indented(lines, indent => `    ${indent}`),
    fits: ({ block }) => twoSteps(block),
  },
  'one tab too deep': { edit: lines => indented(lines, indent => `\t${indent}`), fits: onlyTabs },
  'two columns in the file, four in the edit': {
    edit: lines => indented(lines, indent => indent.repeat(2)),
    fits: ({ block, lines, path }) =>
      /\.(ts|js|json|ya?ml)$/.test(path) &&
      block.some(line => /^ {2}\S/.test(line)) &&
      twoSteps(block) &&
      !lines.some(line => /^\t| \* /.test(line)),
  },
  'runs of spaces collapsed in the edit': {
    edit: lines => lines.map(line => line.replace(/(?<=\S)[ \t]{2,}(?=\S)/g, ' ')),
    fits: ({ block }) => block.some(line => /\S {2,}\S/.test(line)),
  },
  'blank lines around the edit': { wrap: text => `\n\n${text}\n\n` },
  'mixed line ends in the file': { file: mixed },
  'no line end at the end of the file': { file: text => text.replace(/\n$/, ''), wrap: text => `${text}\n` },
  'a form feed above': {
    file: text => `/*\f*/\n\u000b\n${text}`,
    edit: lines => lines.map(line => `${line} `),
  },
  'NEL and line separators above': {
    file: text => `// \u0085 \u2028 \u2029\n${text}`,
    edit: lines => lines.map(line => `${line} `),
  },
  'a BOM copied into the edit': { wrap: text => `\ufeff${text}` },
};

function rowOf(name: string, drift: Drift, change: Change, block: string[]): Row {
  const file = drift.file ?? (text => text);
  const edit = (lines: string[]) =>
    (drift.wrap ?? (text => text))((drift.edit ?? (all => all))(lines, change.block).join('\n'));
  const expected = file(fileOf(change, change.changed));
  return {
    name,
    path: change.path,
    original: file(fileOf(change, block)),
    old: edit(change.block),
    now: edit(change.changed),
    expected: block === change.block ? expected : null,
  };
}

/** Mixed line ends: a line keeps its own, a new one takes that of the line before. */
function mixedRow(name: string, change: Change): Row {
  const row = rowOf(name, drifts[name]!, change, change.block);
  const ends = row.original.match(/\r?\n/g)!;
  const lines = row.expected!.split(/\r?\n/).slice(0, -1);
  const grown = lines.length - ends.length;
  // Where the block changed: the first line that differs from the clean file.
  const found = change.lines.findIndex((line, i) => line !== lines[i]);
  const at = found < 0 ? change.lines.length : found;
  const kept =
    grown > 0
      ? [...ends.slice(0, at), ...Array<string>(grown).fill(ends[at - 1]!), ...ends.slice(at)]
      : ends.toSpliced(at, -grown);
  return { ...row, expected: lines.map((line, i) => line + kept[i]).join('') };
}

/** Each row with the same edit of a file in which somebody changed a line of the block meanwhile. */
export function whitespaceRows(seed: number, perDrift: number): [Row, Row][] {
  const next = random(seed);
  const pool = sources().flatMap(source => changesOf(source, next, 12));
  return Object.entries(drifts).flatMap(([name, drift]) => {
    const fitting = pool.filter(change => drift.fits?.(change) ?? true);
    const rows: [Row, Row][] = [];
    for (let tries = 0; rows.length < perDrift && tries < perDrift * 4; tries++) {
      const change = pick(next, fitting);
      const stale = change && staled(change.block, next);
      if (!stale) continue;
      const row = name.startsWith('mixed')
        ? mixedRow(name, change)
        : rowOf(name, drift, change, change.block);
      const twin = rowOf(`${name}; another ${stale.kind} in the file`, drift, change, stale.block);
      rows.push([row, twin]);
    }
    return rows;
  });
}
