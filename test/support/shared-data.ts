/** Sample rows of other projects, where the folder with them is present; tests without it have nothing to hold. */
import { existsSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const FOLDERS = [
  process.env['LOOM_SHARED_DATA'],
  fileURLToPath(new URL('../../../shared/data', import.meta.url)),
  fileURLToPath(new URL('../../../../shared/data', import.meta.url)),
];

/** Rows of one file; [] when it is absent. */
export function sharedRows<Row>(file: string): Row[] {
  const folder = FOLDERS.find(path => path && existsSync(`${path}/${file}`));
  if (!folder) return [];
  const lines = readFileSync(`${folder}/${file}`, 'utf8').trim().split('\n');
  return lines.map(line => JSON.parse(line) as Row);
}
