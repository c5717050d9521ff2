/** Rules as people write them: one that cannot be read, or names no tool, would silently allow or, worse, deny nothing. */
import { parseRule } from '../machines/approval.ts';
import { LoomError } from '../machines/failure.ts';
import { nearest } from '../tools/nearest.ts';

/** Tools of servers are known only once they are connected. */
const isRemote = (tool: string): boolean => tool.startsWith('mcp.');

/** What is wrong with a rule, in a sentence; null when it can match a call. `tools`: names of the tools there are. */
function problemOf(rule: string, tools: string[]): string | null {
  const parsed = parseRule(rule);
  const shown = rule.slice(0, 200);
  if (!parsed)
    return `"${shown}" is not a rule. Write TOOL or TOOL(PATTERN), for instance shell_execute(npm test*) or write_file(src/**).`;
  const { tool } = parsed;
  if (tool === '*' || tools.includes(tool) || isRemote(tool)) return null;
  const [near] = nearest(tool, tools);
  const meant = near ? `did you mean ${near}?` : '`loom tool list` shows what there is.';
  return `The rule "${shown}" never matches: there is no tool "${tool}"; ${meant}`;
}

/** Rules of the command line. Throws LoomError `usage` for the first that can never match. */
export function checkRules(rules: string[], tools: string[]): void {
  for (const rule of rules) {
    const problem = problemOf(rule, tools);
    if (problem) throw new LoomError('terminal', 'usage', problem);
  }
}

/** Rules of a settings file: what is no rule throws as well; a tool that is not there (any more) is only worth a warning. */
export function configuredRuleWarnings(rules: string[], tools: string[]): string[] {
  checkRules(
    rules.filter(rule => parseRule(rule) === null),
    tools,
  );
  return rules.flatMap(rule => problemOf(rule, tools) ?? []);
}
