/** Models, tools, rules, what was learned; and the words for what is still to come. */

import { oneLine, pad } from '../../render/width.ts';
import { mark } from '../../render/words.ts';
import { askSetup, setupFile, writePrepared } from '../../setup.ts';
import { type Slash, SlashError } from '../app.ts';

const later = (name: string, what: string): Slash => ({
  name,
  args: '',
  summary: `${what} (not part of this version)`,
  run: app => app.print([`${what} is not part of this version of Loom yet.`]),
});

export const SETTING_COMMANDS: Slash[] = [
  {
    name: 'setup',
    args: '',
    summary: 'Choose and try models, write loom.toml',
    async run(app) {
      const file = setupFile(app.context, app.loom.config.source ?? undefined);
      const context = {
        ...app.context,
        io: { ...app.context.io, err: (text: string) => void process.stderr.write(text) },
      };
      const prepared = await app.asking(ask => askSetup(context, ask, file));
      if (!prepared) return app.print(['nothing was written']);
      await writePrepared(prepared);
      app.print([`${mark('done', app.paint)} wrote ${prepared.file}`]);
      await app.restart();
    },
  },
  {
    name: 'model',
    args: '',
    summary: 'The models and what each does',
    async run(app) {
      const models = await app.loom.models();
      app.print(
        models.map(
          ({ alias, model, roles }) =>
            `${pad(oneLine(alias), 12)} ${oneLine(model)}  ${app.paint.dim(roles.join(', '))}`,
        ),
      );
    },
  },
  {
    name: 'tools',
    args: '',
    summary: 'What the model can use',
    run(app) {
      const tools = app.loom.tools.list();
      app.print(tools.map(({ name, description }) => `${pad(name, 20)} ${oneLine(description)}`));
    },
  },
  {
    name: 'rules',
    args: '[remove N | allow RULE | deny RULE]',
    summary: 'What is not asked about any more',
    takes: ['remove', 'allow', 'deny'],
    async run(app, [verb, ...words]) {
      const { session, rules } = app;
      const here = rules.list();
      const { allow, deny } = session.rules();
      const listed = [
        ...allow.map(rule => ({ rule, word: 'allow' })),
        ...deny.map(rule => ({ rule, word: 'deny' })),
      ];
      if (verb === 'allow' || verb === 'deny') {
        await session[verb](words.join(' '));
        return app.print([`${verb} ${words.join(' ')}`]);
      }
      if (verb === 'remove') {
        const found = listed[Number(words[0]) - 1]?.rule ?? words.join(' ');
        const gone = [await session.forget(found), await rules.remove(found)];
        if (!gone.includes(true))
          throw new SlashError(
            `${found} is not a rule of this session or folder; loom.toml holds the others`,
          );
        return app.print([`removed ${found}`]);
      }
      app.print(
        listed.length > 0
          ? listed.map(
              ({ rule, word }, i) =>
                `${i + 1}  ${word} ${rule}${here.includes(rule) ? app.paint.dim('  (this folder)') : ''}`,
            )
          : ['no rules; "always" at a question makes one'],
      );
    },
  },
  later('mcp', 'Connecting MCP servers'),
  later('auth', 'Credential profiles'),
  later('process', 'Process definitions'),
  later('processes', 'Process definitions'),
];
