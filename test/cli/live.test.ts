/** The live view in a real pseudo-terminal. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { bundled } from './bundle.ts';
import { openTerminal } from './terminal.ts';

let player = '';
let remove: () => void = () => undefined;
const folder = mkdtempSync(join(tmpdir(), 'loom-live-'));

beforeAll(async () => {
  const built = await bundled({ player: 'test/cli/live-player.ts' });
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

test('a burst is drawn at most ten times a second', async () => {
  const terminal = openTerminal(player, { columns: 80, rows: 24, rawFile: join(folder, 'c') });
  try {
    await terminal.until(/starting/);
    for (let i = 0; i < 12; i++) terminal.keys('n');
    await terminal.until(/fix-wrap {2}/);
    await sleep(300);
    const draws =
      terminal
        .raw()
        .split('\u001b[?25l')[1]!
        .match(/\u001b\[\d+A/g) ?? [];
    expect(draws.length).toBeLessThanOrEqual(12);
  } finally {
    terminal.close();
  }
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
