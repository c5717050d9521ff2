/** Honest ways to do the same thing again: ten families of seeded variants. Every trace ends by itself. */
import { type Said, type SaidCall, seeded } from './said.ts';

export interface PatientModel {
  name: string;
  /** One trace for each subtask, which has a turn of its own. */
  turns: Said[][];
}

type Random = () => number;
const upTo = (random: Random, most: number): number => Math.floor(random() * (most + 1));
const list = <T>(count: number, make: (n: number) => T): T[] =>
  Array.from({ length: count }, (_, n) => make(n));
const one = (name: string, args: Record<string, unknown>, result: string, success = true): Said => ({
  calls: [{ name, args, result, success }],
});
const shell = (command: string, result: string, success = true): Said =>
  one('shell_execute', { command }, result, success);
const reads = (path: string, result: string): Said => one('read_file', { path }, result);
const edit = (n: number, path = 'src/a.js'): Said =>
  one('edit_file', { path, old_str: `v${n}`, new_str: `v${n + 1}` }, `Edited ${path}\n-v${n}\n+v${n + 1}`);

/** Each of the outputs is seen once, and again up to `still` times before the next. */
const polled = (random: Random, command: string, outputs: string[], still: number): Said[] =>
  outputs.flatMap(output => list(1 + upTo(random, still), () => shell(command, output)));

const FAMILIES: Record<string, (random: Random) => Said[][]> = {
  'waits for a build that says the same for a while': random => [
    polled(
      random,
      'cat build/status.txt',
      ['queued', 'compiling', 'linking', ...list(upTo(random, 4), n => `packing ${n}`), 'done'],
      4,
    ),
  ],
  'follows a log that grows': random => {
    const name = `request ${upTo(random, 999)}`;
    return [
      list(8 + upTo(random, 20), n =>
        shell('tail -n 3 server.log', list(3, i => `line ${n + i} of ${name}`).join('\n')),
      ),
    ];
  },
  'runs failing tests again after each edit, with the same failure': random => [
    list(4 + upTo(random, 8), n => [
      edit(n),
      ...list(1 + upTo(random, 2), () =>
        shell('npm test', `1 failing: slug\n in 0.${upTo(random, 99)}s\n[exit code 1]`, false),
      ),
    ]).flat(),
  ],
  'reads a file again after each edit': random => [
    list(5 + upTo(random, 8), n => [
      edit(n),
      reads('src/a.js', `v${n + 1}`),
      ...list(upTo(random, 1), () => reads('src/a.js', `v${n + 1}`)),
    ]).flat(),
  ],
  'looks into folder after folder, most of them empty': random => [
    list(10 + upTo(random, 20), n =>
      one('list_directory', { path: `packages/p${n}` }, random() < 0.8 ? '(empty)' : 'index.js'),
    ),
  ],
  'runs one command whose result changes': random => [
    list(8 + upTo(random, 20), n =>
      shell(
        ['date +%s', 'git status --short', 'ls -l out'][upTo(random, 2)]!,
        `${1_770_000_000 + n * (1 + upTo(random, 90))}`,
      ),
    ),
  ],
  'goes to and fro between two tools, with progress': random => [
    list(6 + upTo(random, 10), n => [
      one('ripgrep_search', { pattern: 'TODO' }, `${20 - n} matches`),
      edit(n, `src/f${n}.js`),
      ...(random() < 0.3 ? [one('ripgrep_search', { pattern: 'FIXME' }, 'No matches.')] : []),
    ]).flat(),
  ],
  'reads a long file in windows, some of them twice, searches in vain, and reads the same in another subtask':
    random => {
      const window = (n: number): Said => {
        const args = { path: 'big.txt', line_start: n * 40 + 1 };
        return one('read_file', args, `text\ntext\n[showing lines ${n * 40 + 1}–${n * 40 + 40} of 800]`);
      };
      const back = upTo(random, 4);
      const searches = list(6 + upTo(random, 6), n =>
        one('ripgrep_search', { pattern: `name${n}`, path: 'src' }, 'No matches.'),
      );
      const turn = [...list(6 + upTo(random, 8), window), ...list(back, window), ...searches];
      return [turn, turn, turn];
    },
  'gets calls wrong, and right after a while': random =>
    list(2, () =>
      list(3, n => [
        ...list(1 + upTo(random, 4), (i): Said => {
          const wrong: SaidCall[] = [
            { name: 'write_file', args: 'path is a.md' },
            { name: 'edit_file', args: {} },
            { name: 'make_file', args: { n: i } },
          ];
          return { calls: [wrong[upTo(random, 2)]!] };
        }),
        one('write_file', { path: `a${n}.md`, content: 'x' }, `Created a${n}.md\n+x`),
      ]).flat(),
    ),
  'waits for a service with growing pauses, then retries what failed': random => {
    const pauses = 2 + upTo(random, 6);
    const port = 8000 + upTo(random, 999);
    return [
      [
        ...list(1 + upTo(random, 5), () => shell('npm install', 'network error\n[exit code 1]', false)),
        ...list(pauses, n => shell(`sleep ${2 ** n}; curl -s localhost:${port}`, '(no output)', false)),
        shell('npm install', 'added 12 packages'),
        reads('package.json', '{}'),
      ],
    ];
  },
};

/** @param variants of each family */
export const patientModels = (variants: number): PatientModel[] =>
  Object.entries(FAMILIES).flatMap(([name, family], at) =>
    list(variants, n => ({ name: `${name} (${n + 1})`, turns: family(seeded(at * 10_000 + n + 1)) })),
  );
