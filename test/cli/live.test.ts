/** The live view in a real pseudo-terminal. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test, vi } from 'vitest';
import { Live } from '../../cli/render/live.ts';
import { bundled } from './bundle.ts';
import { openTerminal } from './terminal.ts';

vi.setConfig({ testTimeout: 60_000 });

let player = '';
let remove: () => void = () => undefined;
const folder = mkdtempSync(join(tmpdir(), 'loom-live-'));

beforeAll(async () => {
  const built = await bundled({ player: fileURLToPath(new URL('./live-player.ts', import.meta.url)) });
  player = `env -u CI -u NO_COLOR TERM=xterm-256color ${process.execPath} ${join(built.dist, 'player.mjs')}`;
  remove = built.remove;
});
afterAll(() => {
  remove();
  rmSync(folder, { recursive: true, force: true });
});

test('the block is repainted in place, lasting lines stand above it, the report follows', async () => {
  const terminal = openTerminal(player, { columns: 80, rows: 24, rawFile: join(folder, 'a') });
  try {
    await terminal.until(/starting/);
    terminal.keys('m');
    await terminal.until(/◉ docs/);
    const before = terminal.screen();
    terminal.keys('m');
    await terminal.until(/edit_file src\/wrap.js|✓ fix-wrap/);
    terminal.keys('m');
    const after = await terminal.until(/attempt 2: [\s\S]*Fix the failing/);
    // One plan on the screen, however often it was drawn.
    expect(before.filter(line => line.includes('Fix the failing test'))).toHaveLength(1);
    expect(after.match(/Fix the failing test/g)).toHaveLength(1);
    expect(after.indexOf('+    if (b) {')).toBeLessThan(after.indexOf('Fix the failing test'));
    terminal.keys('e');
    const end = await terminal.until(/exit 0/);
    expect(end).toContain('✓ completed  Fix the failing test');
    expect(end).not.toContain('Ctrl+C stops');
    // The cursor is given back.
    expect(terminal.raw().lastIndexOf('\u001b[?25h')).toBeGreaterThan(
      terminal.raw().lastIndexOf('\u001b[?25l'),
    );
  } finally {
    terminal.close();
  }
});

test('nothing but the clock is written while nothing happens', async () => {
  const terminal = openTerminal(player, { columns: 80, rows: 24, rawFile: join(folder, 'b') });
  try {
    await terminal.until(/starting/);
    terminal.keys('m');
    await terminal.until(/◉ docs/);
    await sleep(300);
    const before = terminal.raw().length;
    await sleep(2_000);
    const written = terminal.raw().slice(before);
    expect(written.length).toBeLessThan(3 * 120);
    expect(written).not.toContain('docs');
  } finally {
    terminal.close();
  }
});

describe('economy', () => {
  /** A block whose text the test sets, and everything written for it. */
  function block(first: string) {
    const written: string[] = [];
    const now = { text: first };
    const live = new Live({ write: text => void written.push(text), columns: () => 80 }, () => [
      now.text,
      'end',
    ]);
    return { live, now, written };
  }
  beforeEach(() => void vi.useFakeTimers());
  afterEach(() => void vi.useRealTimers());

  test('a thousand changes in a second are drawn at most ten times, the last one included', () => {
    const { live, now, written } = block('0');
    live.start();
    const before = written.length;
    for (let i = 1; i <= 1_000; i++) {
      now.text = String(i);
      live.update();
      vi.advanceTimersByTime(1);
    }
    vi.advanceTimersByTime(100);
    expect(written.length - before).toBeLessThanOrEqual(11);
    expect(written.at(-1)).toContain('1000');
    live.stop();
  });
  test('an unchanged block is never written again', () => {
    const { live, written } = block('same');
    live.start();
    const before = written.length;
    for (let i = 0; i < 100; i++) live.update();
    vi.advanceTimersByTime(60_000);
    expect(written.length).toBe(before);
    live.stop();
  });
  test('only the changed line is written', () => {
    const { live, now, written } = block('a');
    live.start();
    now.text = 'b';
    live.update();
    vi.advanceTimersByTime(100);
    expect(written.at(-1)).toBe('\u001b[2A\u001b[2Kb\n\n');
    live.stop();
    expect(vi.getTimerCount()).toBe(0);
  });
});

test('a narrower window leaves no torn lines', async () => {
  const terminal = openTerminal(player, { columns: 100, rows: 24, rawFile: join(folder, 'd') });
  try {
    await terminal.until(/starting/);
    terminal.keys('m');
    await terminal.until(/◉ docs/);
    terminal.resize(50, 24);
    await sleep(1_300);
    const text = terminal.screen().join('\n');
    expect(text.match(/Fix the failing test/g)).toHaveLength(1);
    expect(text.match(/fix-wrap {2}/g)).toHaveLength(1);
    for (const line of terminal.screen()) expect(line.length).toBeLessThan(50);
  } finally {
    terminal.close();
  }
});
