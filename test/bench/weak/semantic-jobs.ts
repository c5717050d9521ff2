/** Tasks whose result has to be read: a file of the right name and shape can still say what is wrong. */
import type { Draft } from './jobs.ts';
import type { Luck } from './luck.ts';

const CITIES = ['Bern', 'Lund', 'Pisa', 'Gent', 'Brno', 'Vigo', 'Kiel', 'Bath'];
const DAYS = ['Monday', 'Tuesday', 'Wednesday', 'Thursday', 'Friday'];

const sorted = (names: string[]): string[] => [...names].sort();
const lines = (words: string[]): string => `${words.join('\n')}\n`;

const several = <T>(luck: Luck, from: readonly T[], count: number): T[] => {
  const left = [...from];
  return Array.from({ length: count }, () => left.splice(luck.whole(0, left.length - 1), 1)[0]!);
};

const one = (
  id: string,
  goal: string,
  path: string,
  rest: { asks: string; criteria: string; right: string; wrong: string[]; before?: string },
): Draft => ({
  goal,
  before: rest.before === undefined ? { 'readme.md': 'Results go here.\n' } : { [path]: rest.before },
  nodes: [
    {
      id,
      description: rest.asks,
      // Strays are no matter of reading: the world shows them.
      criteria: `${rest.criteria}\nNo other file is created or changed.`,
      needs: [],
      aims: [{ path, text: rest.right, lookalikes: rest.wrong.filter(text => text !== rest.right) }],
      decoys: [],
    },
  ],
});

function sum(luck: Luck): Draft {
  const orders = [1, 2, 3, 4].map(() => luck.whole(11, 95));
  const total = orders.reduce((all, order) => all + order, 0);
  const path = 'totals/orders.md';
  const says = (number: number): string => `The orders add up to ${number}.\n`;
  return one('sum', 'add up the orders.', path, {
    asks: `Write ${path}: one sentence with the sum of the orders ${orders.join(', ')}.`,
    criteria: `${path} gives the sum of the orders.`,
    right: says(total),
    wrong: [says(total + 10), says(total - orders[0]!), says(total + 1)],
  });
}

function most(luck: Luck): Draft {
  const cities = several(luck, CITIES, 4);
  const visitors = several(luck, [120, 340, 275, 410, 388, 96, 505], 4);
  const best = cities[visitors.indexOf(Math.max(...visitors))]!;
  const path = 'report/visitors.md';
  const says = (city: string): string => `Most visitors came to ${city}.\n`;
  return one('most', 'name the city with the most visitors.', path, {
    asks: `Write ${path}: one sentence that names the city with the most visitors. Visitors: ${cities.map((city, n) => `${city} ${visitors[n]}`).join(', ')}.`,
    criteria: `${path} names the city with the most visitors.`,
    right: says(best),
    wrong: cities.map(says),
  });
}

function order(luck: Luck): Draft {
  const names = several(luck, CITIES, 5);
  const right = sorted(names);
  const path = 'lists/cities.txt';
  const swapped = [...right];
  [swapped[1], swapped[2]] = [swapped[2]!, swapped[1]!];
  return one('order', 'sort the cities.', path, {
    asks: `Write ${path}: the cities ${names.join(', ')} in alphabetical order, one a line.`,
    criteria: `${path} lists every city in alphabetical order.`,
    right: lines(right),
    wrong: [lines(swapped), lines(right.slice(0, -1)), lines(names)],
  });
}

function moved(luck: Luck): Draft {
  const [from, to, ...others] = several(luck, DAYS, 4);
  const path = 'letters/delivery.txt';
  const letter = (day: string): string => lines(['Dear Mira,', `your delivery comes on ${day}.`, 'Regards']);
  return one('letter', 'correct the letter.', path, {
    asks: `The delivery moves from ${from} to ${to}: correct ${path}, and leave the rest of the letter as it is.`,
    criteria: `${path} tells the new day of the delivery.`,
    before: letter(from!),
    right: letter(to!),
    wrong: [...others.map(letter), letter(`${from} or ${to}`)],
  });
}

export const SEMANTIC: ((luck: Luck) => Draft)[] = [sum, most, order, moved];
