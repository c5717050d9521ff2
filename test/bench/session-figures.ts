/** What a session at a terminal costs: until the prompt stands, while nothing happens, per piece of an answer. */
import { type ChildProcess, spawn } from 'node:child_process';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Chalk } from 'chalk';
import { highlighter } from '../../cli/render/highlight.ts';
import { answerView } from '../../cli/session/answer-view.ts';

type Print = (name: string, figure: string, limit: string, holds: boolean) => void;

const IDLE_SECONDS = 30;
const median = (values: number[]): number => values.sort((a, b) => a - b)[values.length >> 1] ?? Number.NaN;

const TOML = `[models.main]
provider = "ollama"
base_url = "http://127.0.0.1:9"
model = "none"
context_tokens = 8192
roles = ["executor"]
`;

/** `loom` in a pseudo-terminal of its own; resolves when the screen shows `mark`. */
async function shown(loom: string, at: string, mark: string): Promise<{ child: ChildProcess; ms: number }> {
  const started = performance.now();
  const child = spawn('script', ['-qfec', `'${process.execPath}' '${loom}'`, '/dev/null'], {
    cwd: join(at, 'work'),
    stdio: ['pipe', 'pipe', 'ignore'],
    env: { ...process.env, LOOM_HOME: join(at, 'home'), TERM: 'xterm', CI: '' },
  });
  let seen = '';
  await new Promise<void>(resolve => {
    child.stdout?.on('data', (piece: Buffer) => {
      seen += piece.toString();
      if (seen.includes(mark)) resolve();
    });
  });
  return { child, ms: performance.now() - started };
}

const bare = async (): Promise<number> => {
  const started = performance.now();
  await new Promise(resolve =>
    spawn(process.execPath, ['-e', '0'], { stdio: 'ignore' }).once('exit', resolve),
  );
  return performance.now() - started;
};

/** Process of `loom` below `script`, which starts a shell for it. */
function loomBelow(pid: number): number {
  const children = (of: number) =>
    readFileSync(`/proc/${of}/task/${of}/children`, 'utf8').trim().split(' ').filter(Boolean).map(Number);
  let at = pid;
  for (let next = children(at); next.length > 0; next = children(at)) at = next[0]!;
  return at;
}

/** Processor seconds a process has used. */
function used(pid: number): number {
  const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1]!.split(' ');
  return (Number(fields[11]) + Number(fields[12])) / 100;
}

async function ended(child: ChildProcess): Promise<void> {
  const gone = new Promise(resolve => child.once('exit', resolve));
  child.stdin?.write('/quit\r');
  const late = setTimeout(() => child.kill('SIGKILL'), 5_000);
  await gone;
  clearTimeout(late);
}

async function prompt(loom: string, at: string, print: Print): Promise<void> {
  const ratios: number[] = [];
  for (let i = 0; i < 7; i++) {
    const one = await bare();
    const { child, ms } = await shown(loom, at, '›');
    ratios.push(ms / one);
    await ended(child);
  }
  const ratio = median(ratios);
  print('loom, launch to prompt, against node -e 0', `${ratio.toFixed(2)} ×`, '≤ 5 ×', ratio <= 5);
}

async function idle(loom: string, at: string, print: Print): Promise<void> {
  const { child } = await shown(loom, at, 'session');
  await new Promise(resolve => setTimeout(resolve, 2_000));
  const pid = loomBelow(child.pid!);
  const before = used(pid);
  await new Promise(resolve => setTimeout(resolve, IDLE_SECONDS * 1000));
  const share = (100 * (used(pid) - before)) / IDLE_SECONDS;
  await ended(child);
  print(
    `a session while nothing happens, ${IDLE_SECONDS} s`,
    `${share.toFixed(2)} % of a core`,
    '≤ 0.5 %',
    share <= 0.5,
  );
}

const ANSWER = `## What I found\n\nThe cause is in \`wrap()\`: it **counts** bytes, not columns, see the list.\n\n- first\n- second\n\n\`\`\`ts\nconst width = (text: string) => [...text].length;\nif (width(line) > columns) wrap(line); // too wide\n\`\`\`\n\n`;

/** An answer of 4,000 pieces of about four characters, rendered as the terminal does, the unfinished part every 40 ms. */
async function pieces(print: Print): Promise<void> {
  const paint = new Chalk({ level: 1 });
  const highlight = await highlighter(paint);
  const view = answerView(
    () => ({ paint, highlight, columns: 100 }),
    text => text,
  );
  const text = ANSWER.repeat(60);
  const all = text.match(/[\s\S]{1,4}/g) ?? [];
  const rounds: number[] = [];
  for (let round = 0; round < 3; round++) {
    const before = process.cpuUsage();
    let lines = 0;
    let drawn = performance.now();
    for (const piece of all) {
      lines += view.take({ task_id: 't', call: String(round), attempt: 1, offset: 0, text: piece }).length;
      if (performance.now() - drawn < 40) continue;
      drawn = performance.now();
      lines += view.rest().length;
    }
    lines += view.committed(text).length;
    const { user, system } = process.cpuUsage(before);
    if (lines === 0) throw new Error('nothing was rendered');
    rounds.push((user + system) / 1000 / all.length);
  }
  const ms = median(rounds);
  print('a piece of a streamed answer, processor time', `${ms.toFixed(3)} ms`, '≤ 0.3 ms', ms <= 0.3);
}

export async function sessionFigures(loom: string, at: string, print: Print): Promise<void> {
  for (const name of ['home', 'work']) mkdirSync(join(at, name), { recursive: true });
  writeFileSync(join(at, 'home', 'loom.toml'), TOML);
  await pieces(print);
  await prompt(loom, at, print);
  await idle(loom, at, print);
}
