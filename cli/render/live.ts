/** Keeps a block of lines at the bottom of a terminal up to date: only changed lines are written, at most ten times a second. */
import { width } from './width.ts';

export interface Screen {
  write(text: string): void;
  columns(): number;
}

const ESC = '\u001b[';
const HIDE = `${ESC}?25l`;
const SHOW = `${ESC}?25h`;
const INTERVAL_MS = 100;
const TICK_MS = 1_000;

/** `render` gives the lines for the present instant; each must be narrower than the screen. */
export class Live {
  readonly #screen: Screen;
  readonly #render: () => string[];
  #shown: string[] = [];
  #columns = 0;
  #timer: NodeJS.Timeout | undefined;
  #tick: NodeJS.Timeout | undefined;
  #last = 0;
  #running = false;

  constructor(screen: Screen, render: () => string[]) {
    this.#screen = screen;
    this.#render = render;
  }

  start(): void {
    if (this.#running) return;
    this.#running = true;
    this.#screen.write(HIDE);
    // The clock in the figures moves by itself; an unchanged frame writes nothing.
    this.#tick = setInterval(() => this.update(), TICK_MS);
    this.#tick.unref();
    this.#draw();
  }

  /** Something changed; drawn now or within a tenth of a second. */
  update(): void {
    if (!this.#running || this.#timer) return;
    const wait = Math.max(0, this.#last + INTERVAL_MS - Date.now());
    this.#timer = setTimeout(() => {
      this.#timer = undefined;
      this.#draw();
    }, wait);
    this.#timer.unref();
  }

  /** Prints lines that stay, above the block. */
  print(text: string): void {
    if (!this.#running) {
      this.#screen.write(text);
      return;
    }
    // One write, so that the block is never seen missing.
    const before = this.#erase() + text;
    this.#shown = [];
    this.#draw(before);
  }

  /** Removes the block and gives the cursor back; `start` brings it back. */
  stop(): void {
    if (!this.#running) return;
    this.#running = false;
    clearTimeout(this.#timer);
    clearInterval(this.#tick);
    this.#timer = undefined;
    this.#screen.write(this.#erase() + SHOW);
    this.#shown = [];
  }

  #draw(before = ''): void {
    this.#last = Date.now();
    const lines = this.#render();
    const columns = this.#screen.columns();
    if (columns !== this.#columns || lines.length !== this.#shown.length) {
      const text = before + this.#erase() + lines.map(line => `${line}\n`).join('');
      this.#columns = columns;
      this.#shown = lines;
      this.#screen.write(text);
      return;
    }
    const first = lines.findIndex((line, i) => line !== this.#shown[i]);
    if (first < 0) return;
    let text = `${ESC}${lines.length - first}A`;
    for (let i = first; i < lines.length; i++)
      text += lines[i] === this.#shown[i] ? '\n' : `${ESC}2K${lines[i]}\n`;
    this.#shown = lines;
    this.#screen.write(text);
  }

  /** Moves to the start of the block and clears from there. After a resize old lines may have wrapped. */
  #erase(): string {
    const columns = Math.max(1, this.#screen.columns());
    const height = this.#shown.reduce((sum, line) => sum + Math.max(1, Math.ceil(width(line) / columns)), 0);
    return height > 0 ? `${ESC}${height}A\r${ESC}J` : '';
  }
}
