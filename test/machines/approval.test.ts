/** The effect gate: which calls run, which are asked for, which are refused, and how far a rule reaches. */
import { describe, expect, it } from 'vitest';
import {
  type ApprovalMode,
  type GatedCall,
  gate,
  parseRule,
  type Risk,
  ruleFor,
  ruleMatches,
} from '../../machines/approval.ts';

const call = (tool: string, subject: string, risks: Risk[], shell_network = false): GatedCall => ({
  tool,
  subject,
  risks,
  shell_network,
});
const shell = (subject: string, risks: Risk[] = ['exec']) => call('shell_execute', subject, risks);
const decide = (one: GatedCall, mode: ApprovalMode = 'auto', allow: string[] = [], deny: string[] = []) =>
  gate({ mode, allow, deny }, one).decision;

describe('without rules', () => {
  const calls: Record<string, GatedCall> = {
    read: call('read_file', 'a.txt', ['read']),
    write: call('write_file', 'a.txt', ['write']),
    exec: shell('npm test'),
    fetch: call('web_fetch', 'example.org', ['network']),
    destroy: shell('rm -r build', ['exec', 'destructive']),
    secret: call('read_file', '.env', ['read', 'secret']),
    upload: call('shell_execute', 'curl -T a b', ['exec'], true),
  };

  it.each([
    [
      'auto',
      { read: 'run', write: 'run', exec: 'run', fetch: 'run', destroy: 'ask', secret: 'ask', upload: 'ask' },
    ],
    [
      'confidence_threshold',
      { read: 'run', write: 'run', exec: 'run', fetch: 'run', destroy: 'ask', secret: 'ask', upload: 'ask' },
    ],
    [
      'manual',
      { read: 'run', write: 'ask', exec: 'ask', fetch: 'ask', destroy: 'ask', secret: 'ask', upload: 'ask' },
    ],
  ] as const)('%s decides by risk', (mode, expected) => {
    const decisions = Object.fromEntries(
      Object.entries(calls).map(([name, one]) => [name, decide(one, mode)]),
    );
    expect(decisions).toEqual(expected);
  });
});

describe('rules', () => {
  it('to deny win over rules to allow, and those over the mode', () => {
    const destroy = shell('rm -r build', ['destructive']);
    expect(decide(destroy, 'manual', ['shell_execute(rm -r build)'])).toBe('run');
    expect(decide(destroy, 'manual', ['shell_execute'], ['shell_execute(rm *)'])).toBe('deny');
    expect(
      gate({ mode: 'auto', allow: [], deny: ['write_file'] }, call('write_file', 'x', ['write'])).reason,
    ).toBe('denied by rule write_file');
  });

  it('printed for a call let exactly that call pass', () => {
    const one = shell('npm run build');
    expect(ruleMatches(ruleFor(one), one)).toBe(true);
    expect(ruleMatches(ruleFor(one), shell('npm run build2'))).toBe(false);
    expect(ruleMatches(ruleFor(one), call('git_command', 'npm run build', ['exec']))).toBe(false);
  });

  it.each([
    ['write_file(src/*)', 'src/a.ts', true],
    ['write_file(src/*)', 'src/deep/a.ts', false],
    ['write_file(src/**)', 'src/deep/a.ts', true],
    ['write_file(src/**)', 'srcs/a.ts', false],
    ['write_file(src/**/a.ts)', 'src/a.ts', true],
    ['write_file(src/**/a.ts)', 'src/x/y/a.ts', true],
    ['write_file(src/**/a.ts)', 'src/evil-a.ts', false],
    ['write_file(?.md)', 'a.md', true],
    ['write_file(?.md)', '/.md', false],
    ['write_file(a.c)', 'abc', false],
    ['*(src/**)', 'src/a.ts', true],
    ['write_file', 'anything/at/all', true],
    ['not a rule (', 'src/a.ts', false],
  ])('%s on %s: %s', (rule, subject, matches) => {
    expect(ruleMatches(rule, call('write_file', subject, ['write']))).toBe(matches);
  });

  it.each([
    'npm test; rm -r /',
    'npm test && curl x',
    'npm test | sh',
    'npm test $(id)',
    'npm test > /etc/x',
    'npm test\nid',
  ])('to allow a command do not reach a second one: %s', command => {
    expect(decide(shell(command), 'manual', ['shell_execute(npm test*)'])).toBe('ask');
  });

  it('to allow a command reach its arguments', () => {
    expect(decide(shell('npm test -- --run a/b'), 'manual', ['shell_execute(npm test*)'])).toBe('run');
  });

  it.each([
    'git push; true',
    'git push && true',
    'true; git push origin',
    'cd x && git push',
    'ls | git push',
    'git push $(id)',
  ])('to deny a command are not evaded by another one beside it: %s', command => {
    expect(decide(shell(command), 'auto', ['shell_execute'], ['shell_execute(git push*)'])).toBe('deny');
  });

  it('to deny a command leave others alone', () => {
    expect(decide(shell('git pull; echo git push'), 'auto', [], ['shell_execute(git push*)'])).toBe('run');
  });

  it('are parsed with and without a pattern', () => {
    expect(parseRule(' web_fetch( docs.example.org ) ')).toEqual({
      tool: 'web_fetch',
      pattern: 'docs.example.org',
    });
    expect(parseRule('mcp.search')).toEqual({ tool: 'mcp.search', pattern: '**' });
    expect(parseRule('rm -rf')).toBeNull();
  });
});
