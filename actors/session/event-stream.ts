/** One source of events, any number of listeners; each hears everything from when it began to listen. */

export interface EventStream<T> {
  push(event: T): void;
  end(): void;
  listen(): AsyncIterable<T>;
}

export function eventStream<T>(): EventStream<T> {
  const listeners = new Set<{ waiting: T[]; wake(): void }>();
  let over = false;
  return {
    push(event) {
      for (const listener of listeners) {
        listener.waiting.push(event);
        listener.wake();
      }
    },
    end() {
      over = true;
      for (const listener of listeners) listener.wake();
    },
    listen() {
      // From now on, not from the first look: nothing that happens in between is missed.
      const listener = { waiting: [] as T[], wake: () => {} };
      listeners.add(listener);
      return {
        async *[Symbol.asyncIterator]() {
          try {
            for (;;) {
              yield* listener.waiting.splice(0);
              if (listener.waiting.length > 0) continue;
              if (over) return;
              await new Promise<void>(resolve => {
                listener.wake = resolve;
              });
            }
          } finally {
            listeners.delete(listener);
          }
        },
      };
    },
  };
}
