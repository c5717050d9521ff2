/** A process with an open store, moved by messages from its parent (see `store-processes.ts`). */

import { compactStore } from '../../store/compact.ts';
import { stopProcess } from '../../store/environment.ts';
import { openLmdbReader, openLmdbStore } from '../../store/lmdb.ts';
import type { Lease, Store } from '../../store/port.ts';
import { currentOwner } from '../../store/process-identity.ts';
import { collect, removeRun } from '../../store/purge.ts';
import { databaseOf } from '../../store/store.ts';
import { verifyStore } from '../../store/verify.ts';

type Message = { id: number; call: string; args: unknown[] };

const home = process.argv[2]!;
const releases = new Map<string, () => Promise<void>>();
let store: Store | undefined;
const opened = (): Store => {
  if (!store) throw new Error('open first');
  return store;
};

const head = (id: string) => ({
  id,
  seq: 0,
  kind: 'task' as const,
  status: 'pending' as const,
  goal: '',
  workspace: '/w',
  created_at: '',
  updated_at: '',
});

const calls: Record<string, (...args: never[]) => unknown> = {
  open: async (options: object) => {
    store = await openLmdbStore(home, { minFreeMb: 0, ...options });
  },
  openAndClose: async (readOnly: boolean) => {
    const other = readOnly ? await openLmdbReader(home) : await openLmdbStore(home, { minFreeMb: 0 });
    const runs = (await other.runs()).length;
    await other.close();
    return runs;
  },
  close: () => opened().close(),
  create: (id: string) => opened().create(head(id), []),
  claim: (id: string, options: { takeover?: boolean }) => opened().claim(id, options),
  release: (lease: Lease) => opened().release(lease),
  /** As `loom purge` does: one run, then what nothing names. */
  purge: async (id: string, now: number) => {
    const lease = await opened().claim(id);
    if (!lease) return 'refused';
    await removeRun(opened(), lease);
    return collect(opened(), home, { now });
  },
  collect: (now: number) => collect(opened(), home, { now }),
  compact: () => compactStore(opened()),
  lease: (id: string) => opened().lease(id),
  head: (id: string) => opened().head(id),
  get: (id: string, key: string) => opened().get(id, key),
  commit: (lease: Lease, rev: number, key: string, value: unknown) =>
    opened().commit(lease, rev, {}, [{ key, value }]),
  putGlobal: (key: string, bytes: number) => opened().putGlobal(key, 'x'.repeat(bytes)),
  send: (run: string, id: string) => opened().send(run, { id, event: { type: 'X' }, at: '' }),
  lock: async (name: string) => {
    releases.set(name, await opened().locks.acquire('/w', name, { signal: new AbortController().signal }));
  },
  unlock: (name: string) => releases.get(name)?.(),
  /** Ends up inside LMDB's write lock, stopped. */
  stopInsideWrite: () => databaseOf(opened()).transact(() => process.kill(process.pid, 'SIGSTOP')),
  /** Holds the write lock for a while. */
  writeSlowly: (milliseconds: number) =>
    databaseOf(opened()).transact(tx => {
      for (const end = Date.now() + milliseconds; Date.now() < end; );
      tx.put('g/slow', milliseconds);
    }),
  identity: () => currentOwner(''),
  stopSafely: () => stopProcess(),
  exit: () => process.exit(0),
  verify: () => verifyStore(opened()),
  /** Commits as fast as it can; each number is sent to the parent only once it is on disk. */
  writeLoop: async (run: string, milliseconds: number) => {
    const lease = await opened().create(head(run), []);
    const end = Date.now() + milliseconds;
    let n = 0;
    for (; Date.now() < end; n++) {
      await opened().commit(lease, n, { seq: n + 1 }, [
        { key: `j/${String(n + 1).padStart(10, '0')}`, value: { seq: n + 1, filler: 'x'.repeat(900) } },
      ]);
      process.send!({ ack: n + 1 });
    }
    return n;
  },
};

process.on('unhandledRejection', reason => process.send!({ unhandled: String(reason) }));
process.on('message', (message: Message) => {
  const run = async () => calls[message.call]!(...(message.args as never[]));
  void run().then(
    value => process.send!({ id: message.id, value }),
    (error: Error & { failure?: { code: string } }) =>
      process.send!({
        id: message.id,
        error: { name: error.name, message: error.message, code: error.failure?.code },
      }),
  );
});
process.on('disconnect', () => process.exit());
process.send!({ ready: true });
