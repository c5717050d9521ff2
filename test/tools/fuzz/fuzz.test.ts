/** Random and mutated calls over all tools: no crash, nothing written or read outside the workspace, no packet, and every
 *  refusal names the field. Deep: ten times as many. */
import { execFileSync } from 'node:child_process';
import dns from 'node:dns';
import { readdirSync, readFileSync, readlinkSync, symlinkSync } from 'node:fs';
import { Socket } from 'node:net';
import { join } from 'node:path';
import fc from 'fast-check';
import { expect, onTestFinished, test, vi } from 'vitest';
import { createRegistry } from '../../../tools/registry.ts';
import type { Assessment, ToolContext, ToolResult } from '../../../tools/tool.ts';
import { createWebClient } from '../../../tools/web/client.ts';
import { openWorkspace } from '../../../tools/workspace.ts';
import { fakeWeb } from '../../support/fake-web.ts';
import { bench, fill, tempFolder } from '../support.ts';
import { type FuzzedCall, fuzzedCalls, HARMLESS } from './calls.ts';

const CALLS = process.env['LOOM_DEEP'] === '1' ? 20_000 : 2_000;
const SECRET = 'the-secret-beside-the-workspace';
const registry = createRegistry();

const SETTINGS = { user_agent: 'Loom-Test/1', timeout_seconds: 5, requests_per_second: 0, cache_seconds: 0 };
const PAGES: Parameters<typeof fakeWeb>[0] = {
  'a.example/': '<html><body><h1>Hello</h1><p>needle</p></body></html>',
  'a.example/data.json': '{"a":1}',
  'a.example/away': (_, response) => response.writeHead(302, { location: 'http://10.0.0.1/' }).end(),
};

/** `<outer>/work` is the workspace, everything else must stay as it is. */
async function arena(): Promise<{ outer: string; context: ToolContext }> {
  const outer = await tempFolder('loom-fuzz-');
  await fill(outer, { 'secret.txt': SECRET, 'out/secret.txt': SECRET, 'home/.ssh/id_rsa': SECRET });
  const work = join(outer, 'work');
  await fill(work, {
    'src/a.ts': 'export const a = 1;\nneedle\n',
    'notes.md': '# Notes\nline 1\nline 2\n',
    'crlf.txt': 'one\r\ntwo\r\n',
    'data.csv': 'name,n\nada,1\n',
    'big.txt': 'line 1\n'.repeat(3_000),
    'image.png': Buffer.from('89504e470d0a1a0a0000000d49484452', 'hex'),
    '.git/config': '[core]\n',
    '.env': 'KEY=1\n',
  });
  symlinkSync(join(outer, 'out'), join(work, 'link-out'));
  symlinkSync(join(outer, 'secret.txt'), join(work, 'link-file'));
  symlinkSync('nowhere', join(work, 'dangling'));
  symlinkSync('loop', join(work, 'loop'));
  execFileSync('sh', ['-c', 'mkfifo fifo'], { cwd: work });
  const { context } = await bench();
  const fake = await fakeWeb(PAGES);
  onTestFinished(fake.stop);
  const client = createWebClient(SETTINGS, fake.network, { now: Date.now, sleep: async () => {} });
  onTestFinished(client.close);
  const web = { ...context.web, client };
  return { outer, context: { ...context, web, workspace: await openWorkspace(work), outputLimit: 4_000 } };
}

/** Every file and link below a folder but for the workspace. */
function treeOf(folder: string, except: string): string {
  const lines: string[] = [];
  for (const entry of readdirSync(folder, { withFileTypes: true })) {
    const path = join(folder, entry.name);
    if (path === except) continue;
    if (entry.isDirectory()) lines.push(`${path}/`, treeOf(path, except));
    else lines.push(`${path} ${entry.isSymbolicLink() ? readlinkSync(path) : readFileSync(path, 'latin1')}`);
  }
  return lines.join('\n');
}

/** No packet leaves, whatever a tool does: every connection and look-up fails here and is remembered. */
function sealNetwork(): { attempts: string[] } {
  const attempts: string[] = [];
  const refuse = (what: string): Error => {
    attempts.push(what);
    return Object.assign(new Error('sealed for the test'), { code: 'ENETUNREACH' });
  };
  const connect = Socket.prototype.connect;
  vi.spyOn(Socket.prototype, 'connect').mockImplementation(function (this: Socket, ...given: unknown[]) {
    const [first] = given.flat() as { host?: string; path?: string }[];
    // The servers of the test stand on this machine.
    if (first?.path || first?.host === '127.0.0.1') return Reflect.apply(connect, this, given) as Socket;
    const error = refuse(JSON.stringify(first));
    process.nextTick(() => this.destroy(error));
    return this;
  } as Socket['connect']);
  vi.spyOn(dns, 'lookup').mockImplementation(((host: string, ...rest: unknown[]) => {
    (rest.at(-1) as (error: Error) => void)(refuse(`lookup ${host}`));
  }) as typeof dns.lookup);
  vi.spyOn(dns.promises, 'lookup').mockImplementation((async (host: string) => {
    throw refuse(`lookup ${host}`);
  }) as typeof dns.promises.lookup);
  return { attempts };
}

