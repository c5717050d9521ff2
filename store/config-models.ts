/** `[models.<alias>]`: roles, addresses and where the key comes from. */

import { LoomError } from '../machines/failure.ts';
import type { ConfigRole, ModelConfig, Provider } from './config.ts';
import { MODEL_KEYS, ROLES } from './config-keys-models.ts';

export type Environment = Record<string, string | undefined>;

const CAPABILITIES = ['vision', 'tools', 'thinking', 'json_schema'] as const;

/** @param resolvePath makes a scenario's path absolute, relative to the file it stands in
 *  @throws LoomError `auth` when a named environment variable is not set */
export function modelFrom(
  alias: string,
  values: Map<string, unknown>,
  env: Environment,
  resolvePath: (path: string) => string,
): ModelConfig {
  const value = <T>(key: string): T => (values.has(key) ? values.get(key) : MODEL_KEYS[key]!.fallback) as T;
  const named = value<string>('provider');
  const provider: Provider = named === 'openai' ? 'openai_compatible' : (named as Provider);
  const base_url = value<string>('base_url');
  const roles = value<string | ConfigRole[]>('roles');
  const scenario = value<string>('scenario');
  const set = CAPABILITIES.filter(name => values.has(`capabilities.${name}`));
  return {
    alias,
    provider,
    base_url,
    model: value('model'),
    ...secretOf(alias, value('api_key'), provider, base_url, env),
    roles: [...new Set(typeof roles === 'string' ? [roles as ConfigRole] : roles)],
    max_tokens: value('max_tokens'),
    temperature: value('temperature'),
    context_tokens: value('context_tokens'),
    tier: value('tier'),
    reasoning_effort: value('reasoning_effort'),
    capabilities: Object.fromEntries(set.map(name => [name, values.get(`capabilities.${name}`) as boolean])),
    price_input: value('price_input'),
    price_output: value('price_output'),
    scenario: scenario === '' ? '' : resolvePath(scenario),
  };
}

/** What a model section lacks, in words that begin with the key; '' when nothing.
 *  @param wrong whether a key is there with a wrong value, which is told already */
export function lacking(values: Map<string, unknown>, wrong: (key: string) => boolean): string {
  const provider = values.get('provider');
  if (wrong('provider') || wrong('model') || wrong('scenario')) return '';
  if (provider === undefined) return `provider is missing; it must be ${MODEL_KEYS['provider']!.wanted}`;
  if (provider === 'scripted')
    return values.get('scenario') ? '' : 'scenario is missing; give the path of a YAML file';
  if (provider === 'openai_compatible' || provider === 'openai') return '';
  return values.get('model') ? '' : 'model is missing; give the name the server knows it by';
}

function secretOf(
  alias: string,
  written: string,
  provider: Provider,
  base_url: string,
  env: Environment,
): Pick<ModelConfig, 'api_key' | 'api_key_source'> {
  const name = /^env:(.*)$/.exec(written)?.[1] ?? /^\$\{(.*)\}$/.exec(written)?.[1];
  if (name !== undefined) {
    const secret = env[name];
    if (secret) return { api_key: secret, api_key_source: `env:${name}` };
    throw new LoomError(
      'terminal',
      'auth',
      `Model ${alias} takes its key from the environment variable ${name}, which is not set. Set it, or change models.${alias}.api_key.`,
      { variable: name, alias },
    );
  }
  // The place, not the words: this is stored with every run and shown in messages.
  if (written !== '') return { api_key: written, api_key_source: `models.${alias}.api_key` };
  const usual = usualVariable(provider, base_url);
  const secret = usual === null ? undefined : env[usual];
  return secret ? { api_key: secret, api_key_source: `env:${usual}` } : { api_key: '', api_key_source: '' };
}

/** OpenAI's key goes to OpenAI alone: many other servers speak its protocol, and none of them should receive it. */
function usualVariable(provider: Provider, base_url: string): string | null {
  if (provider === 'anthropic') return 'ANTHROPIC_API_KEY';
  if (provider !== 'openai_compatible') return null;
  return base_url === '' || hostOf(base_url) === 'api.openai.com' ? 'OPENAI_API_KEY' : null;
}

function hostOf(address: string): string {
  try {
    return new URL(address).hostname;
  } catch {
    return '';
  }
}

/** A single model plays every part. */
export function fillRoles(models: Record<string, ModelConfig>): Record<string, ModelConfig> {
  const [only, ...others] = Object.values(models);
  return only && others.length === 0 ? { [only.alias]: { ...only, roles: [...ROLES] } } : models;
}
