/** Bundled as the command is, every adapter still finds its SDK and its HTTP client. */
import { execFile } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { build } from 'esbuild';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { ModelConfig } from '../../../store/config.ts';
import { startFakeServer } from '../../support/fake-server.ts';
import { modelConfig } from '../../support/model-config.ts';

const SCENARIO = '- {role: executor, repeat: true, reply: from the bundle}';
let folder: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'loom-bundle-'));
  const models = fileURLToPath(new URL('../../../actors/models/create-model.ts', import.meta.url));
  await build({
    stdin: {
      contents: `
        import { createModel } from ${JSON.stringify(models)};
        const config = JSON.parse(process.argv[2]);
        const messages = [{ role: 'system', content: '# Loom executor' }, { role: 'user', content: 'Hi' }];
        const request = { messages, max_tokens: 50, stream: true };
        const response = await createModel(config).complete(request, { signal: new AbortController().signal });
        console.log(response.content);
      `,
      resolveDir: folder,
    },
    outdir: folder,
    entryNames: 'main',
    outExtension: { '.js': '.mjs' },
    bundle: true,
    splitting: true,
    format: 'esm',
    platform: 'node',
    banner: {
      js: "import { createRequire as __cr } from 'node:module'; const require = __cr(import.meta.url);",
    },
    logLevel: 'error',
  });
  await writeFile(join(folder, 'play.yaml'), SCENARIO);
});
afterAll(() => rm(folder, { recursive: true, force: true }));

const answer = async (config: ModelConfig) =>
  (
    await promisify(execFile)(process.execPath, [join(folder, 'main.mjs'), JSON.stringify(config)])
  ).stdout.trim();

test.each([
  ['ollama', 'ollama'],
  ['openai', 'openai_compatible'],
  ['anthropic', 'anthropic'],
] as const)('%s', async (kind, provider) => {
  const server = await startFakeServer(kind, SCENARIO);
  try {
    expect(await answer(modelConfig({ provider, base_url: server.url, api_key: 'k' }))).toBe(
      'from the bundle',
    );
  } finally {
    await server.stop();
  }
});

test('scripted', async () => {
  expect(await answer(modelConfig({ scenario: join(folder, 'play.yaml') }))).toBe('from the bundle');
});
