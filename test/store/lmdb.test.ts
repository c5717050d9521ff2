/** The store on disk keeps the contract. */

import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openLmdbStore } from '../../store/lmdb.ts';
import type { Store } from '../../store/port.ts';
import { storeConformance } from './conformance.ts';

storeConformance('LMDB', async () => {
  const home = await mkdtemp(join(tmpdir(), 'loom-store-'));
  const stores: Store[] = [];
  return {
    async open() {
      const store = await openLmdbStore(home, { minFreeMb: 0 });
      stores.push(store);
      return store;
    },
    async end() {
      for (const store of stores) await store.close();
      await rm(home, { recursive: true, force: true });
    },
  };
});
