/** A real terminal for tests: tmux runs a command in a pseudo-terminal, types into it and tells what the screen shows. */
import { execFileSync } from 'node:child_process';
import { setTimeout as sleep } from 'node:timers/promises';

export interface Terminal {
  /** The visible lines, without the empty ones at the end. */
  screen(): string[];
  /** The visible lines and what scrolled away. */
  history(): string;
  keys(...keys: string[]): void;
  /** As the person's terminal does: marked as a paste where the program asked for that. */
  paste(text: string): void;
  resize(columns: number, rows: number): void;
  /** Resolves with the screen once it matches; throws with the screen after `ms`. */
  until(pattern: RegExp, ms?: number): Promise<string>;
  /** Everything the command wrote, escape sequences included. */
  raw(): string;
  close(): void;
}

let count = 0;

export function openTerminal(
  command: string,
  options: { columns?: number; rows?: number; rawFile: string },
): Terminal {
  const socket = `loom-test-${process.pid}-${count++}`;
  const tmux = (...args: string[]) =>
    execFileSync('tmux', ['-L', socket, '-f', '/dev/null', ...args], { encoding: 'utf8' });
  const { columns = 80, rows = 24, rawFile } = options;
  tmux(
    'new-session',
    '-d',
    '-x',
    String(columns),
    '-y',
    String(rows),
    '-s',
    't',
    `echo '$ loom'; sleep 0.3; ${command}; echo "exit $?"; sleep 60`,
  );
  tmux('set-option', '-t', 't', 'status', 'off');
  tmux('resize-window', '-t', 't', '-x', String(columns), '-y', String(rows));
  tmux('pipe-pane', '-t', 't', `cat >> '${rawFile}'`);
  const screen = () => tmux('capture-pane', '-p', '-t', 't').trimEnd().split('\n');
  const history = () => tmux('capture-pane', '-p', '-S', '-', '-t', 't').trimEnd();
  return {
    screen,
    history,
    keys: (...keys) => void tmux('send-keys', '-t', 't', ...keys),
    paste(text) {
      tmux('set-buffer', '-b', 'p', '--', text);
      tmux('paste-buffer', '-p', '-b', 'p', '-t', 't');
    },
    resize: (x, y) => void tmux('resize-window', '-t', 't', '-x', String(x), '-y', String(y)),
    async until(pattern, ms = 30_000) {
      const end = Date.now() + ms;
      for (;;) {
        const text = history();
        if (pattern.test(text)) return text;
        if (Date.now() > end) throw new Error(`the screen never matched ${pattern}:\n${text}`);
        await sleep(50);
      }
    },
    raw: () => execFileSync('cat', [rawFile], { encoding: 'utf8' }),
    close() {
      try {
        tmux('kill-server');
      } catch {
        // It ended by itself.
      }
    },
  };
}
