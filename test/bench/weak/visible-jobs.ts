/** Tasks whose acceptance the world shows: files and lines that the criteria name. */
import type { Aim, Draft, JobNode } from './jobs.ts';
import type { Luck } from './luck.ts';

const THINGS = ['kettle', 'lantern', 'ladder', 'saddle', 'mirror', 'basket', 'anchor', 'candle', 'hammer'];
const PLACES = ['harbour', 'garden', 'cellar', 'tower', 'market', 'bridge', 'orchard', 'quarry'];

const thing = (luck: Luck): string => `${luck.pick(THINGS)}-${luck.whole(10, 99)}`;
const aim = (path: string, text: string | null): Aim => ({ path, text, lookalikes: [] });
const text = (...lines: string[]): string => `${lines.join('\n')}\n`;
const has = (path: string, line: string): string => `\`${path}\` contains the line \`${line}\`.`;
const lost = (path: string, line: string): string => `\`${path}\` no longer contains the line \`${line}\`.`;
const same = (path: string): string => `\`${path}\` is unchanged.`;
const NOTHING_ELSE = 'No other file is created or changed.';
const counts = ({ path, text }: Aim): string[] =>
  text === null ? [] : [`\`${path}\` has exactly ${text.split('\n').length - 1} lines.`];
const node = (
  id: string,
  description: string,
  criteria: string[],
  { aims, ...rest }: Pick<JobNode, 'aims'> & Partial<JobNode>,
): JobNode => ({
  id,
  description,
  criteria: [...criteria, ...aims.flatMap(counts), NOTHING_ELSE].join('\n'),
  needs: [],
  aims,
  decoys: [],
  ...rest,
});

function note(luck: Luck): Draft {
  const path = `notes/${thing(luck)}.md`;
  const lines = [`# ${thing(luck)}`, `Found at the ${luck.pick(PLACES)}.`, `Weight: ${luck.whole(2, 90)} kg`];
  return {
    goal: 'leave a note about what was found.',
    before: { 'notes/readme.md': text('Notes go here.') },
    nodes: [
      node(
        'note',
        `Create ${path} with these lines: ${lines.join(' / ')}`,
        lines.map(line => has(path, line)),
        { aims: [aim(path, text(...lines))] },
      ),
    ],
  };
}

/** Two sections that look alike in one file. */
function section(luck: Luck): Draft {
  const [low, high] = [luck.whole(5, 30), luck.whole(40, 90)];
  const file = (prod: number): string =>
    text('[dev]', `dev_timeout = ${low}`, 'dev_retries = 2', '', '[prod]', `prod_timeout = ${prod}`);
  const path = 'settings.ini';
  return {
    goal: 'give production more time.',
    before: { [path]: file(low) },
    nodes: [
      node(
        'timeout',
        `In ${path} raise prod_timeout from ${low} to ${high}. dev_timeout stays ${low}.`,
        [
          has(path, `prod_timeout = ${high}`),
          lost(path, `prod_timeout = ${low}`),
          has(path, `dev_timeout = ${low}`),
        ],
        { aims: [aim(path, file(high))] },
      ),
    ],
  };
}

/** Two files that look alike. */
function sibling(luck: Luck): Draft {
  const [old, now] = [luck.whole(3000, 4999), luck.whole(5000, 9999)];
  const file = (mode: string, port: number): string => text(`mode = ${mode}`, `port = ${port}`, 'log = info');
  return {
    goal: 'move production to another port.',
    before: { 'config/prod.ini': file('prod', old), 'config/dev.ini': file('dev', old) },
    nodes: [
      node(
        'port',
        `In config/prod.ini change the port from ${old} to ${now}. config/dev.ini keeps port ${old}.`,
        [
          has('config/prod.ini', `port = ${now}`),
          lost('config/prod.ini', `port = ${old}`),
          same('config/dev.ini'),
        ],
        { aims: [aim('config/prod.ini', file('prod', now))], decoys: ['config/dev.ini'] },
      ),
    ],
  };
}

function row(luck: Luck): Draft {
  const rows = [1, 2, 3].map(n => `${n},${thing(luck)},${luck.whole(1, 40)}`);
  const added = `4,${thing(luck)},${luck.whole(1, 40)}`;
  const path = 'stock/items.csv';
  return {
    goal: 'book a delivery into the stock.',
    before: { [path]: text('id,name,count', ...rows), 'stock/readme.txt': text('One row an item.') },
    nodes: [
      node(
        'book',
        `Append the row ${added} to ${path}; the rows before stay as they are.`,
        // The heading, too: what no criterion states, the world does not show to be wrong.
        ['id,name,count', ...rows, added].map(line => has(path, line)),
        { aims: [aim(path, text('id,name,count', ...rows, added))] },
      ),
    ],
  };
}

function removal(luck: Luck): Draft {
  const word = thing(luck);
  return {
    goal: 'tidy up.',
    before: { 'tmp/old.log': text('finished'), 'tmp/new.log': text(`watching ${word}`) },
    nodes: [
      node(
        'tidy',
        `Delete tmp/old.log. tmp/new.log, whose line is "watching ${word}", stays.`,
        ['`tmp/old.log` is gone.', same('tmp/new.log')],
        { aims: [aim('tmp/old.log', null)], decoys: ['tmp/new.log'] },
      ),
    ],
  };
}

function renaming(luck: Luck): Draft {
  const words = [thing(luck), thing(luck)];
  const [from, to] = [`draft/${words[0]}.txt`, `final/${words[0]}.txt`];
  return {
    goal: 'file the draft.',
    before: { [from]: text(`The ${words[1]} is ready.`), 'final/index.txt': text('Final texts.') },
    nodes: [
      node(
        'file',
        `Move ${from} to ${to}; it keeps its one line, "The ${words[1]} is ready."`,
        [has(to, `The ${words[1]} is ready.`), `\`${from}\` is gone.`],
        { aims: [aim(to, text(`The ${words[1]} is ready.`)), aim(from, null)] },
      ),
    ],
  };
}

function trio(luck: Luck): Draft {
  const rooms = ['north', 'south', 'west'].map(room => ({
    path: `rooms/${room}.json`,
    line: `"seats": ${luck.whole(2, 300)}`,
  }));
  return {
    goal: 'describe the rooms.',
    before: { 'rooms/readme.md': text('One file a room.') },
    nodes: [
      node(
        'rooms',
        `Write one JSON object a room: ${rooms.map(({ path, line }) => `${path} with ${line}`).join('; ')}.`,
        rooms.map(({ path, line }) => has(path, line)),
        { aims: rooms.map(({ path, line }) => aim(path, text('{', `  ${line}`, '}'))) },
      ),
    ],
  };
}

/** The second subtask builds on the first. */
function chain(luck: Luck): Draft {
  const items = [thing(luck), thing(luck)];
  const index = [`items: ${items.length}`, `first: ${items[0]}`];
  return {
    goal: 'list what is there and make an index of it.',
    before: { 'readme.md': text('Lists and their index.') },
    nodes: [
      node(
        'list',
        `Create data/list.txt with the lines ${items.join(' and ')}.`,
        items.map(line => has('data/list.txt', line)),
        { aims: [aim('data/list.txt', text(...items))] },
      ),
      node(
        'index',
        `Create data/index.yaml with the lines ${index.join(' and ')}.`,
        index.map(line => has('data/index.yaml', line)),
        { needs: ['list'], aims: [aim('data/index.yaml', text(...index))] },
      ),
    ],
  };
}

export const VISIBLE: ((luck: Luck) => Draft)[] = [
  note,
  section,
  sibling,
  row,
  removal,
  renaming,
  trio,
  chain,
];
