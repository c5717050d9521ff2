/** Bundles entry points of the command line into a temporary folder that finds the project's packages. */
import { mkdtempSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';

const root = fileURLToPath(new URL('../../', import.meta.url));

/** `dist/<name>.js` for each entry, beside the same `processes/` as in the package. */
export async function bundled(
  entryPoints: Record<string, string>,
): Promise<{ dist: string; remove(): void }> {
  const folder = mkdtempSync(join(tmpdir(), 'loom-bundle-'));
  for (const name of ['node_modules', 'processes']) symlinkSync(join(root, name), join(folder, name));
  await build({
    absWorkingDir: root,
    entryPoints,
    outdir: join(folder, 'dist'),
    bundle: true,
    splitting: true,
    format: 'esm',
    platform: 'node',
    outExtension: { '.js': '.mjs' },
    // Packages are loaded as they are installed; what the build does to them is tested with the build.
    packages: 'external',
    define: { LOOM_VERSION: '"0.1.0-test"' },
    logLevel: 'silent',
  });
  return { dist: join(folder, 'dist'), remove: () => rmSync(folder, { recursive: true, force: true }) };
}
