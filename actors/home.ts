/** What one opened Loom holds: its home, its store (opened when needed, once), its blobs and its configuration. */
import { mkdir } from 'node:fs/promises';
import { homedir } from 'node:os';
import { join, resolve } from 'node:path';
import { LoomError } from '../machines/failure.ts';
import type { Blobs } from '../store/blobs-port.ts';
import type { Config } from '../store/config.ts';
import type { Store } from '../store/port.ts';
import type { StoreReader } from '../store/store.ts';

export interface Home {
  readonly path: string;
  /** Working copies of commands; nothing in it is needed once no run is at work. */
  readonly scratch: string;
  /** The reading half: never blocks, never takes a lock. The writing store itself once that is open. */
  reader(): Promise<StoreReader>;
  /** `takeover`: a process stopped inside the write lock is killed after 8 s instead of being complained about. */
  writer(options?: { takeover?: boolean }): Promise<Store>;
  blobs(): Promise<Blobs>;
  close(): Promise<void>;
}

export const homePath = (home: string | undefined, env: NodeJS.ProcessEnv): string =>
  resolve(home ?? env['LOOM_HOME'] ?? join(homedir(), '.loom'));

export function openHome(path: string, config: () => Config): Home {
  let opened: Promise<Store> | null = null;
  let reading: Promise<StoreReader> | null = null;

  async function openWriter(takeover: boolean): Promise<Store> {
    await mkdir(path, { recursive: true, mode: 0o700 }).catch((error: NodeJS.ErrnoException) => {
      throw new LoomError(
        'terminal',
        'config',
        `The home ${path} cannot be made (${error.code ?? error.message}): it has to be a folder that Loom may write to. Set LOOM_HOME to one.`,
      );
    });
    // One process must not open an environment twice.
    const reader = reading;
    reading = null;
    if (reader) await (await reader).close();
    const { openLmdbStore } = await import('../store/lmdb.ts');
    return openLmdbStore(path, { minFreeMb: config().store.min_free_mb, takeover });
  }

  return {
    path,
    scratch: join(path, 'scratch'),
    reader() {
      if (opened) return opened;
      reading ??= import('../store/lmdb.ts').then(({ openLmdbReader }) => openLmdbReader(path));
      reading.catch(() => {
        reading = null;
      });
      return reading;
    },
    writer({ takeover = false } = {}) {
      opened ??= openWriter(takeover);
      opened.catch(() => {
        opened = null;
      });
      return opened;
    },
    async blobs() {
      const { openBlobs } = await import('../store/blobs.ts');
      return openBlobs(join(path, 'blobs'));
    },
    async close() {
      const open = opened ?? reading;
      opened = null;
      reading = null;
      if (open) await (await open).close();
    },
  };
}
