// Bundles the command, the library and the demo into dist/; heavy parts stay in chunks of their own, loaded when used.
import { chmodSync, readFileSync, rmSync } from 'node:fs';
import { build } from 'esbuild';

const { version } = JSON.parse(readFileSync(new URL('./package.json', import.meta.url), 'utf8'));

rmSync(new URL('./dist', import.meta.url), { recursive: true, force: true });
await build({
  absWorkingDir: import.meta.dirname,
  entryPoints: { loom: 'cli/main.ts', demo: 'cli/demo.ts', index: 'actors/index.ts' },
  outdir: 'dist',
  bundle: true,
  splitting: true,
  format: 'esm',
  platform: 'node',
  target: 'node20.19',
  // Native code, WebAssembly and files found relative to their own package cannot be bundled.
  external: ['lmdb', 'msgpackr', '@vscode/ripgrep', 'web-tree-sitter', 'tree-sitter-bash'],
  define: { LOOM_VERSION: JSON.stringify(version) },
  // Bundled CommonJS packages call require() for node's own modules.
  banner: {
    js: "import { createRequire as __cr } from 'node:module'; const require = __cr(import.meta.url);",
  },
  legalComments: 'none',
  logLevel: 'warning',
});
chmodSync(new URL('./dist/loom.js', import.meta.url), 0o755);
