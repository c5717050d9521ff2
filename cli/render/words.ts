/** Marks, counts and durations, the same in every form of output. */
import type { ChalkInstance } from 'chalk';

export type Paint = ChalkInstance;

export type Mark = 'waiting' | 'running' | 'retrying' | 'asking' | 'done' | 'failed' | 'skipped';

const SIGNS: Record<Mark, string> = {
  waiting: '○',
  running: '◉',
  retrying: '↻',
  asking: '?',
  done: '✓',
  failed: '✗',
  skipped: '–',
};

export function mark(kind: Mark, paint: Paint): string {
  const sign = SIGNS[kind];
  if (kind === 'done') return paint.green(sign);
  if (kind === 'failed') return paint.red(sign);
  if (kind === 'running') return paint.cyan(sign);
  if (kind === 'retrying' || kind === 'asking') return paint.yellow(sign);
  return paint.dim(sign);
}

/** A status of the store or a report, as a mark. Without a process that works on it nothing is running. */
export function markOf(status: string, live = true): Mark {
  if (status === 'completed') return 'done';
  if (status === 'failed' || status === 'blocked') return 'failed';
  if (status === 'skipped' || status === 'cancelled') return 'skipped';
  if (status === 'waiting_approval') return 'asking';
  if (status === 'pending' || status === 'paused') return 'waiting';
  return live ? 'running' : 'waiting';
}

/** 950 → `950`, 12,345 → `12.3k`, 1,234,567 → `1.2M`. */
export function compact(n: number): string {
  if (n < 1_000) return String(n);
  if (n < 999_950) return `${(n / 1_000).toFixed(1)}k`;
  return `${(n / 1_000_000).toFixed(1)}M`;
}

/** `0:07`, `12:30`, `1:02:03`. */
export function clock(ms: number): string {
  const seconds = Math.max(0, Math.floor(ms / 1000));
  const two = (n: number) => String(n).padStart(2, '0');
  const minutes = Math.floor(seconds / 60);
  if (minutes < 60) return `${minutes}:${two(seconds % 60)}`;
  return `${Math.floor(minutes / 60)}:${two(minutes % 60)}:${two(seconds % 60)}`;
}

/** `12 ms`, `3.4 s`, `2:05 min`. */
export function duration(ms: number): string {
  if (ms < 1_000) return `${Math.round(ms)} ms`;
  if (ms < 60_000) return `${(ms / 1000).toFixed(1)} s`;
  return `${clock(ms)} min`;
}

/** `0 MB`, `0.4 MB`, `12 MB`. */
export function megabytes(bytes: number): string {
  const size = bytes / 1_048_576;
  return `${size === 0 || size >= 10 ? Math.round(size) : Math.max(0.1, size).toFixed(1)} MB`;
}

/** `1 file`, `2 files`. */
export const count = (n: number, noun: string): string => `${n} ${noun}${n === 1 ? '' : 's'}`;

/** An argument as a POSIX shell takes it. */
export const quoted = (text: string): string =>
  /^[\w@%+=:,./-]+$/.test(text) ? text : `'${text.replaceAll("'", `'\\''`)}'`;
