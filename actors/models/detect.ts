/** Finds a model to work with when nothing is configured: servers on this machine first, and nothing else unasked. */
import type { ConfigRole, ModelConfig, Provider } from '../../store/config.ts';
import { type Listed, listModels } from './listing.ts';
import { ollamaAddress } from './ollama-address.ts';

/** A server that may run on this machine. */
export interface LocalServer {
  name: string;
  provider: Extract<Provider, 'ollama' | 'openai_compatible'>;
  base_url: string;
}

export interface Detection {
  /** At most one, with all roles; empty when nothing was found. */
  models: ModelConfig[];
  /** What a key in the environment would allow; used only when the caller chooses to. */
  cloud: ModelConfig[];
  /** What was found, for a person. */
  lines: string[];
}

const PROBE_MS = 400;
const ROLES: ConfigRole[] = ['planner', 'executor', 'verifier', 'extractor', 'compactor'];
const NOT_FOR_CHAT = /embed|bge-|minilm|\be5-|gte-|rerank|whisper|tts|clip|stable-diffusion|flux|guard/i;

/** Where servers usually listen, in the order in which they are preferred. */
export const localServers = (env: NodeJS.ProcessEnv): LocalServer[] => [
  { name: 'Ollama', provider: 'ollama', base_url: ollamaAddress(env['OLLAMA_HOST']) },
  { name: 'LM Studio', provider: 'openai_compatible', base_url: 'http://127.0.0.1:1234' },
  { name: 'vLLM', provider: 'openai_compatible', base_url: 'http://127.0.0.1:8000' },
  { name: 'llama.cpp', provider: 'openai_compatible', base_url: 'http://127.0.0.1:8080' },
  { name: 'text-generation-webui', provider: 'openai_compatible', base_url: 'http://127.0.0.1:5000' },
];

/** How well a model suits an agent, by its name: instruction-tuned and coding models first, then the larger one. */
function worth({ name, billions }: Listed): number {
  const tuned = /coder|code|devstral/i.test(name) ? 300 : /instruct|chat|-it\b/i.test(name) ? 200 : 0;
  const family = /qwen|gpt-oss|llama-?3|mistral|granite|glm|command-r|gemma-?[34]/i.test(name) ? 100 : 0;
  // Above this size a model answers too slowly on most machines to be the unasked choice.
  return tuned + family + (billions > 80 ? 0 : billions);
}

/** Those that are for chat, the one that suits an agent best first. */
export const suited = <T extends Listed>(models: T[]): T[] =>
  models
    .filter(model => !NOT_FOR_CHAT.test(model.name))
    .sort((a, b) => worth(b) - worth(a) || a.name.localeCompare(b.name));

/** The model to use of those a server has; null when none is for chat. */
export function pickModel(models: Listed[]): string | null {
  return suited(models)[0]?.name ?? null;
}

export const modelRecord = (
  rest: Pick<ModelConfig, 'alias' | 'provider' | 'base_url' | 'model'>,
): ModelConfig => ({
  api_key: '',
  api_key_source: '',
  roles: ROLES,
  max_tokens: 8192,
  temperature: 0.1,
  context_tokens: 0,
  tier: 0,
  reasoning_effort: '',
  capabilities: {},
  price_input: null,
  price_output: null,
  scenario: '',
  ...rest,
});

function cloudModels(env: NodeJS.ProcessEnv): ModelConfig[] {
  const candidates: [string, Pick<ModelConfig, 'alias' | 'provider' | 'base_url' | 'model'>][] = [
    [
      'ANTHROPIC_API_KEY',
      {
        alias: 'anthropic',
        provider: 'anthropic',
        base_url: env['ANTHROPIC_BASE_URL'] ?? 'https://api.anthropic.com',
        model: env['ANTHROPIC_MODEL'] ?? 'claude-sonnet-5-5',
      },
    ],
    [
      'OPENAI_API_KEY',
      {
        alias: 'openai',
        provider: 'openai_compatible',
        base_url: env['OPENAI_BASE_URL'] ?? 'https://api.openai.com/v1',
        model: env['OPENAI_MODEL'] ?? 'gpt-5.4',
      },
    ],
  ];
  return candidates.flatMap(([name, rest]) => {
    const api_key = env[name]?.trim() ?? '';
    return api_key ? [{ ...modelRecord(rest), api_key, api_key_source: `env:${name}` }] : [];
  });
}

const count = (n: number): string => `${n} model${n === 1 ? '' : 's'}`;

/** Asks every server at once, each for at most 400 ms, and takes the first in order that has a usable model. */
export async function detectModels(options: {
  env: NodeJS.ProcessEnv;
  signal: AbortSignal;
  servers?: LocalServer[];
}): Promise<Detection> {
  const { env, signal, servers = localServers(env) } = options;
  const found = await Promise.all(
    servers.map(server => listModels(server, { signal, patience_ms: PROBE_MS })),
  );
  const lines: string[] = [];
  let chosen: ModelConfig | null = null;
  for (const [i, server] of servers.entries()) {
    const models = found[i];
    if (!models) continue;
    const model = pickModel(models);
    const where = `${server.name} at ${server.base_url}`;
    if (!model) {
      const next = server.provider === 'ollama' ? 'run `ollama pull qwen2.5-coder:7b`' : 'load one there';
      lines.push(`found ${where}, but no chat model in it: ${next}`);
    } else if (chosen) lines.push(`also found ${where} with ${count(models.length)}`);
    else {
      lines.push(`found ${where} with ${count(models.length)}; using ${model} for every role`);
      const { provider, base_url } = server;
      chosen = modelRecord({ alias: 'local', provider, base_url, model });
    }
  }
  const cloud = cloudModels(env);
  if (!chosen) {
    const places = servers.map(server => `${server.name} ${server.base_url}`).join(', ');
    if (lines.length === 0) lines.push(`no model server found on this machine (looked for ${places})`);
    for (const { api_key_source, model, base_url } of cloud)
      lines.push(`${api_key_source.slice(4)} is set: ${model} at ${base_url} can be used`);
    if (cloud.length === 0) lines.push('start Ollama, or add [models.main] to loom.toml');
  }
  return { models: chosen ? [chosen] : [], cloud, lines };
}
