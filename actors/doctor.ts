/** `loom doctor`: what works here, what does not, and what to do about it. Looks only; changes nothing. */
import { access, constants, mkdtemp, realpath, rm, stat, statfs } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import type { Config } from '../store/config.ts';
import { overlayStatus } from '../tools/shell/overlay.ts';
import { sandboxStatus } from '../tools/shell/sandbox.ts';
import type { Settings } from './configuration.ts';
import type { Home } from './home.ts';
import type { DoctorLine } from './loom.ts';

interface Patient {
  home: Home;
  settings: Settings;
  workspace: string;
  env: NodeJS.ProcessEnv;
}

const line = (status: DoctorLine['status'], name: string, message: string): DoctorLine => ({
  name,
  status,
  message,
});

function node(): DoctorLine {
  const [major = 0, minor = 0] = process.versions.node.split('.').map(Number);
  const fine = major > 20 || (major === 20 && minor >= 19);
  return line(
    fine ? 'ok' : 'fail',
    'node',
    `${process.versions.node}${fine ? '' : '; Loom needs 20.19 or newer'}`,
  );
}

async function homeFolder(home: string): Promise<DoctorLine> {
  const found = await stat(home).catch(() => null);
  if (!found) return line('ok', 'home', `${home} (made at the first run)`);
  if (!found.isDirectory()) return line('fail', 'home', `${home} is not a folder; set LOOM_HOME to one`);
  const open = (found.mode & 0o077) !== 0;
  return open
    ? line('warn', 'home', `${home} can be read by others; chmod 700 ${home}`)
    : line('ok', 'home', home);
}

async function space(home: string, minFreeMb: number): Promise<DoctorLine> {
  const where = (await stat(home).catch(() => null)) ? home : join(home, '..');
  const disk = await statfs(where).catch(() => null);
  if (!disk) return line('warn', 'disk', `the free space of ${where} cannot be read`);
  const free = Math.floor((disk.bavail * disk.bsize) / 1024 / 1024);
  return free < minFreeMb
    ? line(
        'fail',
        'disk',
        `${free} MB free at ${where}; below store.min_free_mb = ${minFreeMb} no new run starts`,
      )
    : line('ok', 'disk', `${free} MB free at ${where}`);
}

async function store(home: Home): Promise<DoctorLine> {
  try {
    const { verifyStore } = await import('../store/verify.ts');
    const report = await verifyStore(await home.reader());
    return report.problems.length === 0
      ? line('ok', 'store', `${report.runs} runs, ${report.rows} rows, no problem found`)
      : line('fail', 'store', `${report.problems.length} problems, the first: ${report.problems[0]}`);
  } catch (error) {
    return line('fail', 'store', error instanceof Error ? error.message : String(error));
  }
}

async function sandbox(config: Config): Promise<DoctorLine> {
  const status = await sandboxStatus();
  const wanted = config.tools.shell.sandbox;
  if (wanted === 'off')
    return line('warn', 'sandbox', 'off by configuration: shell commands run with your rights');
  if (status.available && status.network) return line('ok', 'sandbox', status.detail);
  return line(wanted === 'required' ? 'fail' : 'warn', 'sandbox', status.detail);
}

/** Whether what commands change can be kept apart until it is merged, tried on this workspace. */
async function overlay(home: Home, workspace: string): Promise<DoctorLine> {
  const root = await realpath(workspace).catch(() => workspace);
  // Trying it out needs a folder; who has no home yet is not given one by looking.
  const there = await stat(home.path).catch(() => null);
  const scratch = there ? home.scratch : await mkdtemp(join(tmpdir(), 'loom-doctor-'));
  const status = await overlayStatus(root, scratch);
  if (!there) await rm(scratch, { recursive: true, force: true });
  return status.available
    ? line('ok', 'undo', `commands run in an ${status.detail}; what they change is merged as one step`)
    : line(
        'warn',
        'undo',
        `no overlay for commands (${status.detail}); contents are stored before each one, and one that a crash cuts off asks`,
      );
}

async function onPath(name: string, env: NodeJS.ProcessEnv): Promise<boolean> {
  for (const folder of (env['PATH'] ?? '').split(delimiter)) {
    const there = await access(join(folder, name), constants.X_OK).then(
      () => true,
      () => false,
    );
    if (there) return true;
  }
  return false;
}

async function git(env: NodeJS.ProcessEnv): Promise<DoctorLine> {
  return (await onPath('git', env))
    ? line('ok', 'git', 'found')
    : line('warn', 'git', 'not on the PATH: git_command will fail');
}

async function models(config: Config, env: NodeJS.ProcessEnv): Promise<DoctorLine[]> {
  if (Object.keys(config.models).length === 0) {
    const { detectModels } = await import('./models/detect.ts');
    const found = await detectModels({ env, signal: AbortSignal.timeout(5_000) });
    if (found.models.length > 0) return found.lines.map(text => line('ok', 'models', text));
    return [
      line(
        'fail',
        'models',
        'none configured, and no local server answers; start Ollama or write [models.main] into loom.toml',
      ),
    ];
  }
  const { createRouter } = await import('./models/router.ts');
  const reports = await createRouter(config).check(AbortSignal.timeout(15_000));
  return reports.map(report =>
    report.ok
      ? line(
          'ok',
          `model ${report.alias}`,
          `${report.model}, window ${report.window}, ${report.latency_ms} ms`,
        )
      : line('fail', `model ${report.alias}`, report.error?.message ?? 'does not answer'),
  );
}

export async function examine({ home, settings, workspace, env }: Patient): Promise<DoctorLine[]> {
  const { problem } = settings;
  const config = settings.known();
  const { min_free_mb } = config.store;
  const [inHome, disk, inStore, inSandbox, inOverlay, inGit, inModels] = await Promise.all([
    homeFolder(home.path),
    space(home.path, min_free_mb),
    store(home),
    sandbox(config),
    overlay(home, workspace),
    git(env),
    problem ? [] : models(config, env),
  ]);
  const configured = problem
    ? line('fail', 'config', problem.message)
    : line('ok', 'config', config.source ?? 'defaults (no loom.toml found)');
  return [
    node(),
    line('ok', 'workspace', workspace),
    configured,
    inHome,
    disk,
    inStore,
    inSandbox,
    inOverlay,
    inGit,
    ...inModels,
  ];
}
