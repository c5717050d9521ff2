/** The line above the prompt: what works, how full the window is, what it cost. Empty while nothing happens. */
import { clip } from '../render/width.ts';
import { clock, compact } from '../render/words.ts';

export interface Status {
  /** What it does right now; '' while it waits for the person. */
  doing: string;
  /** Milliseconds since the turn began. */
  elapsed: number;
  model: string;
  /** Tokens of the last request, and of the window; 0: not known. */
  used: number;
  window: number;
  tokens: number;
  /** null: a model without a price took part. */
  cost: number | null;
  runs: number;
  queued: number;
}

const FRAMES = ['⠋', '⠙', '⠹', '⠸', '⠼', '⠴', '⠦', '⠧', '⠇', '⠏'];
/** One picture of the spinner, ms. */
const FRAME = 120;

/** null: nothing happens, so nothing stands there. */
export function statusLine(status: Status, columns: number): string | null {
  if (status.doing === '') return null;
  const spinner = FRAMES[Math.floor(status.elapsed / FRAME) % FRAMES.length]!;
  return clip(
    `${spinner} ${status.doing}  ${[clock(status.elapsed), ...figures(status)].join(' · ')}`,
    columns,
  );
}

/** Model, window, tokens, cost and what runs, for the end of a turn and for `/tokens`. */
export function figures({ model, used, window, tokens, cost, runs, queued }: Status): string[] {
  return [
    ...(model ? [model] : []),
    ...(used > 0 && window > 0 ? [`window ${Math.min(100, Math.round((100 * used) / window))} %`] : []),
    ...(tokens > 0 ? [`${compact(tokens)} tokens`] : []),
    ...(cost ? [`$${cost < 0.01 ? cost.toFixed(4) : cost.toFixed(2)}`] : []),
    ...(runs > 0 ? [`${runs} run${runs === 1 ? '' : 's'}`] : []),
    ...(queued > 0 ? [`${queued} waiting`] : []),
  ];
}
