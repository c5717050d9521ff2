/** Commands that the criteria or the answer speak of: run in this attempt, with exit code 0, after the last change. */
import { sentences } from '../claimed-paths.ts';
import type { ToolTrace } from '../rows.ts';
import { type Check, passed, unsure } from './check.ts';
import type { World } from './world.ts';

const LAUNCHER =
  /^(?:\.{0,2}\/[\w./-]+|npm|npx|pnpm|yarn|bun|bunx|deno|node|tsx|tsc|eslint|prettier|biome|vitest|jest|mocha|playwright|python[\d.]*|py|pytest|pip[\d.]*|uv|poetry|tox|nox|ruff|mypy|flake8|black|make|cmake|ctest|ninja|cargo|rustc|go|gofmt|git|bash|sh|zsh|mvn|gradle|\.\/gradlew|dotnet|ruby|bundle|rake|rspec|php|composer|phpunit|swift|docker|terraform|ansible|shellcheck|curl|diff|cmp|grep|test|sqlite3|jq)(?=\s|$)/;
const SUCCEEDS =
  /\b(?:pass(?:es|ed|ing)?|succeeds?|succeeded|success(?:ful(?:ly)?)?|exits?|returns? 0|runs?|ran|works?|green|builds?|compiles?|clean(?:ly)?|without errors?|no errors?|zero errors?|prints?|outputs?|reports?)\b/i;
const FAILS = /\b(?:fails?|failed|failing|non-?zero|exit(?:s)?(?: code)? [1-9])\b/i;
const BARE =
  /\b((?:npm (?:run )?[\w:-]+|pnpm [\w:-]+|yarn [\w:-]+|make [\w-]+|cargo (?:test|build|check|clippy)|go (?:test|build|vet)(?: \.\/\.\.\.)?|node --test|pytest))\s+(?:passes|succeeds|is green|exits)/gi;
const TESTS_PASS =
  /\b(?:all |the |every |existing |unit |new )*(?:tests?|test suite|suite)\s+(?:(?:still|now|all|should|must|suite)\s+)*(?:pass(?:es|ed)?|succeeds?|(?:is|are) (?:green|passing))\b/i;

/** Commands that a text asks to succeed, as they are written. */
export function commandsIn(text: string): string[] {
  const found = new Set<string>();
  for (const sentence of sentences(text)) {
    if (!SUCCEEDS.test(sentence) || FAILS.test(sentence)) continue;
    for (const [, inner] of sentence.matchAll(/`([^`\n]{2,200})`/g)) {
      const command = inner!.trim();
      if (LAUNCHER.test(command) && !/\)$/.test(command)) found.add(command);
    }
    for (const [, command] of sentence.matchAll(BARE)) found.add(command!);
  }
  return [...found];
}

/** The text asks for nothing but that its commands succeed, so that their exit codes say everything. */
export function asksOnlyCommands(text: string): boolean {
  const found = commandsIn(text);
  const rest = found.reduce((left, command) => left.replaceAll(command, ''), text).replace(/`/g, '');
  return (
    found.length > 0 &&
    /^[\s,.;]*(?:(?:and|still|now|passes|pass|succeeds|succeed|is green|exits? 0)[\s,.;]*)*$/i.test(rest)
  );
}

export async function commands(world: World): Promise<Check[]> {
  const criteria = world.node.acceptance_criteria;
  const wanted = commandsIn(criteria);
  const checks = wanted.map(command => ran(world, command, wanted, 'criterion'));
  if (wanted.length === 0 && TESTS_PASS.test(criteria)) checks.push(someSuccess(world, 'The criteria ask'));
  const said = commandsIn(`${world.claim.summary}\n${world.answer}`).filter(each => !wanted.includes(each));
  for (const command of said) checks.push(ran(world, command, [...wanted, ...said], 'claim'));
  if (wanted.length + said.length === 0 && !TESTS_PASS.test(criteria) && TESTS_PASS.test(world.answer))
    checks.push(someSuccess(world, 'The answer says'));
  return checks;
}

