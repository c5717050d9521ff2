// Bundles the command, the library and the demo into dist/; heavy parts stay in chunks of their own, loaded when used.
import { chmodSync, existsSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { build } from 'esbuild';

const { version } = JSON.parse(readFileSync(new URL('./package.json', import.meta.url), 'utf8'));
const require = createRequire(import.meta.url);

function isCommonJs(path) {
  if (/\.(mjs|ts)$/.test(path)) return false;
  if (path.endsWith('.cjs')) return true;
  for (let folder = dirname(path); folder !== dirname(folder); folder = dirname(folder)) {
    const file = join(folder, 'package.json');
    if (existsSync(file)) return JSON.parse(readFileSync(file, 'utf8')).type !== 'module';
  }
  return true;
}

// A CommonJS package that is loaded by import() would lose its named exports in a chunk of its own: they are spelled out.
const namedExports = {
  name: 'named-exports',
  setup(builder) {
    builder.onResolve({ filter: /^[^./]/ }, async args => {
      if (args.kind !== 'dynamic-import' || args.pluginData === 'inner' || args.path.startsWith('node:'))
        return;
      const found = await builder.resolve(args.path, {
        kind: 'dynamic-import',
        resolveDir: args.resolveDir,
        pluginData: 'inner',
      });
      if (found.errors.length > 0 || found.external || !isCommonJs(found.path)) return found;
      return { path: found.path, namespace: 'named-exports', pluginData: args.path };
    });
    builder.onLoad({ filter: /.*/, namespace: 'named-exports' }, args => {
      const names = Object.keys(require(args.pluginData)).filter(
        name => name !== 'default' && /^[A-Za-z_$][\w$]*$/.test(name),
      );
      const lines = names.map(name => `export const ${name} = all[${JSON.stringify(name)}];`);
      return {
        // Packages that were ES modules once may have no default: then the whole is.
        contents: `import * as all from ${JSON.stringify(args.path)};\nexport default all.default ?? all;\n${lines.join('\n')}\n`,
        resolveDir: dirname(args.path),
      };
    });
  },
};

// The type declarations beside the bundles come from tsc (npm run build).
const dist = join(import.meta.dirname, 'dist');
for (const name of existsSync(dist) ? readdirSync(dist) : [])
  if (name !== 'types') rmSync(join(dist, name), { recursive: true });
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
  external: ['lmdb', 'msgpackr', '@vscode/ripgrep', 'web-tree-sitter', '@vscode/tree-sitter-wasm'],
  plugins: [namedExports],
  define: { LOOM_VERSION: JSON.stringify(version) },
  // Bundled CommonJS packages call require() for node's own modules.
  banner: {
    js: "import { createRequire as __cr } from 'node:module'; const require = __cr(import.meta.url);",
  },
  legalComments: 'none',
  logLevel: 'warning',
});
chmodSync(new URL('./dist/loom.js', import.meta.url), 0o755);
