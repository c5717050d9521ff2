/** Third generator: the file is not what the model believes; every row is to be refused, its fresh twin to be done. */

import { type Change, changesOf, fileOf, pick, type Row, random, sources, staled } from './rows.ts';

type Meanwhile = (change: Change, next: () => number) => string[] | null;

const full = (block: string[]) => block.flatMap((line, i) => (/[A-Za-z]{3}/.test(line) ? [i] : []));
const indentOf = (line: string) => /^[ \t]*/.exec(line)![0];

/** What others did to the block, as lines of the file. */
const meanwhile: Record<string, Meanwhile> = {
  'a line inserted': ({ block }, next) => {
    const at = 1 + Math.floor(next() * (block.length - 1));
    return block.toSpliced(at, 0, `${indentOf(block[at]!)}inserted_by(somebody)`);
  },
  'a line removed': ({ block }, next) => {
    const inner = full(block).filter(i => i > 0 && i < block.length - 1);
    return inner.length > 0 ? block.toSpliced(pick(next, inner), 1) : null;
  },
  'two lines exchanged': ({ block }) => {
    const at = block.findIndex(
      (line, i) =>
        i > 0 && line.trim() !== '' && block[i - 1]!.trim() !== '' && line.trim() !== block[i - 1]!.trim(),
    );
    return at > 0 ? block.with(at, block[at - 1]!).with(at - 1, block[at]!) : null;
  },
  'one line changed': ({ block }, next) => staled(block, next)?.block ?? null,
  'the block is gone': () => [],
  'the block stands twice': ({ block }) => [...block, '', ...block],
  'the block stands twice, once deeper': ({ block }) => [
    ...block,
    '',
    ...block.map(line => (line === '' ? line : `        ${line}`)),
  ],
  'two blocks like it': ({ block }, next) => {
    const one = staled(block, next)?.block;
    const other = staled(block, next)?.block;
    return one && other ? [...one, '', ...other] : null;
  },
  'a string says something else': ({ block }) => {
    const at = block.findIndex(line => /"[A-Za-z][^"]{3,}"/.test(line));
    return at < 0 ? null : block.with(at, block[at]!.replace(/"[A-Za-z][^"]{3,}"/, '"another text"'));
  },
  'an argument added': ({ block }) => {
    const at = block.findIndex(line => /\w\([^()]+\)/.test(line));
    return at < 0 ? null : block.with(at, block[at]!.replace(/(\w\([^()]+)\)/, '$1, extra)'));
  },
  'one line nested deeper': ({ block }) => {
    const at = block.findLastIndex(
      (line, i) =>
        i > 0 &&
        line.trim() !== '' &&
        indentOf(line) === indentOf(block[i - 1]!) &&
        block[i - 1]!.trim() !== '',
    );
    return at < 1 ? null : block.with(at, `    ${block[at]}`);
  },
};

/** How the edit was written down: also as earlier stages would forgive. */
const written: Record<string, (lines: string[]) => string> = {
  exactly: lines => lines.join('\n'),
  'with trailing spaces': lines => lines.map(line => `${line} `).join('\n'),
  'two columns deeper': lines => lines.map(line => (line === '' ? line : `  ${line}`)).join('\n'),
  'with CRLF': lines => lines.join('\r\n'),
};

export function staleRows(seed: number, perKind: number): [Row, Row][] {
  const next = random(seed);
  const pool = sources().flatMap(source => changesOf(source, next, 12));
  return Object.entries(meanwhile).flatMap(([name, happens]) => {
    const rows: [Row, Row][] = [];
    for (let tries = 0; rows.length < perKind && tries < perKind * 10; tries++) {
      const change = pick(next, pool);
      const block = happens(change, next);
      if (block === null || block.join('\n') === change.block.join('\n')) continue;
      // As it was written it would stand there once; only the moved text stands twice.
      const hows = name.includes('once deeper') ? ['two columns deeper'] : Object.keys(written);
      const how = pick(next, hows);
      const write = written[how]!;
      const common = { path: change.path, old: write(change.block), now: write(change.changed) };
      rows.push([
        { ...common, name: `${name}, ${how}`, original: fileOf(change, block), expected: null },
        {
          ...common,
          name: `as it was, ${how}`,
          original: fileOf(change, change.block),
          expected: fileOf(change, change.changed),
        },
      ]);
    }
    return rows;
  });
}
