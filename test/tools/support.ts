/** Real workspaces on disk and a context that keeps what a host would keep. */

import { createHash } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { onTestFinished } from 'vitest';
import { LoomError } from '../../machines/failure.ts';
import type { BlobRef, Blobs } from '../../store/blobs-port.ts';
import { artifactShelf } from '../../tools/artifacts.ts';
import type { ChangeRecord, ToolContext, ToolResult } from '../../tools/tool.ts';
import type { TrackedList } from '../../tools/tracker.ts';
import { openWorkspace } from '../../tools/workspace.ts';

export async function tempFolder(prefix = 'loom-tools-'): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), prefix));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  return folder;
}

export async function fill(root: string, files: Record<string, string | Uint8Array>): Promise<void> {
  for (const [path, content] of Object.entries(files)) {
    await mkdir(dirname(join(root, path)), { recursive: true });
    await writeFile(join(root, path), content);
  }
}

function memoryBlobs(): Blobs & { count(): number } {
  const kept = new Map<string, Buffer>();
  return {
    async put(content) {
      const sha256 = createHash('sha256').update(content).digest('hex');
      kept.set(sha256, Buffer.from(content));
      return { sha256, size: content.length };
    },
    async get(ref: BlobRef) {
      const content = kept.get(ref.sha256);
      if (!content) throw new LoomError('terminal', 'blob_missing', `blob ${ref.sha256} is gone`);
      return content;
    },
    count: () => kept.size,
  };
}

export interface Bench {
  root: string;
  context: ToolContext;
  /** Checkpoints as the host would have stored them, in order. */
  checkpoints: unknown[];
  groups: ({ pgid: number; started: string; boot: string } | null)[];
  reads: Map<string, string>;
  records: ChangeRecord[];
  /** Does what the host does with a result. */
  keep(result: ToolResult): ToolResult;
  with(change: Partial<ToolContext>): ToolContext;
}

/** A workspace with files and the context of one subtask in it. */
export async function bench(files: Record<string, string | Uint8Array> = {}): Promise<Bench> {
  const root = await tempFolder();
  await fill(root, files);
  const workspace = await openWorkspace(root);
  const reads = new Map<string, string>();
  const checkpoints: unknown[] = [];
  const groups: Bench['groups'] = [];
  const records: ChangeRecord[] = [];
  let tail: Promise<void> = Promise.resolve();
  const blobs = memoryBlobs();
  let tracked: TrackedList | null = null;
  const context: ToolContext = {
    workspace,
    key: 'task/t/s:a@1|1|0',
    signal: new AbortController().signal,
    subtask: 'a',
    lastRead: path => reads.get(path),
    async checkpoint(value) {
      checkpoints.push(structuredClone(value));
    },
    async lock() {
      const before = tail;
      let free = () => {};
      tail = new Promise(resolve => {
        free = resolve;
      });
      await before;
      return async () => free();
    },
    blobs,
    artifacts: artifactShelf(blobs, async () => null, Date.now),
    tracker: {
      load: async () => tracked,
      others: async () => [],
      keep: list => {
        tracked = list;
      },
    },
    history: async () => [],
    scratch: await tempFolder('loom-scratch-'),
    web: {
      client: { fetch: () => Promise.reject(new Error('no web in this test')), close: async () => {} },
      search: { engine: 'auto', searxng_url: '', brave_api_key: '', tavily_api_key: '' },
      local: () => false,
      follow: () => true,
    },
    async child(group) {
      groups.push(group);
    },
    network: false,
    sandbox: 'off',
    commandSeconds: 120,
    outputLimit: 20_000,
  };
  return {
    root: workspace.root,
    context,
    checkpoints,
    groups,
    reads,
    records,
    keep(result) {
      for (const [path, hash] of Object.entries(result.reads ?? {})) reads.set(path, hash);
      records.push(...(result.changes ?? []));
      return result;
    },
    with: change => ({ ...context, ...change }),
  };
}

export const failureOf = async (promise: Promise<unknown>) => {
  try {
    await promise;
  } catch (error) {
    if (error instanceof LoomError) return error.failure;
    throw error;
  }
  throw new Error('expected a LoomError');
};

/** Rows of sample data kept beside the repository (`shared/data`), where somebody has put them. */
export function samples<Row>(name: string): Row[] {
  for (let folder = process.cwd(); ; folder = dirname(folder)) {
    const path = join(folder, 'shared/data', name);
    if (existsSync(path))
      return readFileSync(path, 'utf8')
        .trim()
        .split('\n')
        .map(line => JSON.parse(line) as Row);
    if (folder === dirname(folder)) return [];
  }
}