const isCommand = (trace: Pick<ToolTrace, 'exit_code'>): boolean => trace.exit_code !== undefined;

function ran(world: World, command: string, all: string[], as: string): Check {
  const name = `${as}_command_${command}`;
  const runs = world.traces.map((trace, at) => ({ trace, at, how: match(trace, command) }));
  const clear = runs.filter(({ how }) => how === 'clear').at(-1);
  const near = runs.filter(({ how }) => how === 'near').at(-1);
  if (!clear && near)
    return unsure(
      name,
      `\`${command}\` was only run as \`${near.trace.subject.slice(0, 120)}\`, whose exit code may not be its own.`,
    );
  if (!clear) return unsure(name, `\`${command}\` was not run in this attempt.`);
  const { trace, at } = clear;
  if (trace.exit_code !== 0 || !trace.success)
    return unsure(name, `\`${command}\` ended with exit code ${trace.exit_code} when it was last run.`);
  if (at < lastChange(world.traces, all))
    return unsure(name, `\`${command}\` was not run again after the last change of a file.`);
  return passed(name, `\`${command}\` ended with exit code 0 after the last change.`);
}

/** Tests were run by some command, which is not known by name. */
function someSuccess(world: World, who: string): Check {
  const name = 'tests_pass';
  const after = lastChange(world.traces, []);
  const run = world.traces.findLast(
    (trace, at) =>
      isCommand(trace) && /test|spec|check|verify|make|tox|nox/i.test(trace.subject) && at >= after,
  );
  if (run?.success && run.exit_code === 0 && !masked(run.subject))
    return passed(name, `\`${run.subject.slice(0, 120)}\` ended with exit code 0.`);
  return unsure(name, `${who} that tests pass, but no test command succeeded after the last change.`);
}

/** Nothing that is run reads these. */
export const DOCUMENT = /\.(?:md|mdx|rst|adoc|log)$/i;

/** What commands of the criteria write themselves makes none of them stale, and neither does a report of the outcome. */
const lastChange = (traces: ToolTrace[], commands: string[]): number =>
  traces.findLastIndex(
    trace =>
      trace.files_changed.some(path => !DOCUMENT.test(path)) &&
      !(isCommand(trace) && (isTest(trace.subject) || commands.some(each => match(trace, each) !== 'none'))),
  );

export const isTest = (subject: string): boolean =>
  /\b(?:test|tests|pytest|vitest|jest|check|lint)\b/.test(subject);

/** Quoted parts say nothing about how commands are joined. */
const unquoted = (text: string): string => text.replace(/'[^']*'|"(?:\\.|[^"\\])*"/g, '""');
/** The exit code can be that of something else than the command. */
const masked = (subject: string): boolean =>
  /\|\||(?<!\|)\|(?!\|)|;|\n|(?<![&>\d])&(?![&>\d])/.test(unquoted(subject).replace(/;\s*$/, '').trim());

const squeezed = (text: string): string => text.trim().replace(/\s+/g, ' ');

/** clear: the command itself, alone or in a chain of `&&` · near: something with it · none. */
export function match(
  trace: Pick<ToolTrace, 'subject' | 'exit_code'>,
  command: string,
): 'clear' | 'near' | 'none' {
  if (!isCommand(trace)) return 'none';
  const subject = trace.subject.trim();
  const wanted = squeezed(command);
  if (squeezed(subject) === wanted) return 'clear';
  if (!squeezed(subject).includes(wanted)) return 'none';
  if (masked(subject)) return 'near';
  const parts = subject.split('&&').map(part =>
    squeezed(part)
      .replace(/^(?:\w+=\S+\s+)+/, '')
      .replace(/\s*\d?>&\d|\s*&?\d?>{1,2}\s*\S+/g, '')
      .trim(),
  );
  return parts.includes(wanted) ? 'clear' : 'near';
}
