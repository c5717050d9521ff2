/** `npm run demo`: the main job on a small real project, in a temporary folder. The model is a script; the rest is real. */
import { cpSync, mkdirSync, mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { changeText } from './commands/diff.ts';
import { type Context, paintFor, printedNotices } from './context.ts';
import { shown } from './failure.ts';
import { processInterrupt, processIo } from './process.ts';
import { createProgress } from './progress.ts';
import { report } from './render/result.ts';
import { quoted } from './render/words.ts';
import { openEngine } from './start.ts';

const GOAL =
  'Fix the failing test of textkit, test the function that has no tests, document the three functions and write the release notes for 0.3.1.';

const io = processIo();
const notices = printedNotices(io);
const shipped = fileURLToPath(new URL('../processes/demo/', import.meta.url));

/** A fresh copy of the project and a home of its own, so that nothing of the user's is touched. */
function prepare(): { home: string; workspace: string; config: string } {
  const folder = mkdtempSync(join(tmpdir(), 'loom-demo-'));
  const workspace = join(folder, 'textkit');
  const home = join(folder, 'home');
  cpSync(join(shipped, 'project'), workspace, { recursive: true });
  mkdirSync(home, { mode: 0o700 });
  const config = join(home, 'loom.toml');
  writeFileSync(
    config,
    `# Written by the demo.
[models.script]
provider = "scripted"
model = "scripted"
scenario = ${JSON.stringify(join(shipped, 'scenario.yaml'))}
roles = ["planner", "executor", "verifier", "extractor", "compactor"]
`,
  );
  return { home, workspace, config };
}

async function demo(): Promise<number> {
  const { home, workspace, config } = prepare();
  const context: Context = {
    io,
    output: 'text',
    interrupt: processInterrupt(line => notices.told(line)),
    workspace,
    model: undefined,
    notices,
    paint: {
      out: paintFor({ env: io.env, tty: io.tty.out, off: false }),
      err: paintFor({ env: io.env, tty: io.tty.err, off: false }),
    },
    loom: () => openEngine({ home, workspace, config }),
    reload: async () => undefined,
    nested: { names: [], run: () => Promise.reject(new Error('there is no command line within it')) },
  };
  const paint = context.paint.out;
  io.out(
    `${paint.bold('Loom, the demo.')} The model is a script (processes/demo/scenario.yaml); everything else is real:
planning, parallel work, tools, tests, verification, storage. One subtask claims a file
it did not write; watch verification send it back.

`,
  );
  const loom = await context.loom();
  const progress = createProgress(context, { deltas: false, diff_lines: 0 });
  const disarm = context.interrupt.arm();
  notices.told = line => progress.note(line);
  try {
    const result = await loom.run({
      goal: GOAL,
      signal: context.interrupt.signal,
      onEvent: event => progress.onEvent(event),
    });
    progress.stop();
    const changes = await loom.changes(result.task_id);
    io.out(`\n${changes.map(change => changeText(context, change)).join('\n\n')}\n\n`);
    // The commands below need the demo's home, so the usual next steps would not work as they stand.
    io.out(report(result, { columns: io.columns('out'), paint, changes, next: false }));
    io.out(`\n${furtherSteps(home, workspace, result.task_id)}\n`);
    return result.exit_code;
  } finally {
    progress.stop();
    disarm();
    await loom.close();
  }
}

function furtherSteps(home: string, workspace: string, id: string): string {
  const main = fileURLToPath(new URL('./loom.js', import.meta.url));
  const loom = `LOOM_HOME=${quoted(home)} node ${quoted(main)}`;
  return [
    `The files are in ${workspace}`,
    `Look further:   ${loom} show ${id}`,
    `What happened:  ${loom} logs ${id}`,
    `Take it back:   ${loom} undo ${id}`,
  ].join('\n');
}

try {
  process.exitCode = await demo();
} catch (error) {
  const { message, exit_code } = shown(error);
  io.err(`loom: ${message}\n`);
  process.exitCode = exit_code;
}
