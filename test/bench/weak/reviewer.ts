/** The simulated reviewer: it reads what its prompt shows, nothing else, and judges that honestly; then chance turns good
 *  verdicts bad, bad ones good, and some into words that are no verdict. It knows no task and no truth. */
import type { ScenarioTurn } from '../../../actors/models/scenario.ts';
import type { Conversation } from './conversation.ts';
import { digests } from './conversation.ts';
import { luck } from './luck.ts';

const FALSE_PASS = 0.1;
const FALSE_FAIL = 0.1;
const GARBAGE = 0.05;

const NO_VERDICTS = [
  'I looked at the changes and they seem mostly fine to me, but it is hard to say.',
  '{"verdict": "maybe", "confidence": "some"}',
  '{"passed": tr',
];

export function reviewerTurn(conversation: Conversation, seed: number): ScenarioTurn {
  const chance = luck('review', seed, digests(conversation).at(-1)!);
  const answer = (text: string): ScenarioTurn => ({
    text,
    calls: [],
    reasoning: '',
    finish: 'stop',
    delay_ms: 0,
  });
  if (chance.chance(GARBAGE)) return answer(chance.pick(NO_VERDICTS));
  const honest = objections(conversation.prompt);
  const good = honest.length === 0;
  const passed = chance.chance(good ? FALSE_FAIL : FALSE_PASS) ? !good : good;
  const issues = passed ? [] : good ? ['The result does not convince.'] : honest;
  return answer(
    JSON.stringify({
      passed,
      outcome: passed ? 'pass' : 'fail',
      reason_code: passed ? '' : 'llm_semantic_failed',
      severity_class: 'semantic',
      confidence: 0.9,
      feedback: passed ? 'The criteria are met.' : issues.join(' '),
      issues,
      metadata: {},
    }),
  );
}

/** What an honest reader of the prompt would object to. */
function objections(prompt: string): string[] {
  const criteria = part(prompt, 'Acceptance criteria');
  const asked = part(prompt, 'The subtask');
  const found: string[] = [];
  for (const [, path, has, line] of criteria.matchAll(
    /`([^`]+)` (contains|no longer contains) the line `([^`]+)`/g,
  )) {
    const shown = shownFile(prompt, path!);
    if (shown === null) continue;
    const there = shown.split('\n').some(each => each.trim() === line);
    if (there !== (has === 'contains')) found.push(`${path} ${there ? 'still has' : 'lacks'} "${line}".`);
  }
  if (/^No other file is created or changed\.$/m.test(criteria))
    for (const path of changedPaths(prompt))
      if (!criteria.includes(path) || criteria.includes(`\`${path}\` is unchanged.`))
        found.push(`${path} should not have been touched.`);
  for (const reading of READINGS) {
    const wrong = reading(asked, path => shownFile(prompt, path) ?? '');
    if (wrong) found.push(wrong);
  }
  return found;
}

type Reading = (asked: string, file: (path: string) => string) => string | null;

const words = (list: string): string[] => list.split(/,\s*/);

/** What the subtask asks, worked out from its own words, held against what the file says. null: nothing to object to. */
const READINGS: Reading[] = [
  (asked, file) => {
    const [, path, numbers] =
      /Write (\S+): one sentence with the sum of the orders ([\d, ]+)\./.exec(asked) ?? [];
    if (!path) return null;
    const sum = words(numbers!).reduce((all, number) => all + Number(number), 0);
    const said = file(path).match(/\d+/g) ?? [];
    return said.length === 1 && said[0] === `${sum}` ? null : `${path} does not give the sum alone.`;
  },
  (asked, file) => {
    const [, path, list] = /Write (\S+): .* the most visitors\. Visitors: (.+)\./.exec(asked) ?? [];
    if (!path) return null;
    const cities = words(list!).map(each => each.split(' ') as [string, string]);
    const [best] = cities.sort((a, b) => Number(b[1]) - Number(a[1]))[0]!;
    const said = cities.filter(([city]) => file(path).includes(city));
    return said.length === 1 && said[0]![0] === best ? null : `${path} does not name the right city alone.`;
  },
  (asked, file) => {
    const [, path, list] = /Write (\S+): the cities (.+) in alphabetical order/.exec(asked) ?? [];
    if (!path) return null;
    const right = words(list!).sort().join('\n');
    return file(path).trim() === right ? null : `${path} is not the list of all cities in order.`;
  },
  (asked, file) => {
    const [, from, to, path] = /delivery moves from (\w+) to (\w+): correct ([^\s,]+),/.exec(asked) ?? [];
    if (!path) return null;
    const lines = file(path).trim().split('\n');
    const [greeting, day, ...end] = lines;
    const rest = greeting === 'Dear Mira,' && end.join() === 'Regards';
    const right = rest && day!.includes(`on ${to}.`) && !day!.includes(from!);
    return right ? null : `${path} does not tell the new day alone.`;
  },
];

const part = (prompt: string, heading: string): string =>
  new RegExp(`^## ${heading}\\n([\\s\\S]*?)(?=\\n## |$(?![\\s\\S]))`, 'm').exec(prompt)?.[1] ?? '';

const escaped = (text: string): string => text.replace(/[.*+?^${}()|[\]\\]/g, '\\$&');

/** A file as the prompt shows it, or as its diff leaves it; null when it is shown nowhere. */
function shownFile(prompt: string, path: string): string | null {
  const whole = part(prompt, `${escaped(path)} as it is now`);
  if (whole !== '')
    return whole
      .split('\n')
      .flatMap(line => /^\s*\d+\t(.*)$/.exec(line)?.[1] ?? [])
      .join('\n');
  const changes = part(prompt, 'Changes really made');
  const diff = changes.split(/^(?=--- )/m).find(each => each.includes(`+++ b/${path}`));
  if (!diff) return null;
  return diff
    .split('\n')
    .filter(line => /^[+ ](?!\+\+ )/.test(line))
    .map(line => line.slice(1))
    .join('\n');
}

const changedPaths = (prompt: string): string[] =>
  [...part(prompt, 'Changes really made').matchAll(/^\+\+\+ b\/(.+)$/gm)].map(match => match[1]!.trim());
