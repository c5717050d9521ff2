/** The prompt of a session in a real pseudo-terminal. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { bundled } from '../bundle.ts';
import { openTerminal, type Terminal } from '../terminal.ts';

let command = '';
let remove: () => void = () => undefined;
const folder = mkdtempSync(join(tmpdir(), 'loom-prompt-'));

beforeAll(async () => {
  const built = await bundled({ prompt: fileURLToPath(new URL('./terminal-main.ts', import.meta.url)) });
  command = `env -u CI -u NO_COLOR TERM=xterm-256color ${process.execPath} ${join(built.dist, 'prompt.mjs')}`;
  remove = built.remove;
});
afterAll(() => {
  remove();
  rmSync(folder, { recursive: true, force: true });
});

describe('the prompt of a session', () => {
  let terminal: Terminal;
  let n = 0;
  beforeEach(async () => {
    terminal = openTerminal(command, { columns: 60, rows: 16, rawFile: join(folder, String(n++)) });
    await terminal.until(/^>$/m);
  });
  afterEach(() => terminal.close());
  const lines = () => terminal.screen().slice(1);

  it('stays editable while output appears above it', async () => {
    terminal.keys('tick', 'Enter');
    await terminal.until(/working \d/);
    terminal.keys('-l', 'half a sen');
    await sleep(200);
    terminal.keys('-l', 'tence');
    await terminal.until(/all done/);
    await sleep(100);
    expect(lines()).toEqual([
      '> tick',
      'line 1',
      'line 2',
      'line 3',
      'line 4',
      'line 5',
      'all done',
      '> half a sentence',
    ]);
    terminal.keys('Enter');
    await terminal.until(/entry "half a sentence"/);
    expect(lines().slice(-3)).toEqual(['> half a sentence', 'entry "half a sentence"', '>']);
  });

  it('takes a paste as one entry, a long one as a mark', async () => {
    terminal.paste('first\nsecond');
    await terminal.until(/first␤second/);
    terminal.keys('Enter');
    await terminal.until(/entry "first\\nsecond"/);
    terminal.paste(Array.from({ length: 30 }, (_, i) => `row ${i}`).join('\n'));
    await terminal.until(/\[#1: 30 lines\]/);
    terminal.keys('-l', ' what is it');
    terminal.keys('Enter');
    const text = await terminal.until(/is it"$/m);
    expect(text.replaceAll('\n', '')).toContain('row 28\\nrow 29 what is it"');
  });

  it('wraps a long line and leaves nothing behind of it', async () => {
    terminal.keys('-l', 'word '.repeat(30).trim());
    await sleep(100);
    terminal.keys('Enter');
    await terminal.until(/entry/);
    expect(lines().filter(line => line.startsWith('> word'))).toHaveLength(1);
    expect(lines().at(-1)).toBe('>');
  });

  it('completes, remembers earlier entries, and hears Ctrl+C', async () => {
    terminal.keys('-l', '/hel');
    terminal.keys('Tab');
    await terminal.until(/> \/help/);
    terminal.keys('C-u', 'Up');
    await terminal.until(/> the one before/);
    terminal.keys('C-c');
    await terminal.until(/interrupted/);
    expect(lines().at(-1)).toBe('> the one before');
  });

  it('gives the terminal away and takes it back with what was typed', async () => {
    terminal.keys('ask', 'Enter');
    await terminal.until(/Which\?/);
    terminal.keys('Down');
    terminal.keys('Enter');
    await terminal.until(/chosen blue/);
    terminal.keys('-l', 'and on');
    terminal.keys('Enter');
    await terminal.until(/entry "and on"/);
    expect(lines().slice(-4)).toEqual(['chosen blue', '> and on', 'entry "and on"', '>']);
  });

  it('writes nothing while nothing happens', async () => {
    await sleep(200);
    const before = terminal.raw().length;
    await sleep(1_000);
    expect(terminal.raw().length).toBe(before);
  });

  it('is redrawn once at another width', async () => {
    terminal.keys('-l', 'some words');
    terminal.resize(40, 12);
    await sleep(300);
    expect(lines().filter(line => line.includes('some words'))).toEqual(['> some words']);
  });
});
