/** docs/CONFIG.md says what the key tables say. `npm run docs` writes it anew. */

import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { configDocs } from '../../store/config-docs.ts';
import { KEYS } from '../../store/config-keys.ts';
import { MODEL_KEYS } from '../../store/config-keys-models.ts';

const PAGE = join(import.meta.dirname, '..', '..', 'docs', 'CONFIG.md');

if (process.env['LOOM_WRITE_DOCS'] === '1') writeFileSync(PAGE, configDocs());

it('docs/CONFIG.md is up to date; if not, run "npm run docs"', () => {
  expect(readFileSync(PAGE, 'utf8')).toBe(configDocs());
});

it('has every key', () => {
  const page = configDocs();
  const names = [...Object.keys(KEYS), ...Object.keys(MODEL_KEYS)].map(key => key.split('.').at(-1)!);
  expect(names.filter(name => !new RegExp(`\`[\\w.]*${name}\``).test(page))).toEqual([]);
});
