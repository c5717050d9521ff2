/** Commands about the conversation itself. */
import { writeFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import type { SessionSummary } from '../../../actors/loom.ts';
import { clip, oneLine, pad, safe } from '../../render/width.ts';
import { compact, mark } from '../../render/words.ts';
import { type App, type Slash, SlashError } from '../app.ts';
import { figures } from '../status-line.ts';

const LISTED = 10;

export const sessionLine = (
  { session_id, title, updated_at, messages, live }: SessionSummary,
  columns: number,
): string => {
  const start = `${session_id.slice(0, 6)}  ${updated_at.slice(0, 16).replace('T', ' ')}  ${pad(`${messages} messages`, 14)}`;
  return `${start}  ${clip(oneLine(title) || '(nothing said yet)', Math.max(16, columns - start.length - 12))}${live ? '  (open)' : ''}`;
};

async function sessions(app: App): Promise<SessionSummary[]> {
  const all = await app.loom.sessions({ workspace: app.loom.workspace });
  return all.filter(one => one.session_id !== app.session.id);
}

async function chosen(app: App, prefix: string | undefined): Promise<string> {
  if (prefix) return prefix;
  const others = (await sessions(app)).filter(one => !one.live).slice(0, LISTED);
  if (others.length === 0) throw new SlashError('there is no other session of this folder');
  const id = await app.asking(ask =>
    ask.choose(
      'Which session goes on?',
      others.map(one => ({ name: one.session_id, message: sessionLine(one, app.columns()) })),
    ),
  );
  if (id === null) throw new SlashError('nothing was chosen');
  return id;
}

export const SESSION_COMMANDS: Slash[] = [
  {
    name: 'new',
    args: '',
    summary: 'Begin a new conversation; this one stays stored',
    run: app => app.reopen({}),
  },
  {
    name: 'sessions',
    args: '',
    summary: 'Conversations of this folder',
    async run(app) {
      const others = (await sessions(app)).slice(0, LISTED);
      app.print([
        `${app.session.id.slice(0, 6)}  this one: ${oneLine(await app.session.title()) || '(nothing said yet)'}`,
        ...others.map(one => sessionLine(one, app.columns())),
      ]);
    },
  },
  {
    name: 'resume',
    args: '[ID]',
    summary: 'Go on with another conversation',
    takes: 'session',
    run: async (app, [prefix]) => app.reopen({ resume: await chosen(app, prefix) }),
  },
  {
    name: 'session',
    args: '',
    summary: 'This conversation: id, folder, turns, usage',
    async run(app) {
      const { session, loom } = app;
      const { turns, phase, queued } = session.state();
      const usage = await session.usage();
      app.print([
        `id         ${session.id}`,
        `title      ${oneLine(await session.title())}`,
        `workspace  ${safe(loom.workspace)}`,
        `turns      ${turns} (${phase}${queued > 0 ? `, ${queued} waiting` : ''})`,
        `calls      ${usage.model_calls} of models, ${usage.tool_calls} of tools`,
        `resume     loom --resume ${session.id.slice(0, 6)}`,
      ]);
    },
  },
  {
    name: 'tokens',
    args: '',
    summary: 'Tokens and cost so far',
    async run(app) {
      const usage = await app.session.usage();
      app.print([
        `${compact(usage.tokens)} tokens, ${usage.model_calls} model calls${usage.cost_usd ? `, $${usage.cost_usd.toFixed(4)}` : ''}`,
      ]);
    },
  },
  {
    name: 'context',
    args: '',
    summary: 'How full the window of the model is',
    async run(app) {
      const { context } = await app.session.usage();
      app.print([
        context
          ? `the last request took ${context.tokens} of ${context.window} tokens (${Math.round((100 * context.tokens) / context.window)} %); what no longer fits stays stored and is found by conversation_recall`
          : 'nothing was asked yet',
        ...figures(app.status()).slice(0, 1),
      ]);
    },
  },
  {
    name: 'export',
    args: '[FILE.md|FILE.json]',
    summary: 'Write the whole conversation to a file',
    takes: 'path',
    async run(app, [path]) {
      const file = resolve(app.loom.workspace, path ?? `session-${app.session.id.slice(0, 6)}.md`);
      const text = await app.loom.exportSession(app.session.id, file.endsWith('.json') ? 'json' : 'markdown');
      await writeFile(file, text, { flag: 'wx' }).catch((error: NodeJS.ErrnoException) => {
        throw new SlashError(
          error.code === 'EEXIST'
            ? `${file} is there already; name another file`
            : `${file} cannot be written (${error.code})`,
        );
      });
      app.print([`${mark('done', app.paint)} wrote ${file}`]);
    },
  },
  {
    name: 'clear',
    args: '',
    summary: 'Clear the screen; nothing is forgotten',
    run: app => app.clear(),
  },
  {
    name: 'quit',
    aliases: ['exit', 'q'],
    args: '',
    summary: 'Leave; loom --continue goes on',
    run: app => app.quit(),
  },
];
