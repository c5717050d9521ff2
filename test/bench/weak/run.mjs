// `npm run bench:weak`: bundles the benchmark of weak models and runs it; its exit code says whether every bound holds.

import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { build } from 'esbuild';

// Inside the project, so that packages that are not bundled are found.
const folder = mkdtempSync(join(import.meta.dirname, '..', '..', '..', 'node_modules', '.loom-weak-'));
try {
  await build({
    entryPoints: {
      weak: join(import.meta.dirname, 'weak.ts'),
      loom: join(import.meta.dirname, 'loom-main.ts'),
    },
    outdir: folder,
    outExtension: { '.js': '.mjs' },
    bundle: true,
    platform: 'node',
    format: 'esm',
    packages: 'external',
    logLevel: 'error',
  });
  const args = [join(folder, 'weak.mjs'), join(folder, 'loom.mjs'), ...process.argv.slice(2)];
  process.exitCode = spawnSync(process.execPath, args, { stdio: 'inherit' }).status ?? 1;
} finally {
  rmSync(folder, { recursive: true, force: true });
}
