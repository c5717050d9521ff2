/** The first conversation with Loom: which server, which model, does it answer, who judges; then loom.toml is written. */
import { existsSync } from 'node:fs';
import { homedir } from 'node:os';
import { join, resolve } from 'node:path';
import type { SetupEntry, SetupModel, SetupProvider, SetupServer } from '../actors/setup.ts';
import type { Ask } from './ask.ts';
import type { Context } from './context.ts';
import { UsageError } from './failure.ts';
import { oneLine } from './render/width.ts';
import { mark, megabytes } from './render/words.ts';
import type { Values } from './values.ts';

const EVERYTHING = ['planner', 'executor', 'verifier', 'extractor', 'compactor'] as const;
const PROVIDERS = ['ollama', 'openai_compatible', 'anthropic'] as const;
const USUAL: Record<SetupProvider, string> = {
  ollama: 'http://127.0.0.1:11434',
  openai_compatible: 'http://127.0.0.1:1234/v1',
  anthropic: 'https://api.anthropic.com',
};
const TRIAL_MS = 120_000;

const tools = async () => (await import('../actors/engine.ts')).setup();

/** Where setup writes: the file that was named, else the one of the home. */
export function setupFile({ io }: Context, named: string | undefined): string {
  if (named !== undefined) return resolve(io.cwd, named);
  return join(resolve(io.env['LOOM_HOME'] ?? join(homedir(), '.loom')), 'loom.toml');
}

export interface Prepared {
  file: string;
  entries: SetupEntry[];
}

export const writePrepared = async ({ file, entries }: Prepared): Promise<{ backup: string | null }> =>
  (await tools()).writeModels(file, entries);

/** What a model is like, in one line: size, and whether the machine can hold it. */
function modelLine({ billions, bytes, fits }: SetupModel): string {
  const parts = [
    ...(billions > 0 ? [`${billions} B parameters`] : []),
    ...(bytes ? [megabytes(bytes)] : []),
    ...(fits === false ? ["more than this machine's memory holds"] : []),
  ];
  return parts.join(', ');
}

const entryOf = (
  alias: string,
  { provider, base_url, key_variable }: Pick<SetupServer, 'provider' | 'base_url' | 'key_variable'>,
  model: string,
  key = key_variable === '' ? '' : `env:${key_variable}`,
): SetupEntry => ({ alias, provider, base_url, model, api_key: key, roles: [...EVERYTHING] });

/** One model does everything, or two share: the second judges what the first did. */
function shared(main: SetupEntry, judge: SetupEntry | null): SetupEntry[] {
  if (!judge) return [main];
  return [
    { ...main, roles: EVERYTHING.filter(role => role !== 'verifier') },
    { ...judge, alias: 'judge', roles: ['verifier'] },
  ];
}

/** Asks a person; null when they left. */
export async function askSetup(context: Context, ask: Ask, file: string): Promise<Prepared | null> {
  const { findServers } = await tools();
  const say = (line: string) => context.io.err(`${line}\n`);
  say('Looking for models on this machine…');
  const { signal } = context.interrupt;
  const servers = await findServers({ env: context.io.env, signal });
  for (const { name, base_url, models, key_variable } of servers)
    say(
      key_variable === ''
        ? `${mark('done', context.paint.err)} ${name} at ${base_url}: ${models.length} for chat`
        : `${mark('done', context.paint.err)} ${name}: ${key_variable} is set`,
    );
  if (servers.length === 0) say('Nothing found. Start Ollama (ollama serve), or name a server.');
  const place = await choosePlace(context, ask, servers);
  if (!place) return null;
  const model = await chooseModel(ask, place.models);
  if (!model) return null;
  const main = entryOf('main', place, model, place.key);
  if (!(await tried(context, ask, main))) return null;
  const judge = await chooseJudge(ask, place, model);
  if (judge === null) return null;
  const entries = shared(main, judge === '' ? null : entryOf('judge', place, judge, place.key));
  say(`\nThis goes into ${file}:`);
  for (const entry of entries)
    say(`  ${entry.alias}: ${oneLine(entry.model)} at ${entry.base_url} for ${entry.roles.join(', ')}`);
  if (existsSync(file)) say('  The models that stand there are replaced; everything else in it stays.');
  return (await ask.yes('Write it?', true)) ? { file, entries } : null;
}

type Place = Pick<SetupServer, 'provider' | 'base_url' | 'key_variable' | 'models'> & { key?: string };

async function choosePlace(context: Context, ask: Ask, servers: SetupServer[]): Promise<Place | null> {
  const choices = [
    ...servers.map((server, i) => ({ name: String(i), message: `${server.name}  ${server.base_url}` })),
    { name: 'other', message: 'another server' },
  ];
  const chosen = servers.length === 0 ? 'other' : await ask.choose('Where is the model?', choices);
  if (chosen === null) return null;
  const found = servers[Number(chosen)];
  if (found?.key_variable === '') return found;
  return found ? cloud(context, ask, found) : other(context, ask);
}

