/** Criteria that state facts word for word: which lines a file has or no longer has, and that nothing else was changed.
 *  They leave no room for reading, so what contradicts them is wrong, whoever thinks otherwise. */
import { pathsIn } from '../claimed-paths.ts';
import { type Check, failed, passed, unsure } from './check.ts';
import { located, type World } from './world.ts';

const SPAN = /`[^`\n]+`/g;
/** `report.md` contains the line `Total: 4` and no longer contains the line `Total: ?`. */
const LINES =
  /\b(no longer\s+|not\s+|never\s+)?(?:contains?|has|have|holds?|includes?)\s+(?:the|this|these)\s+(?:exact\s+)?lines?\s*:?\s*(?=`)/gi;
/** `list.csv` has exactly 5 lines. */
const COUNT = /\b(?:contains?|has|have|holds?)\s+exactly\s+(\d+)\s+lines\b/i;
/** `other.ini` is unchanged. */
const UNCHANGED =
  /\b(?:is|are|stays?|remains?|left)\s+(?:unchanged|untouched|(?:exactly\s+)?as (?:it is|it was|they are|they were|before))\b/i;
const NOTHING_ELSE =
  /^\W*(?:no (?:other|further|additional) files?|nothing else|no files? other than (?:this|these|that|those))\b.*\b(?:change[ds]?|created?|modified|touched|added|written|edited)\b/i;

export async function statements(world: World): Promise<Check[]> {
  const checks: Check[] = [];
  for (const statement of statementsOf(world.node.acceptance_criteria)) {
    if (NOTHING_ELSE.test(statement)) checks.push(...(await nothingElse(world)));
    else if (UNCHANGED.test(statement)) checks.push(...(await unchanged(world, statement)));
    else checks.push(...(await lines(world, statement)));
  }
  return checks;
}

/** Sentences and their halves at a semicolon; what is quoted is never taken apart. */
function statementsOf(criteria: string): string[] {
  const spans: string[] = [];
  const text = criteria.replace(SPAN, span => `\u0000${spans.push(span) - 1}\u0000`);
  return text
    .split(/(?<=[.!?])\s+|\n+|;\s*/)
    .map(part => part.replace(/\u0000(\d+)\u0000/g, (_, n: string) => spans[Number(n)]!));
}

async function lines(world: World, statement: string): Promise<Check[]> {
  const verbs = [...statement.matchAll(LINES)];
  const count = COUNT.exec(statement);
  const begin = Math.min(...verbs.map(verb => verb.index), count?.index ?? Number.POSITIVE_INFINITY);
  const [named, ...others] = begin === Number.POSITIVE_INFINITY ? [] : pathsIn(statement.slice(0, begin));
  if (!named || others.length > 0) return [];
  const path = await located(world, named);
  const text = (await world.see(path))?.text ?? null;
  // What is not there is told by the check of the file itself.
  if (text === null) return [];
  const present = text.replace(/\r?\n$/, '').split(/\r?\n/);
  const checks = verbs.flatMap((verb, at) => {
    const stated = statement.slice(verb.index, verbs[at + 1]?.index).match(SPAN) ?? [];
    return stated.map(span => line(path, present, span.slice(1, -1).trim(), verb[1] === undefined));
  });
  return count ? [...checks, counted(path, present.length, Number(count[1]))] : checks;
}

/** Indentation aside. */
function line(path: string, present: string[], text: string, wanted: boolean): Check {
  const there = present.some(each => each.trim() === text);
  const detail = `${path} ${there ? 'contains' : 'does not contain'} the line "${text}".`;
  return (there === wanted ? passed : failed)(`criterion_line_${path}_${text}`, detail);
}

function counted(path: string, lines: number, wanted: number): Check {
  const name = `criterion_lines_${path}`;
  const detail = `${path} has ${lines} lines`;
  return lines === wanted
    ? passed(name, `${detail}.`)
    : failed(name, `${detail}, where exactly ${wanted} are asked for.`);
}

/** Every file that the statement names, when it says nothing but that. */
async function unchanged(world: World, statement: string): Promise<Check[]> {
  const subject = statement.slice(0, UNCHANGED.exec(statement)!.index);
  const paths = pathsIn(subject);
  const rest = paths.reduce((text, path) => text.replace(path, ' '), subject);
  if (rest.replace(/\b(?:the|files?|and|both|also)\b|[-*,`\s]/gi, '') !== '') return [];
  const checks = paths.map(async path => [path, await asBefore(world, path)] as const);
  return (await Promise.all(checks)).map(([path, same]) => {
    const name = `criterion_unchanged_${path}`;
    if (same === null) return unsure(name, `${path} was touched, and it should stay as it is.`);
    return same
      ? passed(name, `${path} is as it was.`)
      : failed(name, `${path} was changed, although it should stay as it is.`);
  });
}

/** What this subtask left changed besides its deliverables and the files of its criteria. */
async function nothingElse(world: World): Promise<Check[]> {
  const { acceptance_criteria, deliverables } = world.node;
  const spoken = await Promise.all(pathsIn(acceptance_criteria).map(path => located(world, path)));
  const named = new Set([...deliverables, ...spoken]);
  const folders = new Set(
    world.changes.filter(change => change.kind === 'directory').map(({ path }) => path),
  );
  const others = [...world.touched].filter(path => !named.has(path) && !folders.has(path));
  const checks = others.map(async path => [path, await asBefore(world, path)] as const);
  const found = (await Promise.all(checks)).flatMap(([path, same]) => {
    const name = `criterion_only_${path}`;
    if (same) return [];
    // Whether what a command leaves beside its purpose counts is for a reader to say.
    if (same === null || world.byCommands.has(path))
      return [unsure(name, `${path} was touched, and nothing else should be changed.`)];
    return [failed(name, `${path} was changed, although nothing else should be.`)];
  });
  return found.length > 0 ? found : [passed('criterion_only', 'Nothing else was changed.')];
}

/** A file that was made and is gone again is as it was; null where its text before is not known. */
async function asBefore(world: World, path: string): Promise<boolean | null> {
  if (!world.touched.has(path)) return true;
  const [before, now] = [await world.before(path), await world.see(path)];
  if (world.changes.find(change => change.path === path)?.operation === 'create') return now === null;
  return before === null ? null : before === now?.text;
}
