/** The figures Loom promises: start-up, overhead per subtask, growth with the size of a plan, memory. */
import { fork, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { openLoom } from '../../actors/engine.ts';
import { openLmdbReader } from '../../store/lmdb.ts';
import { startFakeServer } from '../support/fake-server.ts';
import { commandFigures } from './command-figures.ts';
import { slowestEdit } from './edits.ts';
import { longTalk } from './long-talk.ts';
import { sessionFigures } from './session-figures.ts';
import { toolFigures } from './tool-figures.ts';

const [loom = '', folder = '', fake = '', resume = ''] = process.argv.slice(2);
let boxes = 0;

interface Box {
  home: string;
  workspace: string;
}

function box(toml: string): Box {
  const at = join(folder, String(++boxes));
  const home = join(at, 'home');
  const workspace = join(at, 'work');
  mkdirSync(home, { recursive: true });
  mkdirSync(workspace);
  writeFileSync(join(workspace, 'notes.txt'), 'as it should be\n');
  writeFileSync(join(home, 'loom.toml'), toml);
  return { home, workspace };
}

const ROLES = 'roles = ["planner", "executor", "verifier", "extractor", "compactor"]';
const serverToml = (url: string): string =>
  `[models.main]\nprovider = "ollama"\nbase_url = "${url}"\nmodel = "bench"\ncontext_tokens = 32768\n${ROLES}\n`;

const median = (values: number[]): number => values.sort((a, b) => a - b)[values.length >> 1] ?? Number.NaN;

function print(name: string, figure: string, limit: string, holds: boolean): void {
  console.log(`${holds ? '✓' : '✗'} ${name.padEnd(58)} ${figure.padStart(22)}   promised ${limit}`);
}

const timed = (args: string[], env: NodeJS.ProcessEnv = process.env): Promise<number> =>
  new Promise(resolve => {
    const start = performance.now();
    spawn(process.execPath, args, { stdio: 'ignore', env }).once('exit', () =>
      resolve(performance.now() - start),
    );
  });

async function startUp(): Promise<void> {
  const bare: number[] = [];
  const version: number[] = [];
  for (let i = 0; i < 11; i++) {
    bare.push(await timed(['-e', '0']));
    version.push(await timed([loom, '--version']));
  }
  const ratio = median(version.map((ms, i) => ms / bare[i]!));
  print('loom --version, against node -e 0', `${ratio.toFixed(2)} ×`, '≤ 2 ×', ratio <= 2);
}

async function firstRequest(): Promise<void> {
  const ratios: number[] = [];
  for (let i = 0; i < 9; i++) {
    const bare = await timed(['-e', '0']);
    const server = await startFakeServer('ollama', '- {role: planner, repeat: true, fault: hang}');
    const { home, workspace } = box(serverToml(server.url));
    const start = performance.now();
    const child = spawn(process.execPath, [loom, 'run', 'bench', '-w', workspace], {
      stdio: 'ignore',
      env: { ...process.env, LOOM_HOME: home },
    });
    while (!server.requests.some(request => request.path === '/api/chat'))
      await new Promise(resolve => setTimeout(resolve, 1));
    ratios.push((performance.now() - start) / bare);
    child.kill('SIGKILL');
    await server.stop();
  }
  const ratio = median(ratios);
  print(
    'loom run, launch to first model request, against node -e 0',
    `${ratio.toFixed(2)} ×`,
    '≤ 5 ×',
    ratio <= 5,
  );
}

const nodes = (count: number, tier: number): string =>
  Array.from(
    { length: count },
    (_, i) =>
      `{id: n${i}, description: look around, verification_tier: ${tier}${i > 0 ? `, depends_on: [n${i - 1}]` : ''}}`,
  ).join(', ');

const chain = (count: number, tier: number): string => `
- role: planner
  repeat: true
  reply: {subtasks: [${nodes(count, tier)}]}
- {role: executor, step: 0, repeat: true, calls: [{name: read_file, arguments: {path: notes.txt}}]}
- {role: executor, step: 1, repeat: true, reply: "Looked into notes.txt; it is as it should be."}
- {role: verifier, repeat: true, reply: {passed: true, outcome: pass, confidence: 0.9, feedback: fine, issues: []}}
`;

/** Wall milliseconds per subtask of a chain, with everything real but the model. */
async function perSubtask(
  scenario: string,
  count: number,
  toml: (file: string) => Promise<string> | string,
): Promise<{ ms: number; box: Box; id: string }> {
  const file = join(folder, `scenario-${boxes}.yaml`);
  writeFileSync(file, scenario);
  const at = box(await toml(file));
  const opened = await openLoom({ home: at.home, workspace: at.workspace });
  let first = 0;
  let last = 0;
  const result = await opened.run({
    goal: 'bench',
    onEvent: event => {
      if (event.event_type === 'task_plan_ready') first = performance.now();
      if (event.event_type === 'subtask_completed') last = performance.now();
    },
  });
  await opened.close();
  if (result.exit_code !== 0) throw new Error(`the benchmark run failed: ${JSON.stringify(result.error)}`);
  return { ms: (last - first) / count, box: at, id: result.task_id };
}

const scripted = (file: string): string =>
  `[models.script]\nprovider = "scripted"\nmodel = "script"\nscenario = ${JSON.stringify(file)}\n${ROLES}\n`;

interface ServerProcess {
  url: string;
  /** Processor time it has used so far, ms. */
  cpu(): Promise<number>;
  stop(): Promise<void>;
}

async function serverProcess(scenario: string): Promise<ServerProcess> {
  const settings = join(folder, 'settings.json');
  writeFileSync(settings, JSON.stringify({ kind: 'ollama', scenario, options: {}, port: 0 }));
  const child = fork(fake, [settings]);
  const [{ url }] = (await once(child, 'message')) as [{ url: string }];
  return {
    url,
    async cpu() {
      const answer = once(child, 'message') as Promise<[{ cpu: NodeJS.CpuUsage }]>;
      child.send('?');
      const [{ cpu }] = await answer;
      return (cpu.user + cpu.system) / 1000;
    },
    async stop() {
      const ended = once(child, 'exit');
      child.disconnect();
      await ended;
    },
  };
}

/** What Loom adds per subtask: the wall time less what the model server itself worked, which is one after the other here.
 *  The first runs are the compiler's. */
async function overhead(): Promise<void> {
  const nodes = 40;
  const scenario = chain(nodes, 2);
  const server = await serverProcess(scenario);
  const runs: { whole: number; own: number }[] = [];
  for (let i = 0; i < 9; i++) {
    const before = await server.cpu();
    const { ms } = await perSubtask(scenario, nodes, () => serverToml(server.url));
    const model = ((await server.cpu()) - before) / nodes;
    if (i >= 2) runs.push({ whole: ms, own: ms - model });
  }
  await server.stop();
  const own = runs.map(run => run.own);
  const range = `${Math.min(...own).toFixed(1)}–${Math.max(...own).toFixed(1)}`;
  const ms = median(own);
  const whole = median(runs.map(run => run.whole));
  print(
    'overhead per subtask (1 tool call, answer, review, HTTP)',
    `${ms.toFixed(1)} ms (${range})`,
    `≤ 20 ms; with the model server's own work ${whole.toFixed(1)} ms`,
    ms <= 20,
  );
}

async function growth(): Promise<void> {
  await perSubtask(chain(50, 1), 50, scripted);
  const small: number[] = [];
  for (let i = 0; i < 3; i++) small.push((await perSubtask(chain(100, 1), 100, scripted)).ms);
  const large = await perSubtask(chain(1000, 1), 1000, scripted);
  const ratio = large.ms / median(small);
  print(
    'cost per subtask at 1,000 nodes, against 100',
    `${ratio.toFixed(2)} × (${large.ms.toFixed(1)} ms)`,
    '≤ 1.5 ×',
    ratio <= 1.5,
  );
}

async function rowSize(): Promise<void> {
  const file = join(folder, 'row.yaml');
  writeFileSync(
    file,
    `${chain(1000, 1).replace('step: 0, repeat', 'step: 0, subtask: n0, fault: hang, repeat')}`,
  );
  const at = box(scripted(file));
  const opened = await openLoom({ home: at.home, workspace: at.workspace });
  const stop = new AbortController();
  const result = await opened.run({
    goal: 'bench',
    signal: stop.signal,
    onEvent: event => {
      if (event.event_type === 'subtask_started') stop.abort();
    },
  });
  await opened.close();
  const reader = await openLmdbReader(at.home);
  const row = await reader.get(result.task_id, `a/task/${result.task_id}`);
  await reader.close();
  const bytes = Buffer.byteLength(JSON.stringify(row));
  print('task row at 1,000 nodes', `${(bytes / 1024).toFixed(1)} KB`, '≤ 16 KB', bytes <= 16 * 1024);
}

async function memory(): Promise<void> {
  const scenario = chain(30, 2);
  const server = await startFakeServer('ollama', scenario);
  const { home, workspace } = box(serverToml(server.url));
  const child = spawn(process.execPath, [loom, 'run', 'bench', '-w', workspace], {
    stdio: 'ignore',
    env: { ...process.env, LOOM_HOME: home },
  });
  let peak = 0;
  const look = setInterval(() => {
    try {
      const status = readFileSync(`/proc/${child.pid}/status`, 'utf8');
      peak = Math.max(peak, Number(/RssAnon:\s+(\d+)/.exec(status)?.[1] ?? 0));
    } catch {
      // It has just ended.
    }
  }, 5);
  await new Promise(resolve => child.once('exit', resolve));
  clearInterval(look);
  await server.stop();
  print('peak RssAnon of loom run', `${(peak / 1024).toFixed(0)} MB`, '≤ 130 MB', peak <= 130 * 1024);
}

function editLatency(): void {
  const { stage, ms } = slowestEdit();
  print(
    'edit_file, 60 lines in 20,000, slowest stage',
    `${ms.toFixed(0)} ms (${stage})`,
    '≤ 200 ms',
    ms <= 200,
  );
}

await startUp();
await firstRequest();
await overhead();
await growth();
await rowSize();
await memory();
editLatency();
await toolFigures(join(folder, 'tools'), print);
await commandFigures(join(folder, 'commands'), print);
await longTalk(box(scripted('none.yaml')), resume, print);
await sessionFigures(loom, join(folder, 'session'), print);
