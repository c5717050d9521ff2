/** A prompt that stays editable at the bottom of the terminal while output appears above it. Lines scroll away as in any
 *  shell; nothing is redrawn while nothing changes. */
import readline from 'node:readline';
import { clip, safe, width } from '../render/width.ts';
import { NEWLINE, type Pasted, pastes } from './paste.ts';

/** Between two pictures of the lines that still change, ms. */
const FRAME_MS = 40;
/** Lines of the terminal that stay free of the part that changes. */
const SPARE_ROWS = 4;

export interface TerminalOptions {
  input: NodeJS.ReadStream;
  output: NodeJS.WriteStream;
  /** Shown before what is typed, without colours that depend on time. */
  prompt: string;
  /** Lines typed in earlier sessions, the newest first. */
  history: string[];
  /** Completions of the line up to the cursor, and the part of it that they replace. */
  complete(line: string): Promise<[string[], string]>;
  /** A whole entry; may have several lines. */
  onEntry(text: string): void;
  onInterrupt(): void;
  /** Ctrl+D on an empty line, or the input is at its end. */
  onEnd(): void;
  onSuspend(): void;
}

export interface Terminal {
  columns(): number;
  /** Lines that stay. */
  print(lines: string[]): void;
  /** Lines directly above the prompt that replace the ones before; drawn soon. */
  live(lines: string[]): void;
  /** Gives the terminal to another prompt; what was typed so far is kept. */
  borrow<T>(use: () => Promise<T>): Promise<T>;
  /** Puts text where the person types, as if typed. */
  type(text: string): void;
  clear(): void;
  close(): void;
}

/** Properties of readline that its types leave out; documented by use in many programs, and stable since Node 0.8. */
type Line = readline.Interface & { prevRows: number; history: string[] };

export function openTerminal(options: TerminalOptions): Terminal {
  const { output } = options;
  const pasted: Pasted = pastes(options.input);
  let above: string[] = [];
  let drawn: string[] = [];
  let timer: NodeJS.Timeout | undefined;
  let lent = false;
  let closed = false;
  /** Printed while another prompt had the terminal. */
  let waiting: string[] = [];
  const line = readline.createInterface({
    input: pasted.input,
    output,
    terminal: true,
    prompt: options.prompt,
    history: options.history,
    historySize: 500,
    removeHistoryDuplicates: true,
    tabSize: 4,
    completer: (typed: string, done: (error: Error | null, found: [string[], string]) => void) =>
      void options.complete(typed).then(
        found => done(null, found),
        () => done(null, [[], typed]),
      ),
  }) as Line;
  const columns = (): number => Math.max(1, output.columns ?? 80);

  /** Rows that `text` takes on the screen. */
  const rowsOf = (text: string): number =>
    text.split('\n').reduce((sum, part) => sum + Math.max(1, Math.ceil(width(part) / columns())), 0);

  function together(write: () => void): void {
    output.cork();
    write();
    output.uncork();
  }

  /** Moves to the first row of everything that is redrawn and clears from there. */
  function erase(): void {
    const { rows } = line.getCursorPos();
    readline.moveCursor(output, 0, -rows);
    readline.cursorTo(output, 0);
    readline.clearScreenDown(output);
    line.prevRows = 0;
  }

  function draw(): void {
    clearTimeout(timer);
    timer = undefined;
    drawn = above;
    line.setPrompt([...drawn, options.prompt].join('\n'));
    line.prompt(true);
  }

  /** The newest lines that fit, cut to the width: a line that wraps would be counted wrongly after a resize. */
  function fitting(lines: string[]): string[] {
    const room = Math.max(1, (output.rows ?? 24) - SPARE_ROWS);
    return lines.slice(-room).map(text => (width(text) < columns() ? text : clip(safe(text), columns() - 1)));
  }

  function print(lines: string[]): void {
    if (lines.length === 0) return;
    if (lent) return void waiting.push(...lines);
    if (closed) return void output.write(`${lines.join('\n')}\n`);
    together(() => {
      erase();
      output.write(`${lines.join('\n')}\n`);
      draw();
    });
  }

  line.on('line', typed => {
    // readline has left the prompt on the screen, with the lines that were to change: only the entry stays.
    const rows = rowsOf([...drawn, options.prompt + typed].join('\n'));
    together(() => {
      readline.moveCursor(output, 0, -rows);
      readline.cursorTo(output, 0);
      readline.clearScreenDown(output);
      line.prevRows = 0;
      const text = pasted.whole(typed);
      const shown = typed.replaceAll(NEWLINE, '\n').trimEnd();
      if (shown !== '')
        output.write(
          `${options.prompt}${shown.replaceAll('\n', `\n${' '.repeat(width(options.prompt))}`)}\n`,
        );
      if (line.history[0] === typed) line.history[0] = text.replaceAll('\n', NEWLINE);
      draw();
      options.onEntry(text);
    });
  });
  line.on('SIGINT', options.onInterrupt);
  line.on('SIGTSTP', options.onSuspend);
  line.on('close', () => {
    if (!closed) options.onEnd();
  });
  const resized = () => {
    if (!lent && !closed) draw();
  };
  output.on('resize', resized);
  draw();

  return {
    columns,
    print,
    live(lines) {
      above = fitting(lines);
      if (lent || closed || timer || (above.length === 0 && drawn.length === 0)) return;
      timer = setTimeout(draw, FRAME_MS).unref();
    },
    async borrow(use) {
      clearTimeout(timer);
      timer = undefined;
      together(erase);
      lent = true;
      line.pause();
      pasted.detach();
      try {
        return await use();
      } finally {
        // The other prompt has given the terminal back to whole lines.
        options.input.setRawMode?.(true);
        pasted.attach();
        line.resume();
        lent = false;
        const late = waiting;
        waiting = [];
        if (late.length > 0) output.write(`${late.join('\n')}\n`);
        line.prevRows = 0;
        draw();
      }
    },
    type(text) {
      line.write(text.replaceAll('\n', NEWLINE));
    },
    clear() {
      output.write('\u001b[2J\u001b[H');
      line.prevRows = 0;
      draw();
    },
    close() {
      if (closed) return;
      clearTimeout(timer);
      together(erase);
      closed = true;
      output.off('resize', resized);
      line.close();
      pasted.close();
    },
  };
}
