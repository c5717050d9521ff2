/** Secrets of the workspace's own files do not show up in what searches and scripts print. */
import { expect, it } from 'vitest';
import { hideSecrets, secretsIn } from '../../tools/secrets.ts';
import { bench } from './support.ts';

const hide = (root: string, text: string): string => hideSecrets(text, secretsIn(root));

const ENV = `# comment
API_TOKEN=sk-live-1234567890
export DB_PASSWORD="correct horse battery"
DEBUG=true
PORT=3000
NODE_ENV=production
URL=http://localhost:3000/
SHORT=abc
`;

it('are replaced by the name of their file, wherever they stand', async () => {
  const { root } = await bench({
    '.env': ENV,
    'config/id_rsa': '-----BEGIN KEY-----\nMIIBVgIBADANBgkqhkiG9w0BAQ\n-----END KEY-----\n',
    'app/service/auth.toml': '[a]\nkey = "tok_abcdefgh"\n',
  });
  const shown = hide(
    root,
    './.env:2:API_TOKEN=sk-live-1234567890\npw: correct horse battery, MIIBVgIBADANBgkqhkiG9w0BAQ tok_abcdefgh',
  );
  expect(shown).toBe(
    './.env:2:API_TOKEN=[secret of .env, not shown]\npw: [secret of .env, not shown], [secret of config/id_rsa, not shown] [secret of app/service/auth.toml, not shown]',
  );
});

it('what means something everywhere stays', async () => {
  const { root } = await bench({ '.env': ENV });
  const text = 'DEBUG=true PORT=3000 NODE_ENV=production http://localhost:3000/ abc # comment';
  expect(hide(root, text)).toBe(text);
});

it('files that are no secrets hide nothing, and examples are none', async () => {
  const { root } = await bench({
    '.env.example': 'KEY=put-your-key-here',
    'a.txt': 'KEY=sk-live-1234567890',
  });
  expect(hide(root, 'put-your-key-here sk-live-1234567890')).toBe('put-your-key-here sk-live-1234567890');
});

it('a changed file counts as it is now', async () => {
  const { root } = await bench({ '.env': 'TOKEN=first-secret' });
  expect(hide(root, 'first-secret')).toContain('not shown');
  const { writeFile } = await import('node:fs/promises');
  await writeFile(`${root}/.env`, 'TOKEN=the-second-secret');
  expect(hide(root, 'the-second-secret')).toContain('not shown');
});
