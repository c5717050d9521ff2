/** A conversation in a process of its own that can be killed: says its lines, prints every fact and preview it is told. */
import { openLoom } from '../../actors/engine.ts';

const [home = '', workspace = '', texts = '[]'] = process.argv.slice(2);
/** Pipes are written at once on Linux: what was printed before a kill is there. */
const print = (line: object): void => void process.stdout.write(`${JSON.stringify(line)}\n`);

const loom = await openLoom({ home, workspace });
const session = await loom.openSession({ continue: true });
void (async () => {
  for await (const told of session.events()) {
    if (told.type === 'event') print({ event: told.event });
    else print({ preview: told.preview, at: Date.now() });
  }
})();
print({ opened: session.id });
for (const text of JSON.parse(texts) as string[]) {
  print({ saying: text });
  await session.send(text);
  print({ sent: text });
  for (;;) {
    const { phase, queued, questions } = session.state();
    for (const question of questions)
      await session.answer(question.id, { answer: question.choices[0] ?? 'yes' });
    if (phase === 'idle' && queued === 0) break;
    await new Promise(resolve => setTimeout(resolve, 5));
  }
}
await session.close();
await loom.close();
