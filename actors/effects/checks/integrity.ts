/** Files that were damaged by being written: shrunk, left in conflict, or replaced by a diff, an error or a wrapping. */
import { basename, extname } from 'node:path';
import { advisory, type Check, failed, unsure } from './check.ts';
import type { World } from './world.ts';

const SHORTER =
  /\b(?:remov|delet|short|shrink|simplif|split|extract|replac|rewrit|rewrote|minif|compress|reduc|clean|truncat|empt|trim|strip|clear|reset|refactor|mov|condens|summar|drop|overwrit|start over|from scratch)\w*/i;
/** Below this size a file says nothing by shrinking, in characters. */
const MIN_SIZE = 400;
const SHARE_LEFT = 0.2;
const DIFFS = /^\.(?:diff|patch|md|mdx|rst|txt|adoc)$/;
const PROSE = /^\.(?:md|mdx|rst|txt|adoc)$/;
const CODE =
  /^\.(?:[cm]?[jt]s|[jt]sx|py|rb|go|rs|java|kt|swift|c|h|cc|cpp|hpp|cs|php|sh|bash|sql|lua|css|scss|less|vue|json|ya?ml|toml|csv|html?|xml)$/;

export async function integrity(world: World): Promise<Check[]> {
  const checks = await Promise.all(
    world.changed.map(async path => {
      const text = (await world.see(path))?.text ?? null;
      if (text === null || text.trim() === '') return [];
      const before = await world.before(path);
      const found = [
        before === null ? null : shrunk(world, path, before, text),
        await conflict(world, path),
        isDiff(path, text),
        isError(world, path, text),
        isWrapped(path, text),
        isEscaped(path, text),
        basename(path) === 'package.json' && before ? lostScripts(world, path, before, text) : null,
      ];
      return found.filter(check => check !== null);
    }),
  );
  return checks.flat();
}

const named = (what: string, path: string): string => `integrity_${what}_${path}`;

function shrunk(world: World, path: string, before: string, text: string): Check | null {
  if (before.length < MIN_SIZE || text.length >= before.length * SHARE_LEFT || SHORTER.test(world.asked))
    return null;
  const share = Math.round((text.length / before.length) * 100);
  return unsure(
    named('shrunk', path),
    `${path} shrank to ${share} % of its size (${before.length} to ${text.length} characters), which nothing asked for.`,
  );
}

async function conflict(world: World, path: string): Promise<Check | null> {
  const lines = await world.added(path);
  const ours = lines.findIndex(line => /^<{7} \S/.test(line));
  const theirs = lines.findIndex((line, at) => at > ours && /^>{7} \S/.test(line));
  const between = lines.findIndex((line, at) => at > ours && at < theirs && /^={7}$/.test(line));
  if (ours < 0 || theirs < 0 || between < 0) return null;
  const detail = `${path} has conflict markers of a merge in it.`;
  const sample =
    PROSE.test(extname(path)) ||
    /test|fixture|spec|example/i.test(path) ||
    /conflict|marker/i.test(world.asked);
  return sample ? unsure(named('conflict', path), detail) : failed(named('conflict', path), detail);
}

/** A unified diff, or the patch format of coding assistants, saved as if it were the file. */
function isDiff(path: string, text: string): Check | null {
  const unified = /^(?:diff --git .*\n(?:.*\n){0,4})?--- \S.*\n\+\+\+ \S.*\n@@ /.test(text.trimStart());
  const patch = /^\*\*\* (?:Begin Patch|Update File:)/.test(text.trimStart());
  if (!unified && !patch) return null;
  const detail = `${path} holds a diff instead of the file's contents.`;
  return DIFFS.test(extname(path)) ? null : failed(named('diff', path), detail);
}

/** The words of a failed call of this attempt, or of a shell, saved as the contents. */
function isError(world: World, path: string, text: string): Check | null {
  const whole = text.trim();
  if (whole.length > 1_000) return null;
  const own = world.traces.some(
    trace => !trace.success && trace.output && whole.length > 10 && trace.output.trim().endsWith(whole),
  );
  if (own)
    return failed(named('error', path), `${path} holds the error message of a tool instead of contents.`);
  const like =
    whole.split('\n').length <= 5 &&
    /^(?:Error: |Traceback \(most recent call last\)|(?:bash|sh|zsh|cat|ls|grep): .*(?:No such file|not found|denied)|fatal: )/.test(
      whole,
    );
  return like
    ? unsure(named('error', path), `${path} reads like an error message: "${whole.slice(0, 80)}".`)
    : null;
}

/** The whole file inside a fence of Markdown. */
function isWrapped(path: string, text: string): Check | null {
  if (!CODE.test(extname(path)) || !/^\s*```[\w-]*\r?\n[\s\S]*\n```\s*$/.test(text)) return null;
  return failed(
    named('fence', path),
    `${path} is wrapped in a Markdown fence (\`\`\`), which is not part of it.`,
  );
}

/** Line ends written as backslash and n. */
function isEscaped(path: string, text: string): Check | null {
  const ends = text.match(/\\n/g)?.length ?? 0;
  if (
    ends < 5 ||
    text.trim().includes('\n') ||
    /^\s*["'[{]/.test(text) ||
    /\.(?:json|jsonl|map|min\.\w+)$/.test(path)
  )
    return null;
  return unsure(named('escaped', path), `${path} is one line with ${ends} times "\\n" written out.`);
}

function lostScripts(world: World, path: string, before: string, text: string): Check | null {
  const [old, now] = [objectOf(before), objectOf(text)];
  if (!old || !now) return null;
  const lost = (field: string): boolean => count(old[field]) > 0 && count(now[field]) === 0;
  if (lost('scripts') && !/\bscripts?\b/i.test(world.asked))
    return failed(named('scripts', path), `${path} had scripts before and has none now.`);
  const gone = ['dependencies', 'devDependencies', 'scripts'].filter(lost);
  if (gone.length === 0 || SHORTER.test(world.asked)) return null;
  return advisory(named('fields', path), `${path} no longer has: ${gone.join(', ')}.`);
}

const count = (value: unknown): number =>
  value && typeof value === 'object' ? Object.keys(value).length : 0;

function objectOf(text: string): Record<string, unknown> | null {
  try {
    const value: unknown = JSON.parse(text);
    return value && typeof value === 'object' ? (value as Record<string, unknown>) : null;
  } catch {
    // What does not parse is told by the check of its syntax.
    return null;
  }
}
