/** Rules that can never match are told instead of silently allowing or denying nothing. */
import { describe, expect, it } from 'vitest';
import { checkRules, configuredRuleWarnings } from '../../actors/rules.ts';
import { createRegistry } from '../../tools/registry.ts';

const TOOLS = createRegistry()
  .list()
  .map(tool => tool.name);

describe('rules of the command line', () => {
  it.each([
    ['shell_exec(npm test*)', /no tool "shell_exec".*shell_execute\?/],
    ['writefile', /did you mean write_file\?/],
    ['quux(a)', /loom tool list/],
    ['shell_execute(rm', /is not a rule/],
  ])('%s is refused', (rule, words) => {
    expect(() => checkRules(['read_file', rule], TOOLS)).toThrow(words);
  });

  it('name tools, all tools, or those of servers that are not connected yet', () => {
    checkRules(['*', '*(src/**)', 'shell_execute(npm test*)', 'mcp.tracker.close(1)', 'ask_user'], TOOLS);
  });
});

it('a settings file is warned of, not refused, where it names a tool that is not there', () => {
  expect(configuredRuleWarnings(['read_file', 'delete_fil'], TOOLS)).toEqual([
    expect.stringContaining('did you mean delete_file?'),
  ]);
  expect(() => configuredRuleWarnings(['rm -rf'], TOOLS)).toThrow(/is not a rule/);
});
