/** Setting Loom up: which models are there, whether they fit this machine and can call a tool, and writing loom.toml.
 *  Works with any loom.toml, also a broken one: it is what repairs it. */
import { chmod, mkdir, readFile, rename, writeFile } from 'node:fs/promises';
import { totalmem } from 'node:os';
import { dirname } from 'node:path';
import { stringify } from 'smol-toml';
import type { ConfigRole, ModelConfig } from '../store/config.ts';
import { createModel } from './models/create-model.ts';
import { localServers, modelRecord, suited } from './models/detect.ts';
import { type Listed, listModels } from './models/listing.ts';

export type SetupProvider = 'ollama' | 'openai_compatible' | 'anthropic';

export interface SetupModel extends Listed {
  /** Whether its weights and a window fit this machine's memory; null where that cannot be said. */
  fits: boolean | null;
}

export interface SetupServer {
  /** For a person. */
  name: string;
  provider: SetupProvider;
  base_url: string;
  /** Variable that holds the key; '' where none is needed. */
  key_variable: string;
  /** For chat only, the most suitable first. */
  models: SetupModel[];
}

/** What loom.toml will say of a model. */
export interface SetupEntry {
  alias: string;
  provider: SetupProvider;
  base_url: string;
  model: string;
  /** `env:NAME`, or '' where none is needed. A literal key is written as it is. */
  api_key: string;
  roles: ConfigRole[];
}

export interface Trial {
  ok: boolean;
  ms: number;
  /** In words, for a person. */
  message: string;
}

const LOCAL_MS = 1_000;
const REMOTE_MS = 8_000;
/** Weights take their file's size, the window and the rest of the machine about this much more. */
const ROOM = 1.25;
/** Bytes of a thousand million parameters at the usual four bits, with their scales. */
const BYTES_PER_BILLION = 0.6e9;

/** @param memory bytes of the machine */
function fits({ bytes, billions }: Listed, memory: number): boolean | null {
  const size = bytes ?? billions * BYTES_PER_BILLION;
  return size > 0 ? size * ROOM < memory : null;
}

const server = (found: Omit<SetupServer, 'models'>, models: Listed[], memory: number): SetupServer => ({
  ...found,
  models: suited(models).map(model => ({
    ...model,
    fits: found.key_variable === '' ? fits(model, memory) : null,
  })),
});

/** Every server of this machine that answers, and every cloud provider whose key is set. A cloud is asked for its models
 *  only with `ask_clouds`: the request shows the key to it. */
export async function findServers(options: {
  env: NodeJS.ProcessEnv;
  signal: AbortSignal;
  ask_clouds?: boolean;
  memory?: number;
}): Promise<SetupServer[]> {
  const { env, signal, memory = totalmem() } = options;
  const local = localServers(env).map(async place => {
    const models = await listModels(place, { signal, patience_ms: LOCAL_MS });
    return models ? [server({ ...place, key_variable: '' }, models, memory)] : [];
  });
  const clouds = cloudPlaces(env).map(async place => {
    const key = env[place.key_variable] ?? '';
    const models = options.ask_clouds ? await listModels(place, { signal, patience_ms: REMOTE_MS, key }) : [];
    return [server(place, models ?? [], memory)];
  });
  return (await Promise.all([...local, ...clouds])).flat();
}

function cloudPlaces(env: NodeJS.ProcessEnv): Omit<SetupServer, 'models'>[] {
  const places: Omit<SetupServer, 'models'>[] = [
    {
      name: 'Anthropic',
      provider: 'anthropic',
      base_url: env['ANTHROPIC_BASE_URL'] ?? 'https://api.anthropic.com',
      key_variable: 'ANTHROPIC_API_KEY',
    },
    {
      name: 'OpenAI',
      provider: 'openai_compatible',
      base_url: env['OPENAI_BASE_URL'] ?? 'https://api.openai.com/v1',
      key_variable: 'OPENAI_API_KEY',
    },
  ];
  return places.filter(place => (env[place.key_variable] ?? '').trim() !== '');
}