/** A key is shown to its provider only after a yes. */
async function cloud(context: Context, ask: Ask, server: SetupServer): Promise<Place | null> {
  const host = new URL(server.base_url).host;
  if (!(await ask.yes(`Use ${server.key_variable} and send what you give Loom to ${host}?`, false)))
    return null;
  const { askServer } = await tools();
  const key = context.io.env[server.key_variable] ?? '';
  const models = await askServer({ ...server, key }, context.interrupt.signal);
  return { ...server, models: models ?? [] };
}

async function other(context: Context, ask: Ask): Promise<Place | null> {
  const { askServer } = await tools();
  const provider = (await ask.choose('What does it speak?', [
    { name: 'ollama', message: 'Ollama' },
    { name: 'openai_compatible', message: 'the OpenAI protocol (LM Studio, vLLM, llama.cpp, most clouds)' },
    { name: 'anthropic', message: "Anthropic's protocol" },
  ])) as SetupProvider | null;
  if (!provider) return null;
  const base_url = await ask.text('Its address', USUAL[provider]);
  if (!base_url) return null;
  const variable = await ask.text('Variable that holds its key (empty: none is needed)', '');
  if (variable === null) return null;
  const value = variable === '' ? '' : (context.io.env[variable] ?? '');
  if (variable !== '' && value === '')
    context.io.err(`${variable} is not set at present; Loom reads it when it runs.\n`);
  const models = await askServer({ provider, base_url, key: value }, context.interrupt.signal);
  if (!models) context.io.err(`${base_url} does not list models; name one.\n`);
  return { provider, base_url, key_variable: variable, models: models ?? [] };
}

async function chooseModel(ask: Ask, models: SetupModel[]): Promise<string | null> {
  if (models.length === 0) return (await ask.text('Name of the model')) || null;
  const choices = models.map(model => ({ name: model.name, message: model.name, hint: modelLine(model) }));
  return ask.choose('Which model does the work?', choices);
}

/** '' for none, null when the person left. */
async function chooseJudge(ask: Ask, place: Place, model: string): Promise<string | null> {
  const others = place.models.filter(found => found.name !== model && found.fits !== false);
  if (others.length === 0) return '';
  return ask.choose('Who judges the results? Another model sees what the first overlooks.', [
    { name: '', message: `${model}, in a fresh conversation` },
    ...others.map(found => ({ name: found.name, message: found.name, hint: modelLine(found) })),
  ]);
}

/** One call before anything is written. True: go on. */
async function tried(context: Context, ask: Ask, entry: SetupEntry): Promise<boolean> {
  const { tryModel } = await tools();
  context.io.err(`Asking ${oneLine(entry.model)} for one tool call (a first call loads the model)…\n`);
  const limit = AbortSignal.any([context.interrupt.signal, AbortSignal.timeout(TRIAL_MS)]);
  const { ok, ms, message } = await tryModel(entry, context.io.env, limit);
  const sign = mark(ok ? 'done' : 'failed', context.paint.err);
  context.io.err(`${sign} ${oneLine(entry.model)} ${oneLine(message)} (${(ms / 1000).toFixed(1)} s)\n`);
  return ok || (await ask.yes('Use it all the same?', false)) === true;
}

/** From flags alone. Throws UsageError with what is missing. */
export async function flagSetup(context: Context, values: Values, file: string): Promise<Prepared> {
  const { findServers } = await tools();
  const provider = values.choice('provider', PROVIDERS);
  const key = values.text('key-env');
  const named = values.text('chat-model');
  const judge = values.text('judge-model');
  if (provider) {
    const base_url = values.text('base-url') ?? USUAL[provider];
    const place = { provider, base_url, key_variable: key ?? '' };
    const model = named ?? (await bestOf(context, { ...place, key: key ? (context.io.env[key] ?? '') : '' }));
    return {
      file,
      entries: shared(entryOf('main', place, model), judge ? entryOf('judge', place, judge) : null),
    };
  }
  if (values.text('base-url') !== undefined) throw new UsageError('--base-url needs --provider');
  const servers = await findServers({ env: context.io.env, signal: context.interrupt.signal });
  const local = servers.find(server => server.key_variable === '' && server.models.length > 0);
  if (!local)
    throw new UsageError(
      'no model was found on this machine; name one: loom setup --non-interactive --provider ollama --base-url URL --chat-model NAME',
    );
  const model = named ?? (local.models.find(found => found.fits !== false) ?? local.models[0]!).name;
  return {
    file,
    entries: shared(entryOf('main', local, model), judge ? entryOf('judge', local, judge) : null),
  };
}

async function bestOf(
  context: Context,
  place: { provider: SetupProvider; base_url: string; key: string },
): Promise<string> {
  const { askServer } = await tools();
  const models = await askServer(place, context.interrupt.signal);
  const best = models?.find(model => model.fits !== false) ?? models?.[0];
  if (!best) throw new UsageError(`${place.base_url} lists no model for chat; name one with --chat-model`);
  return best.name;
}
