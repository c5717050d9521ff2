/** `loom` and `loom cowork`: the interactive session. */
import type { SessionOptions } from '../../actors/loom.ts';
import type { Ask } from '../ask.ts';
import type { Context } from '../context.ts';
import { EXIT, UsageError } from '../failure.ts';
import { oneLine } from '../render/width.ts';
import type { Run } from '../run-command.ts';
import { chat } from '../session/chat.ts';
import { sessionLine } from '../session/commands/session.ts';
import { RESTART } from '../session/open-app.ts';
import { plainChat } from '../session/plain.ts';
import { askSetup, setupFile, writePrepared } from '../setup.ts';

const LISTED = 8;

export const command: Run = async (context, _args, values) => {
  const resume = values.text('resume');
  const goOn = values.flag('continue');
  if (resume !== undefined && goOn) throw new UsageError('--resume and --continue exclude each other');
  if (context.output !== 'text') throw new UsageError('a session has no --output; loom run has');
  const rules = { allow: values.list('allow'), deny: values.list('deny') };
  const asked: SessionOptions | null = resume !== undefined ? { resume } : goOn ? { continue: true } : null;
  if (!context.io.tty.in || !context.io.tty.out) return plainChat(context, { ...asked, ...rules });
  for (let wanted = asked; ; ) {
    const options = wanted;
    const { code, session } = await chat(context, {
      choose: async ask => {
        const chosen = (await ready(context, ask)) && (options ?? (await offered(context, ask)));
        return chosen && { ...chosen, ...rules };
      },
    });
    if (code !== RESTART || session === null) return code === RESTART ? EXIT.ok : code;
    await context.reload();
    wanted = { resume: session };
  }
};

/** The first start: models are looked for, one is tried, and loom.toml is written. False: the person left. */
async function ready(context: Context, ask: Ask): Promise<true | null> {
  const loom = await context.loom();
  if (Object.keys(loom.config.models).length > 0) return true;
  const file = setupFile(context, undefined);
  context.io.err('Nothing is set up yet.\n');
  const prepared = await askSetup(context, ask, file);
  if (!prepared) return null;
  await writePrepared(prepared);
  context.io.err(`Wrote ${prepared.file}.\n\n`);
  await context.reload();
  return true;
}

/** Goes on with an earlier conversation only after a yes. */
async function offered(context: Context, ask: Ask): Promise<SessionOptions | null> {
  const loom = await context.loom();
  const all = await loom.sessions({ workspace: loom.workspace });
  const [last, ...more] = all.filter(one => !one.live && one.messages > 0);
  if (!last) return {};
  const line = (one: typeof last) => sessionLine(one, context.io.columns('err') - 4);
  const chosen = await ask.choose(`You talked here before: ${oneLine(last.title)}`, [
    { name: 'new', message: 'begin a new conversation' },
    ...[last, ...more].slice(0, LISTED).map(one => ({ name: one.session_id, message: line(one) })),
  ]);
  if (chosen === null) return null;
  return chosen === 'new' ? {} : { resume: chosen };
}
