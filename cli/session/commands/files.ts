/** Files: looked at, what changed them, and back. */
import type { FileChange, UndoReport } from '../../../actors/loom.ts';
import { changeText } from '../../commands/diff.ts';
import { str } from '../../render/data.ts';
import { diffLines } from '../../render/diff.ts';
import { logLine } from '../../render/lines.ts';
import { oneLine, safe } from '../../render/width.ts';
import { mark } from '../../render/words.ts';
import { type App, type Slash, SlashError } from '../app.ts';
import { preview } from '../preview.ts';

const EVENTS = 30;

/** Of this conversation, or of a run. */
const changesOf = (app: App, id: string | undefined): Promise<FileChange[]> =>
  app.loom.changes(id ?? app.session.id);

function undoLines(app: App, { reverted, refused }: UndoReport, word: string): string[] {
  if (reverted.length === 0 && refused.length === 0) return [`nothing to ${word}`];
  return [
    ...reverted.map(
      ({ path, operation }) => `${mark('done', app.paint)} ${word}: ${oneLine(path)} (${operation})`,
    ),
    ...refused.map(({ path, reason }) => `${mark('failed', app.paint)} ${oneLine(path)}: ${oneLine(reason)}`),
  ];
}

/** The last thing that was done and not undone: all changes of one call. */
async function newestChange(app: App): Promise<string> {
  const changes = await changesOf(app, undefined);
  const last = changes.findLast(change => change.undoable && !change.undone);
  if (!last)
    throw new SlashError('nothing of this conversation can be undone; /undo ID undoes a run or a change');
  return last.id;
}

export const FILE_COMMANDS: Slash[] = [
  {
    name: 'files',
    args: '[ID]',
    summary: 'Files this conversation (or a run) changed',
    takes: 'run',
    async run(app, [id]) {
      const changes = await changesOf(app, id);
      const lines = changes.map(({ id: change, operation, path, from, undone }) => {
        const where = from ? `${oneLine(from)} -> ${oneLine(path)}` : oneLine(path);
        return `${operation.padEnd(7)} ${where}  ${app.paint.dim(`${change}${undone ? ' (undone)' : ''}`)}`;
      });
      app.print(lines.length > 0 ? lines : ['no file was changed']);
    },
  },
  {
    name: 'diff',
    args: '[ID|PATH]',
    summary: 'What this conversation (or a run) changed',
    takes: 'path',
    async run(app, [what]) {
      const own = await changesOf(app, undefined);
      const chosen = what ? own.filter(({ path, id }) => path === what || id === what) : own;
      const changes = what && chosen.length === 0 ? await app.loom.changes(what) : chosen;
      const context = { ...app.context, paint: { ...app.context.paint, out: app.paint } };
      app.print(
        changes.length > 0
          ? changes.flatMap(change => [...changeText(context, change).split('\n'), '']).slice(0, -1)
          : ['no file was changed'],
      );
    },
  },
  {
    name: 'undo',
    args: '[ID]',
    summary: 'Take back the last change, or a run or change by its id',
    takes: 'run',
    async run(app, [id]) {
      app.print(
        undoLines(app, await app.aside(async () => app.loom.undo(id ?? (await newestChange(app)))), 'undone'),
      );
    },
  },
  {
    name: 'redo',
    args: '[ID]',
    summary: 'Take back the last undo',
    takes: 'run',
    async run(app, [id]) {
      app.print(undoLines(app, await app.aside(() => app.loom.redo(id ?? app.session.id)), 'redone'));
    },
  },
  {
    name: 'show',
    args: 'N',
    summary: 'A result in full, by the number in its line',
    async run(app, [n]) {
      const event = app.results()[Number(n) - 1];
      if (!event)
        throw new SlashError(`there is no result ${n ?? ''}; the numbers stand at the end of their lines`);
      const { data } = event;
      const call = str(data, 'call');
      const stored = (await app.session.history(400)).find(
        entry => entry.role === 'tool' && entry.call === call,
      );
      const diff = str(data, 'diff');
      app.print([
        `${oneLine(str(data, 'tool'))} ${oneLine(str(data, 'subject'))}`,
        ...(diff ? diffLines(diff, app.paint) : []),
        ...(stored ? safe(stored.text).split('\n') : []),
      ]);
    },
  },
  {
    name: 'events',
    args: '[--tail N]',
    summary: 'What happened in this conversation, event by event',
    async run(app, args) {
      const most = Number(args.find(word => /^\d+$/.test(word)) ?? EVENTS);
      const lines: string[] = [];
      for await (const event of app.loom.events(app.session.id, { follow: false }))
        lines.push(logLine(event, app.paint));
      app.print(lines.slice(-most));
    },
  },
  {
    name: 'ls',
    args: '[PATH]',
    summary: 'What is in a folder',
    takes: 'path',
    async run(app, [path = '.']) {
      const listed = await app.loom.tools.call('list_directory', { path });
      app.print(safe(listed.output).split('\n'));
    },
  },
  {
    name: 'open',
    args: 'PATH',
    summary: 'Look at a file: text, Markdown, tables, documents, images by their size',
    takes: 'path',
    async run(app, [path]) {
      if (!path) throw new SlashError('/open PATH');
      app.print(await preview(app.loom, path, app.style()));
    },
  },
];
