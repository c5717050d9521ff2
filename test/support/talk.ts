/** A session over a real store, a real workspace and a fake model server, with everything it told. */
import type { Answer, Loom, Session, SessionEvent, SessionOptions } from '../../actors/loom.ts';

export interface Talk {
  session: Session;
  events: SessionEvent[];
  /** Data of the committed events of one type. */
  told(type: string): Record<string, unknown>[];
  /** Text shown live, as far as it was not withdrawn. */
  preview(): string;
  /** Resolves when the session waits for a text again and everything typed has been taken up. */
  quiet(): Promise<void>;
  /** Resolves when something is so. */
  until(holds: () => boolean, what: string): Promise<void>;
  /** Says something and waits for the end of its turn. */
  say(text: string, options?: { attachments?: string[] }): Promise<void>;
  /** Answers the next question. */
  decide(answer: Answer): Promise<void>;
}

const PATIENCE_MS = 15_000;

export async function talk(loom: Loom, options: SessionOptions = {}): Promise<Talk> {
  const session = await loom.openSession(options);
  const events: SessionEvent[] = [];
  let live = '';
  const wakers = new Set<() => void>();
  const wake = () => {
    for (const waker of wakers) waker();
  };
  void (async () => {
    for await (const event of session.events()) {
      events.push(event);
      if (event.type === 'preview')
        live = event.preview.reset ? '' : live.slice(0, event.preview.offset) + event.preview.text;
      wake();
    }
    wake();
  })();

  async function until(holds: () => boolean, what: string): Promise<void> {
    const late = performance.now() + PATIENCE_MS;
    for (;;) {
      // What has happened is told a moment later.
      await new Promise(resolve => setTimeout(resolve, 5));
      if (holds()) return;
      if (performance.now() > late)
        throw new Error(`waited in vain until ${what}: ${JSON.stringify(session.state())}`);
      await new Promise<void>(resolve => {
        const timer = setTimeout(resolve, 25);
        wakers.add(() => {
          clearTimeout(timer);
          resolve();
        });
      });
      wakers.clear();
    }
  }
  const idle = () => {
    const { phase, queued } = session.state();
    return phase === 'closed' || (phase === 'idle' && queued === 0);
  };
  const told = (type: string) =>
    events.flatMap(event =>
      event.type === 'event' && event.event.event_type === type ? [event.event.data] : [],
    );

  return {
    session,
    events,
    told,
    preview: () => live,
    until,
    quiet: () => until(idle, 'it is quiet'),
    async say(text, said) {
      await session.send(text, said);
      await until(idle, `"${text}" is answered`);
    },
    async decide(answer) {
      await until(() => session.state().questions.length > 0, 'it asks something');
      await session.answer(session.state().questions[0]!.id, answer);
    },
  };
}
