/** Deliverables: there, not empty, not a mere placeholder, and of the kind that their name promises. */
import { basename, extname } from 'node:path';
import { type Check, failed, passed, unsure } from './check.ts';
import { nearby, type Seen, type World } from './world.ts';

/** Files whose whole point is to be there. */
const EMPTY_ON_PURPOSE = /^(?:\.gitkeep|\.keep|\.nojekyll|__init__\.py|py\.typed|\.npmignore|\.nomedia)$/;

export async function deliverables(world: World): Promise<Check[]> {
  const { node, changed } = world;
  const left = await Promise.all(node.deliverables.map(path => present(world, path, 'deliverable')));
  const kinds = await Promise.all([...new Set([...node.deliverables, ...changed])].map(p => kind(world, p)));
  return [...left, ...kinds.filter(check => check !== null)];
}

/** There and not empty. `as` begins the name of the check. */
export async function present(world: World, path: string, as: string): Promise<Check> {
  const name = `${as}_${path}`;
  const seen = await world.see(path);
  if (!seen) return failed(name, `${path} does not exist.${nearby(world, path)}`);
  if (seen.folder || mayBeEmpty(world, path)) return passed(name, `${path} is there.`);
  if (seen.size === 0) return failed(name, `${path} is empty.`);
  if (seen.text !== null && seen.text.trim() === '') return failed(name, `${path} holds only white space.`);
  if (seen.text !== null && onlyPlaceholder(seen.text) && !speaksOfPlaceholders(world, path))
    return failed(name, `${path} holds only a placeholder.`);
  return passed(name, `${path} is there.`);
}

const mayBeEmpty = (world: World, path: string): boolean =>
  EMPTY_ON_PURPOSE.test(basename(path)) || /\bempty\b|\bblank\b/i.test(world.asked);

const PLACEHOLDER =
  /^\W*(?:todo|tbd|fixme|tba|placeholder|lorem ipsum.*|coming soon|content (?:goes|to be added|here).*|to be (?:written|done|added|completed).*|insert .* here|your (?:content|text|code) here|write .* here|n\/a|\.{3}|…)\W*$/i;

/** A heading or two at most, and then nothing but placeholder words. */
function onlyPlaceholder(text: string): boolean {
  if (text.length > 2_000) return false;
  const lines = text.split(/\r?\n/).filter(line => line.trim() !== '' && !/^#{1,6}\s/.test(line));
  return lines.length > 0 && lines.every(line => PLACEHOLDER.test(line) || /^[.…\s]+$/.test(line));
}

/** Placeholders that are the subject of the work are not a sign of missing work. */
export const speaksOfPlaceholders = (world: World, path: string): boolean =>
  /\b(?:todos?|tbd|fixmes?|placeholders?|lorem|stubs?|skeletons?|scaffold|templates?|drafts?)\b/i.test(
    `${world.asked} ${basename(path)}`,
  );

const hex = (bytes: Buffer, from: number, to: number): string => bytes.subarray(from, to).toString('hex');
const starts =
  (signature: string) =>
  (bytes: Buffer): boolean =>
    hex(bytes, 0, signature.length / 2) === signature;
const zip = starts('504b');

const KINDS: Record<string, [string, (bytes: Buffer) => boolean]> = {
  '.png': ['a PNG image', starts('89504e470d0a1a0a')],
  '.jpg': ['a JPEG image', starts('ffd8ff')],
  '.jpeg': ['a JPEG image', starts('ffd8ff')],
  '.gif': ['a GIF image', starts('47494638')],
  '.webp': ['a WebP image', bytes => hex(bytes, 0, 4) === '52494646' && hex(bytes, 8, 12) === '57454250'],
  '.bmp': ['a bitmap', starts('424d')],
  '.pdf': ['a PDF document', bytes => bytes.subarray(0, 1_024).includes('%PDF-')],
  '.zip': ['a ZIP archive', zip],
  '.docx': ['a Word document', zip],
  '.xlsx': ['an Excel workbook', zip],
  '.pptx': ['a PowerPoint presentation', zip],
  '.gz': ['a gzip archive', starts('1f8b')],
  '.tgz': ['a gzip archive', starts('1f8b')],
  '.wasm': ['a WebAssembly module', starts('0061736d')],
  '.sqlite': ['an SQLite database', starts('53514c6974652066')],
};
const TEXT =
  /\.(?:md|txt|rst|json|ya?ml|toml|csv|tsv|py|[cm]?[jt]s|[jt]sx|html?|css|xml|svg|sh|go|rs|java|rb|sql)$/i;
const ERROR_WORDS =
  /\b(?:40[0-9]|50[0-9]|not found|forbidden|access denied|unauthorized|bad gateway|service unavailable|just a moment|attention required)\b/i;

/** null: nothing to say about a file of this name. */
async function kind(world: World, path: string): Promise<Check | null> {
  const seen = await world.see(path);
  if (!seen?.bytes || seen.size === 0) return null;
  const name = `kind_${path}`;
  const wanted = KINDS[extname(path).toLowerCase()];
  if (wanted) {
    const [what, is] = wanted;
    const right = is(seen.bytes) || seen.bytes.subarray(0, 42).includes('git-lfs');
    return right
      ? passed(name, `${path} is ${what}.`)
      : failed(name, `${path} is not ${what}: ${begins(seen)}.`);
  }
  if (TEXT.test(path) && seen.text === null) return failed(name, `${path} is not text but binary data.`);
  return seen.text === null ? null : errorPage(path, seen.text);
}

const begins = ({ text, bytes }: Seen): string =>
  text === null ? `it begins with ${hex(bytes!, 0, 8)}` : `it is text and begins with "${text.slice(0, 30)}"`;

function errorPage(path: string, text: string): Check | null {
  const name = `kind_${path}`;
  const page = /^\s*<(?:!doctype html|html[\s>])/i.test(text);
  const title = /<title[^>]*>([^<]*)<\/title>/i.exec(text)?.[1] ?? '';
  if (/\.html?$/i.test(path)) {
    if (!page || text.length > 4_000 || !ERROR_WORDS.test(title)) return null;
    return unsure(name, `${path} looks like the error page of a server ("${title.trim().slice(0, 60)}").`);
  }
  if (!page || !/\.(?:md|txt|rst|csv|tsv|json|ya?ml|toml|xml)$/i.test(path)) return null;
  if (ERROR_WORDS.test(title) && text.length <= 20_000)
    return failed(name, `${path} is the error page of a server ("${title.trim().slice(0, 60)}").`);
  return unsure(name, `${path} is an HTML page although its name says otherwise.`);
}