/** Commands are run only where they are known to be harmless; the others are judged. */
const mayRun = (name: string, args: Record<string, unknown>, judged: Assessment): boolean =>
  name === 'shell_execute'
    ? HARMLESS.includes(String(args['command']))
    : name === 'git_command'
      ? judged.risks.join() === 'read' && ['status', 'log'].includes(String((args['args'] as string[])[0]))
      : true;

const RISKS = ['read', 'network', 'write', 'exec', 'secret', 'destructive'];

function checkAssessment(judged: Assessment): void {
  expect(judged.risks.length).toBeGreaterThan(0);
  for (const risk of judged.risks) expect(RISKS).toContain(risk);
  expect(['repeatable', 'checkable', 'keyed', 'unknowable']).toContain(judged.effect);
  expect(judged.subject.length).toBeLessThanOrEqual(2_000);
}

function checkResult(result: ToolResult, outputLimit: number): void {
  expect(() => JSON.stringify(result)).not.toThrow();
  expect(result.output.length).toBeLessThanOrEqual(outputLimit + 200);
  expect(result.output).not.toContain(SECRET);
  for (const path of result.files_changed) expect(path).not.toMatch(/^(\/|\.\.(\/|$))/);
  if (result.success) return;
  // An exception nobody had thought of is a crash that was caught.
  expect(result.error?.code, result.error?.message).not.toBe('tool_error');
  expect(result.error!.message.length).toBeGreaterThan(5);
}

/** A refusal before or while the tool runs says which parameters it is about. */
function checkRefusal(failure: { code: string; message: string; detail?: Record<string, unknown> }): void {
  const fields = failure.detail?.['fields'] as string[] | undefined;
  expect(fields?.length, failure.message).toBeGreaterThan(0);
  for (const field of fields!) expect(field).toMatch(/\S/);
}

/** What the model reads names a parameter or a value that it sent. */
function checkNamed({ message }: { message: string }, args: Record<string, unknown>, names: string[]): void {
  const values = Object.values(args).filter(value => typeof value !== 'object');
  const said =
    names.some(name => message.includes(name)) ||
    values.some(
      value => message.includes(String(value)) || message.includes(JSON.stringify(value).slice(1, -1)),
    );
  expect(said, message).toBe(true);
}

/** What is no refusal of arguments but news of the world: a command that ended badly, a person who is missing. */
const NEWS = new Set(['exit_code', 'timeout', 'aborted', 'needs_person']);

test(`${CALLS} random and mutated calls: no crash, nothing outside, no packet, and every refusal names its field`, async () => {
  const { outer, context } = await arena();
  const work = join(outer, 'work');
  vi.stubEnv('HOME', join(outer, 'home'));
  const sealed = sealNetwork();
  const before = treeOf(outer, work);
  const calls = fc.sample(fuzzedCalls(registry.list()), { numRuns: CALLS, seed: 20_261_122 });
  const seen = { refused: 0, judged: 0, ran: 0, failed: 0 };
  const tools = new Set<string>();
  const one = async ({ name, args: given }: FuzzedCall): Promise<void> => {
    const args = JSON.parse(JSON.stringify(given).replaceAll('OUT/', `${join(outer, 'out')}/`)) as unknown;
    const found = await registry.validate(name, args);
    if (!found.ok) {
      seen.refused++;
      checkRefusal(found.failure);
      expect((await registry.run(name, args, context)).error).toEqual(found.failure);
      return;
    }
    tools.add(found.tool.name);
    const judged = await registry.assess(name, args as Record<string, unknown>, context.workspace);
    checkAssessment(judged);
    seen.judged++;
    if (!mayRun(found.tool.name, found.args, judged)) return;
    const result = await registry.run(name, args, context);
    seen.ran++;
    checkResult(result, context.outputLimit);
    if (result.success) return;
    seen.failed++;
    if (NEWS.has(result.error!.code)) return;
    checkRefusal(result.error!);
    checkNamed(result.error!, found.args, Object.keys(found.tool.parameters.properties));
  };
  for (const [n, call] of calls.entries())
    await one(call).catch((error: Error) => {
      error.message = `call ${n}: ${JSON.stringify(call).slice(0, 300)}\n${error.message}`;
      throw error;
    });
  expect(treeOf(outer, work)).toBe(before);
  expect(Object.keys(Object.prototype)).toEqual([]);
  expect(({} as { polluted?: unknown }).polluted).toBeUndefined();
  expect([...tools].sort()).toEqual(
    registry
      .list()
      .flatMap(tool => (tool.name === 'run_tool' ? [] : tool.name))
      .sort(),
  );
  // Enough of each kind, or the test shows nothing.
  expect(Math.min(seen.refused, seen.ran, seen.failed)).toBeGreaterThan(CALLS / 20);
  // The guard refused by itself: nothing tried to leave.
  expect(sealed.attempts).toEqual([]);
  console.log(JSON.stringify(seen));
}, 900_000);
