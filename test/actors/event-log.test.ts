/** The event log of a run: whole after a crash, and without the telemetry that is switched off. */
import { appendFileSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { openEventLog } from '../../actors/event-log.ts';
import type { JournalEvent } from '../../actors/loom.ts';
import { openMemoryStore } from '../../store/memory.ts';
import { seqKey } from '../../store/port.ts';
import { newHead } from '../store/conformance.ts';

let home: string;
beforeEach(() => {
  home = mkdtempSync(join(tmpdir(), 'loom-log-'));
});
afterEach(() => rmSync(home, { recursive: true, force: true }));

const event = (seq: number, event_type: string, data: Record<string, unknown> = {}): JournalEvent => ({
  seq,
  event_type,
  task_id: 'r1',
  timestamp: '',
  data,
});
const EVENTS = [
  event(1, 'task_planning'),
  event(2, 'compaction_policy_decision', { why: 'x'.repeat(500) }),
  event(3, 'task_completed'),
];
const file = () => join(home, 'logs', 'r1.events.jsonl');
const lines = () =>
  readFileSync(file(), 'utf8')
    .trimEnd()
    .split('\n')
    .map(line => JSON.parse(line) as JournalEvent);

async function logged(enabled: boolean, chars: number): Promise<void> {
  const store = openMemoryStore();
  const rows = EVENTS.map(value => ({ key: `j/${seqKey(value.seq)}`, value }));
  await store.create(newHead('r1', { seq: 3 }), rows);
  const log = await openEventLog(home, 'r1', store, {
    enable_artifact_telemetry_events: enabled,
    artifact_telemetry_max_metadata_chars: chars,
  });
  log.append(event(4, 'artifact_kept'));
  log.flush();
  await store.close();
}

it('has every event, telemetry cut to its bound', async () => {
  await logged(true, 120);
  expect(lines().map(line => line.seq)).toEqual([1, 2, 3, 4]);
  expect((lines()[1]!.data as { cut: string }).cut).toHaveLength(120);
});

it('leaves telemetry out when it is switched off, and everything else in', async () => {
  await logged(false, 1200);
  expect(lines().map(line => line.seq)).toEqual([1, 3]);
});

it('is completed after a crash by what the file lacks, also with lines left out', async () => {
  await logged(false, 1200);
  appendFileSync(file(), '{"seq":4,"ev');
  await logged(false, 1200);
  expect(lines().map(line => line.seq)).toEqual([1, 3]);
});
