/** `$LOOM_HOME/logs/<task>.events.jsonl`: the journal for tools that read files; a view, the store is the truth. */
import { appendFileSync } from 'node:fs';
import { appendFile, mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Config } from '../store/config.ts';
import { seqKey } from '../store/port.ts';
import type { StoreReader } from '../store/store.ts';
import type { JournalEvent } from './loom.ts';

export interface EventLog {
  append(event: JournalEvent): void;
  /** Afterwards everything appended so far is in the file. */
  flush(): void;
}

type Telemetry = Pick<
  Config['limits']['runner'],
  'enable_artifact_telemetry_events' | 'artifact_telemetry_max_metadata_chars'
>;

/** How prompts were cut and results kept: of interest to few, and often. */
const TELEMETRY = /^(artifact_\w+|compaction_policy_decision|overflow_fallback_applied)$/;

/** The event as a line; '' for one that is switched off. */
function lineOf(event: JournalEvent, telemetry: Telemetry): string {
  if (!TELEMETRY.test(event.event_type)) return `${JSON.stringify(event)}\n`;
  // a run of an older Loom was started without these settings
  if (telemetry.enable_artifact_telemetry_events === false) return '';
  const most = telemetry.artifact_telemetry_max_metadata_chars ?? 1200;
  const data = JSON.stringify(event.data);
  if (data.length <= most) return `${JSON.stringify(event)}\n`;
  return `${JSON.stringify({ ...event, data: { cut: data.slice(0, most) } })}\n`;
}

/** Opens the log and, after a crash, adds the lines that the store has and the file lacks. */
export async function openEventLog(
  home: string,
  run: string,
  store: StoreReader,
  telemetry: Telemetry,
): Promise<EventLog> {
  const folder = join(home, 'logs');
  const file = join(folder, `${run}.events.jsonl`);
  await mkdir(folder, { recursive: true, mode: 0o700 });
  const present = await readFile(file, 'utf8').catch(() => '');
  const whole = present.slice(0, present.lastIndexOf('\n') + 1);
  if (whole.length !== present.length) await writeFile(file, whole);
  const stored = await store.range<JournalEvent>(run, 'j/', { from: `j/${seqKey(lastSeq(whole) + 1)}` });
  const missing = stored.map(row => lineOf(row.value, telemetry));
  if (missing.length > 0) await appendFile(file, missing.join(''), { mode: 0o600 });
  let waiting = '';
  let due = false;
  /** In place: handing a few lines to another thread and back, three times, takes far longer than writing them. */
  const write = (): void => {
    due = false;
    const lines = waiting;
    waiting = '';
    if (lines === '') return;
    try {
      appendFileSync(file, lines, { mode: 0o600 });
    } catch {
      // The log is a copy: a full disk shows up at the next commit, where it counts.
    }
  };
  return {
    append(event) {
      waiting += lineOf(event, telemetry);
      // The lines of one commit together, and before the next one: whatever kills a run, no more than those can be missing.
      if (!due) queueMicrotask(write);
      due = true;
    },
    flush: write,
  };
}

/** Number of the newest event in the file; lines may be left out, so counting them does not tell. */
function lastSeq(lines: string): number {
  const last = lines.trimEnd().split('\n').at(-1);
  try {
    return last ? (JSON.parse(last) as JournalEvent).seq : 0;
  } catch {
    return 0;
  }
}
