/** What a gate says changes once strangers' words were read; rules and people still decide. */
import { describe, expect, it } from 'vitest';
import { type ApprovalMode, type Exposure, type GatedCall, gate } from '../../machines/approval.ts';

const fetchOf = (more: Partial<GatedCall> = {}): GatedCall => ({
  tool: 'web_fetch',
  risks: ['network'],
  subject: 'evil.example',
  unnamed: true,
  ...more,
});
const command: GatedCall = { tool: 'shell_execute', risks: ['exec'], subject: 'npm test', unconfined: true };
const word = (
  call: GatedCall,
  exposure: Exposure,
  { mode = 'auto' as ApprovalMode, allow = [] as string[], deny = [] as string[] } = {},
) => gate({ mode, allow, deny }, call, exposure).decision;

describe('a request to a host nobody named', () => {
  it('runs while nothing was read, and asks after anything was', () => {
    expect(word(fetchOf(), 'nothing')).toBe('run');
    expect(word(fetchOf(), 'local')).toBe('ask');
    expect(word(fetchOf(), 'outside')).toBe('ask');
  });
  it('runs when the host was named, whatever was read', () => {
    expect(word(fetchOf({ unnamed: false }), 'outside')).toBe('run');
  });
});

describe('a command outside the sandbox', () => {
  it('asks after strangers were read, not after own files', () => {
    expect(word(command, 'local')).toBe('run');
    expect(word(command, 'outside')).toBe('ask');
    expect(word({ ...command, unconfined: false }, 'outside')).toBe('run');
  });
});

it.each(['auto', 'manual', 'confidence_threshold'] as const)(
  'in mode %s nothing of it runs unasked',
  mode => {
    const secret: GatedCall = { tool: 'read_file', risks: ['read', 'secret'], subject: '.env' };
    const network: GatedCall = { ...command, risks: ['network', 'exec'], shell_network: true };
    for (const call of [fetchOf(), command, secret, network])
      expect(word(call, 'outside', { mode }), call.tool).toBe('ask');
  },
);

it('a rule pre-approves, and one to deny wins', () => {
  expect(word(fetchOf(), 'outside', { allow: ['web_fetch(evil.example)'] })).toBe('run');
  expect(word(fetchOf(), 'outside', { allow: ['web_fetch(*.example)'] })).toBe('run');
  expect(word(fetchOf(), 'outside', { allow: ['web_fetch(good.example)'] })).toBe('ask');
  expect(word(command, 'outside', { allow: ['shell_execute(npm test)'] })).toBe('run');
  expect(word(fetchOf(), 'nothing', { deny: ['web_fetch'] })).toBe('deny');
});
