/** Ctrl+C and SIGTERM: once stops cleanly, twice at once. */

export interface Interrupt {
  readonly signal: AbortSignal;
  /** Somebody will act on the signal; without it the first Ctrl+C ends the program. Returns the undo. */
  arm(): () => void;
  /** One Ctrl+C. */
  hit(): void;
  /** The reader of stdout is gone: stops what runs, says nothing. */
  quiet(): void;
}

/** `die` ends the process at once; `say` prints to stderr. */
export function createInterrupt(die: () => void, say: (text: string) => void): Interrupt {
  const controller = new AbortController();
  let armed = 0;
  return {
    signal: controller.signal,
    arm() {
      armed += 1;
      return () => {
        armed -= 1;
      };
    },
    hit() {
      if (armed === 0 || controller.signal.aborted) return die();
      say('stopping; what is done is kept. Ctrl+C again ends at once');
      controller.abort();
    },
    quiet() {
      if (armed === 0) return die();
      controller.abort();
    },
  };
}
