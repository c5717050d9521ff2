/** Streams that keep what was printed. */
import type { Io } from '../../cli/context.ts';

export function testIo(options: { env?: Record<string, string>; cwd?: string } = {}) {
  const printed = { out: '', err: '' };
  const io: Io = {
    out: text => {
      printed.out += text;
    },
    err: text => {
      printed.err += text;
    },
    stdin: process.stdin,
    tty: { in: false, out: false, err: false },
    columns: () => 100,
    rows: () => 24,
    onResize: () => () => undefined,
    env: options.env ?? {},
    cwd: options.cwd ?? process.cwd(),
  };
  return { ...io, printed };
}
