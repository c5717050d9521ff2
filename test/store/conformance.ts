/** What every store behind the port must do, whatever the engine. Two handles on one database stand for two processes. */

import { afterEach, describe, expect, it } from 'vitest';
import { FencedError, type Owner, type RunHead, type Store, seqKey } from '../../store/port.ts';

export interface Place {
  /** Another handle on the same database. */
  open(): Promise<Store>;
  /** Closes every handle and clears up. */
  end(): Promise<void>;
}

type NewHead = Omit<RunHead, 'fence' | 'rev'>;

export const newHead = (id: string, change: Partial<NewHead> = {}): NewHead => ({
  id,
  seq: 0,
  kind: 'task',
  status: 'pending',
  goal: 'a goal',
  workspace: '/somewhere',
  created_at: '2026-01-01T00:00:00.000Z',
  updated_at: '2026-01-01T00:00:00.000Z',
  ...change,
});

const command = (id: string) => ({ id, event: { type: 'CANCEL' }, at: '2026-01-01T00:00:00.000Z' });
const never = new AbortController().signal;
const ownerOf = (lease: { owner: Owner }) => lease.owner.instance;

export function storeConformance(name: string, makePlace: () => Promise<Place>): void {
  describe(`${name} store`, () => {
    let place: Place | undefined;
    const two = async (): Promise<[Store, Store]> => {
      place = await makePlace();
      return [await place.open(), await place.open()];
    };
    const one = async (): Promise<Store> => {
      place = await makePlace();
      return place.open();
    };
    afterEach(async () => {
      await place?.end();
      place = undefined;
    });

    it('creates a run with its head, first rows and lease', async () => {
      const store = await one();
      const lease = await store.create(newHead('r1'), [{ key: 'a/task', value: { state: 'planning' } }]);
      expect(lease).toMatchObject({ run: 'r1', fence: 1 });
      expect(await store.head('r1')).toEqual({ ...newHead('r1'), rev: 0, fence: 1 });
      expect(await store.get('r1', 'a/task')).toEqual({ state: 'planning' });
      expect(await store.lease('r1')).toMatchObject({ state: 'live', owner: lease.owner, stopped: false });
    });

    it('refuses to create an id twice and leaves the first run as it was', async () => {
      const [a, b] = await two();
      await a.create(newHead('r1'), [{ key: 'a/task', value: 1 }]);
      await expect(b.create(newHead('r1', { goal: 'other' }), [{ key: 'a/task', value: 2 }])).rejects.toThrow(
        'exists already',
      );
      expect(await b.get('r1', 'a/task')).toBe(1);
      expect((await b.head('r1'))?.goal).toBe('a goal');
    });

    it('refuses ids that would reach into another run', async () => {
      const store = await one();
      await expect(store.create(newHead('r1/../r2'), [])).rejects.toThrow('not a run id');
    });

    it('answers null for what is not there', async () => {
      const store = await one();
      expect(await store.head('nope')).toBeNull();
      expect(await store.get('nope', 'a/x')).toBeNull();
      expect(await store.range('nope', 'j/')).toEqual([]);
      expect(await store.lease('nope')).toEqual({ state: 'free' });
      expect(await store.getGlobal('nope')).toBeNull();
    });

    it('commits head and rows together, raises rev by one, and another handle sees all of it', async () => {
      const [a, b] = await two();
      const lease = await a.create(newHead('r1'), [{ key: 'e/x', value: {} }]);
      await a.commit(lease, 0, { status: 'executing', seq: 1 }, [
        { key: 'j/0000000001', value: { event_type: 'task_planning' } },
        { key: 'e/x', value: null },
      ]);
      expect(await b.head('r1')).toMatchObject({
        rev: 1,
        fence: 1,
        seq: 1,
        status: 'executing',
        goal: 'a goal',
      });
      expect(await b.get('r1', 'j/0000000001')).toEqual({ event_type: 'task_planning' });
      expect(await b.get('r1', 'e/x')).toBeNull();
    });

    it('never lets a commit change id, rev or fence of the head', async () => {
      const store = await one();
      const lease = await store.create(newHead('r1'), []);
      await store.commit(lease, 0, { id: 'other', rev: 99, fence: 99 }, []);
      expect(await store.head('r1')).toMatchObject({ id: 'r1', rev: 1, fence: 1 });
    });

    it('refuses a commit with a rev that is not the newest, and writes none of its rows', async () => {
      const store = await one();
      const lease = await store.create(newHead('r1'), []);
      await store.commit(lease, 0, {}, []);
      for (const rev of [0, 2]) {
        await expect(store.commit(lease, rev, {}, [{ key: 'j/1', value: 1 }])).rejects.toThrow(FencedError);
      }
      expect(await store.head('r1')).toMatchObject({ rev: 1 });
      expect(await store.get('r1', 'j/1')).toBeNull();
    });

    it('rolls a commit back whole when one of its rows cannot be stored', async () => {
      const store = await one();
      const lease = await store.create(newHead('r1'), [{ key: 'a/x', value: 'before' }]);
      const circular: Record<string, unknown> = {};
      circular['self'] = circular;
      const bad = [
        { key: 'a/x', value: 'after' },
        { key: 'a/y', value: circular },
      ];
      await expect(store.commit(lease, 0, { status: 'failed' }, bad)).rejects.toThrow(TypeError);
      expect(await store.head('r1')).toMatchObject({ rev: 0, status: 'pending' });
      expect(await store.get('r1', 'a/x')).toBe('before');
      await store.commit(lease, 0, {}, []);
    });

    it('refuses a row without a value', async () => {
      const store = await one();
      const lease = await store.create(newHead('r1'), []);
      await expect(store.commit(lease, 0, {}, [{ key: 'a/x', value: undefined }])).rejects.toThrow(
        'no value',
      );
    });

    it('keeps rows as JSON, apart from the object that was written', async () => {
      const store = await one();
      const value = { text: 'ä\u{1F600}\u0000', list: [1, null], gone: undefined };
      await store.create(newHead('r1'), [{ key: 'a/x', value }]);
      value.text = 'changed';
      expect(await store.get('r1', 'a/x')).toEqual({ text: 'ä\u{1F600}\u0000', list: [1, null] });
    });

    it('ranges over one prefix of one run in key order, with from, limit and reverse', async () => {
      const store = await one();
      const keys = [1, 2, 9, 10, 11].map(n => `j/${seqKey(n)}`);
      await store.create(
        newHead('r1'),
        [...keys].reverse().map(key => ({ key, value: { key } })),
      );
      await store.create(newHead('r10'), [{ key: 'j/0000000003', value: 'other run' }]);
      const list = async (options: { from?: string; limit?: number; reverse?: boolean }) =>
        (await store.range('r1', 'j/', options)).map(row => row.key);
      expect(await list({})).toEqual(keys);
      expect(await list({ from: keys[2]! })).toEqual(keys.slice(2));
      expect(await list({ from: 'j/0000000003', limit: 2 })).toEqual(keys.slice(2, 4));
      expect(await list({ reverse: true, limit: 2 })).toEqual([keys[4], keys[3]]);
      expect(await list({ reverse: true, from: keys[2]! })).toEqual([keys[2], keys[1], keys[0]]);
      expect(await list({ reverse: true, from: 'j/0000000005' })).toEqual([keys[1], keys[0]]);
      expect(await store.range('r1', 'k/')).toEqual([]);
      expect((await store.range('r1', 'j/', { limit: 1 }))[0]?.value).toEqual({ key: keys[0] });
    });

    it('keeps prefixes apart that begin alike', async () => {
      const store = await one();
      const rows = ['p/x', 'plan/1', 'plan/2', 'm/t/1', 'm/tt/1'].map(key => ({ key, value: key }));
      await store.create(newHead('r1'), rows);
      expect((await store.range('r1', 'plan/')).map(row => row.key)).toEqual(['plan/1', 'plan/2']);
      expect((await store.range('r1', 'm/t/')).map(row => row.key)).toEqual(['m/t/1']);
      expect((await store.range('r1', '')).map(row => row.key)).toEqual([
        'm/t/1',
        'm/tt/1',
        'p/x',
        'plan/1',
        'plan/2',
      ]);
    });

    it('orders keys outside ASCII by code point', async () => {
      const store = await one();
      const keys = ['r/s/a', 'r/s/é', 'r/s/\uE000', 'r/s/\u{1F600}'];
      await store.create(
        newHead('r1'),
        [...keys].reverse().map(key => ({ key, value: 1 })),
      );
      expect((await store.range('r1', 'r/s/')).map(row => row.key)).toEqual(keys);
    });

    it('takes any character in a key', async () => {
      const store = await one();
      const keys = ['r/s/\u0000', 'r/s/\u0001x', 'r/s/a\u0000b', 'r/s/a\nb', 'r/s/\u001f/"'];
      await store.create(
        newHead('r1'),
        keys.map(key => ({ key, value: key })),
      );
      expect((await store.range('r1', 'r/s/')).map(row => row.key).sort()).toEqual([...keys].sort());
      for (const key of keys) expect(await store.get('r1', key)).toBe(key);
    });

    it('stores keys as long as the longest path', async () => {
      const store = await one();
      const long = `r/s/${'ä'.repeat(2_000)}`;
      const other = `${long}b`;
      const lease = await store.create(newHead('r1'), [
        { key: long, value: 'first' },
        { key: other, value: 'second' },
      ]);
      expect(await store.get('r1', long)).toBe('first');
      expect(await store.get('r1', other)).toBe('second');
      expect((await store.range('r1', 'r/s/')).map(row => row.key).sort()).toEqual([long, other]);
      expect((await store.range('r1', long)).map(row => row.key).sort()).toEqual([long, other]);
      await store.commit(lease, 0, {}, [{ key: long, value: null }]);
      expect(await store.get('r1', long)).toBeNull();
    });

    it('lists runs by age, or those of one workspace', async () => {
      const store = await one();
      await store.create(newHead('b', { created_at: '2026-01-02T00:00:00.000Z', workspace: '/w' }), []);
      await store.create(newHead('a', { created_at: '2026-01-03T00:00:00.000Z', workspace: '/w' }), []);
      await store.create(newHead('c', { created_at: '2026-01-01T00:00:00.000Z', workspace: '/other' }), []);
      expect((await store.runs()).map(head => head.id)).toEqual(['c', 'b', 'a']);
      expect((await store.runs({ workspace: '/w' })).map(head => head.id)).toEqual(['b', 'a']);
    });

    it('lets nobody claim a run that a live owner holds, not even its own process', async () => {
      const [a, b] = await two();
      await a.create(newHead('r1'), []);
      expect(await b.claim('r1')).toBeNull();
      expect(await a.claim('r1')).toBeNull();
    });

    it('gives a released run to exactly one of many claimants, with a higher fence', async () => {
      const [a, b] = await two();
      await a.release(await a.create(newHead('r1'), []));
      expect(await b.lease('r1')).toEqual({ state: 'free' });
      const claims = await Promise.all([a, b, a, b].map(store => store.claim('r1')));
      const won = claims.filter(lease => lease !== null);
      expect(won).toHaveLength(1);
      expect(won[0]!.fence).toBe(2);
      expect(await a.lease('r1')).toMatchObject({ state: 'live', owner: { instance: ownerOf(won[0]!) } });
    });

    it('refuses commits and checkpoints of a lease that was given back', async () => {
      const store = await one();
      const lease = await store.create(newHead('r1'), []);
      await store.release(lease);
      await expect(store.commit(lease, 0, {}, [])).rejects.toThrow(FencedError);
      await expect(store.checkpoint(lease, [{ key: 'p/x', value: 1 }])).rejects.toThrow(FencedError);
    });

    it('refuses an old lease after the run was claimed again, and a late release does not free it', async () => {
      const [a, b] = await two();
      const old = await a.create(newHead('r1'), []);
      await a.release(old);
      const lease = await b.claim('r1');
      await expect(a.commit(old, 0, {}, [])).rejects.toThrow(FencedError);
      await a.release(old);
      expect(await a.lease('r1')).toMatchObject({ state: 'live' });
      await b.commit(lease!, 0, {}, []);
    });

    it('says so when a run to claim does not exist', async () => {
      const store = await one();
      await expect(store.claim('nope')).rejects.toThrow('no run nope');
    });

    it('writes checkpoints under the fence without touching the head', async () => {
      const store = await one();
      const lease = await store.create(newHead('r1'), []);
      await store.checkpoint(lease, [{ key: 'p/e1', value: { offset: 5 } }]);
      expect(await store.get('r1', 'p/e1')).toEqual({ offset: 5 });
      expect(await store.head('r1')).toMatchObject({ rev: 0 });
    });

    it('frees the runs of a handle that is closed', async () => {
      const [a, b] = await two();
      await a.create(newHead('r1'), []);
      await a.close();
      expect(await b.lease('r1')).toEqual({ state: 'free' });
      expect(await b.claim('r1')).toMatchObject({ fence: 2 });
    });

    it('numbers inbox rows of several senders without a gap, and not again after they were consumed', async () => {
      const [a, b] = await two();
      const lease = await a.create(newHead('r1'), []);
      await Promise.all([0, 1, 2, 3, 4, 5].map(n => (n % 2 ? a : b).send('r1', command(`c${n}`))));
      const inbox = await a.range<{ id: string }>('r1', 'i/');
      expect(inbox.map(row => row.key)).toEqual([1, 2, 3, 4, 5, 6].map(n => `i/${seqKey(n)}`));
      expect(inbox.map(row => row.value.id).sort()).toEqual(['c0', 'c1', 'c2', 'c3', 'c4', 'c5']);
      await a.commit(
        lease,
        0,
        {},
        inbox.map(row => ({ key: row.key, value: null })),
      );
      await b.send('r1', command('c6'));
      expect((await a.range('r1', 'i/')).map(row => row.key)).toEqual([`i/${seqKey(7)}`]);
    });

    it('takes a command that is sent twice once, even after it was consumed', async () => {
      const [a, b] = await two();
      const lease = await a.create(newHead('r1'), []);
      await b.send('r1', command('c'));
      await b.send('r1', command('c'));
      expect(await a.range('r1', 'i/')).toHaveLength(1);
      await a.commit(lease, 0, {}, [{ key: `i/${seqKey(1)}`, value: null }]);
      await b.send('r1', command('c'));
      expect(await a.range('r1', 'i/')).toEqual([]);
    });

    it('refuses a command for a run that does not exist', async () => {
      const store = await one();
      await expect(store.send('nope', command('c'))).rejects.toThrow('no run nope');
    });

    it('wakes a watcher soon after another handle committed, with the commit already visible', async () => {
      const [a, b] = await two();
      const lease = await a.create(newHead('r1'), []);
      const seen = new Promise<number>(resolve => {
        const stop = b.watch(() => {
          void b.head('r1').then(head => {
            if (head?.rev !== 1) return;
            stop();
            resolve(head.rev);
          });
        });
      });
      await a.commit(lease, 0, {}, []);
      expect(await seen).toBe(1);
    });

    it('shares the global map between handles', async () => {
      const [a, b] = await two();
      await a.putGlobal('model/x', { tools: false });
      expect(await b.getGlobal('model/x')).toEqual({ tools: false });
      await b.putGlobal('model/x', null);
      expect(await a.getGlobal('model/x')).toBeNull();
    });

    it('hands a workspace lock on first come, first served, and never to two', async () => {
      const [a, b] = await two();
      const order: number[] = [];
      let inside = 0;
      const work = async (n: number): Promise<void> => {
        const release = await (n % 2 ? a : b).locks.acquire('/w', `h${n}`, { signal: never });
        expect(++inside).toBe(1);
        order.push(n);
        await new Promise(resolve => setTimeout(resolve, 2));
        inside -= 1;
        await release();
      };
      const jobs: Promise<void>[] = [];
      for (let n = 0; n < 6; n++) {
        jobs.push(work(n));
        await new Promise(resolve => setTimeout(resolve, 10));
      }
      await Promise.all(jobs);
      expect(order).toEqual([0, 1, 2, 3, 4, 5]);
    });

    it('keeps the locks of different workspaces apart and tells a waiter once that it waits', async () => {
      const [a, b] = await two();
      const waits: string[] = [];
      const take = (store: Store, workspace: string) =>
        store.locks.acquire(workspace, 'h', { signal: never, onWait: () => waits.push(workspace) });
      const releaseW = await take(a, '/w');
      const releaseV = await take(b, '/v');
      const waiting = take(b, '/w');
      await new Promise(resolve => setTimeout(resolve, 30));
      await releaseW();
      const release = await waiting;
      expect(waits).toEqual(['/w']);
      await release();
      await releaseV();
    });

    it('leaves the queue when the wait is aborted', async () => {
      const [a, b] = await two();
      const release = await a.locks.acquire('/w', 'h', { signal: never });
      const abort = new AbortController();
      const waiting = b.locks.acquire('/w', 'h', { signal: abort.signal });
      const behind = a.locks.acquire('/w', 'h', { signal: never });
      setTimeout(() => abort.abort(new Error('cancelled')), 20);
      await expect(waiting).rejects.toThrow('cancelled');
      await release();
      await (await behind)();
    });

    it('does not need the release to be awaited, and a second release does nothing', async () => {
      const store = await one();
      const release = await store.locks.acquire('/w', 'h', { signal: never });
      const unawaited = release();
      const next = await store.locks.acquire('/w', 'h', { signal: never });
      const third = store.locks.acquire('/w', 'h', { signal: never });
      await release();
      await unawaited;
      const early = await Promise.race([
        third.then(() => 'held twice'),
        new Promise(r => setTimeout(r, 50, 'waits')),
      ]);
      expect(early).toBe('waits');
      await next();
      await (await third)();
    });

    it('frees the locks of a handle that is closed', async () => {
      const [a, b] = await two();
      await a.locks.acquire('/w', 'h', { signal: never });
      const waiting = b.locks.acquire('/w', 'h', { signal: never });
      await a.close();
      await (await waiting)();
    });
  });
}