/** The models of one server that a person named. null: nothing that speaks this wire answers there. */
export async function askServer(
  place: { provider: SetupProvider; base_url: string; key?: string },
  signal: AbortSignal,
): Promise<SetupModel[] | null> {
  const { key, ...where } = place;
  const models = await listModels(where, { signal, patience_ms: REMOTE_MS, ...(key ? { key } : {}) });
  return models && server({ ...where, name: '', key_variable: '' }, models, totalmem()).models;
}

/** One real call: can the model answer, and does it call a tool when it is told to? */
export async function tryModel(
  entry: SetupEntry,
  env: NodeJS.ProcessEnv,
  signal: AbortSignal,
): Promise<Trial> {
  const started = performance.now();
  const done = (ok: boolean, message: string): Trial => ({
    ok,
    ms: Math.round(performance.now() - started),
    message,
  });
  try {
    const response = await createModel(configOf(entry, env)).complete(
      {
        messages: [
          { role: 'system', content: '# Loom session\nYou call tools.' },
          { role: 'user', content: 'Call the tool report_ready once, with ready set to true.' },
        ],
        tools: [
          {
            name: 'report_ready',
            description: 'Says that you are ready.',
            parameters: {
              type: 'object',
              properties: { ready: { type: 'boolean' } },
              required: ['ready'],
              additionalProperties: false,
            },
          },
        ],
        max_tokens: 1024,
        stream: true,
      },
      { signal },
    );
    if (response.tool_calls.some(call => call.name === 'report_ready'))
      return done(true, 'answers, and calls tools');
    return done(true, 'answers, but called no tool when it was told to; expect it to need more attempts');
  } catch (error) {
    return done(false, error instanceof Error ? error.message : String(error));
  }
}

function configOf(
  { alias, provider, base_url, model, api_key, roles }: SetupEntry,
  env: NodeJS.ProcessEnv,
): ModelConfig {
  const variable = /^env:(.+)$/.exec(api_key)?.[1];
  return {
    ...modelRecord({ alias, provider, base_url, model }),
    api_key: variable ? (env[variable] ?? '') : api_key,
    api_key_source: variable ? api_key : 'loom.toml',
    roles,
    max_tokens: 1024,
  };
}

const MODEL_TABLE = /^\s*\[\[?\s*models\s*[.\]]/;
const ANY_TABLE = /^\s*\[/;

/** The text without its tables of models; everything else, comments included, stays as it is. */
export function withoutModels(text: string): string {
  let inside = false;
  const kept = text.split('\n').filter(line => {
    if (ANY_TABLE.test(line)) inside = MODEL_TABLE.test(line);
    return !inside;
  });
  return kept.join('\n').trim();
}

/** Writes the models into `file` (0600); what else stands there is kept. The file before stays beside it as `.bak`. */
export async function writeModels(file: string, entries: SetupEntry[]): Promise<{ backup: string | null }> {
  const before = await readFile(file, 'utf8').catch(() => null);
  const models = Object.fromEntries(
    entries.map(({ alias, api_key, ...rest }) => [alias, api_key === '' ? rest : { ...rest, api_key }]),
  );
  const kept = before === null ? '' : withoutModels(before);
  const tables = stringify({ models }).trim();
  // at the end: keys that stand before the first table would become the last model's
  const text = `${kept === '' ? '' : `${kept}\n\n`}${tables}\n`;
  await mkdir(dirname(file), { recursive: true, mode: 0o700 });
  const backup = before === null ? null : `${file}.bak`;
  if (backup && before !== null) await writeFile(backup, before, { mode: 0o600 });
  const temporary = `${file}.${process.pid}.tmp`;
  await writeFile(temporary, text, { mode: 0o600 });
  await chmod(temporary, 0o600);
  await rename(temporary, file);
  return { backup };
}
