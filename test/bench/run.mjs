// `npm run bench`: builds Loom and the benchmark, then prints figures. Ratios are measured in one run, because machines are noisy.

import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { build } from 'esbuild';

const root = join(import.meta.dirname, '..', '..');
execFileSync(process.execPath, [join(root, 'build.mjs')], { stdio: 'inherit' });
// Inside the project, so that packages that are not bundled are found.
const folder = mkdtempSync(join(root, 'node_modules', '.loom-bench-'));
try {
  await build({
    entryPoints: {
      bench: join(import.meta.dirname, 'bench.ts'),
      fake: join(import.meta.dirname, '..', 'support', 'fake-main.ts'),
      resume: join(import.meta.dirname, '..', 'support', 'resume-child.ts'),
    },
    outdir: folder,
    outExtension: { '.js': '.mjs' },
    bundle: true,
    platform: 'node',
    format: 'esm',
    packages: 'external',
    logLevel: 'error',
  });
  const figures = mkdtempSync(join(tmpdir(), 'loom-bench-'));
  const args = ['bench', 'fake', 'resume'].map(name => join(folder, `${name}.mjs`));
  args.splice(1, 0, join(root, 'dist', 'loom.js'), figures);
  execFileSync(process.execPath, args, { stdio: 'inherit' });
  rmSync(figures, { recursive: true, force: true });
} finally {
  rmSync(folder, { recursive: true, force: true });
}
