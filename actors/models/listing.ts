/** Which models a server has, as it lists them itself. */
import type { Provider } from '../../store/config.ts';
import { baseUrl, modelFetch } from './http.ts';

export interface Listed {
  name: string;
  /** Parameters, in thousand millions; 0: not known. */
  billions: number;
  /** Size of its file; null: not told. */
  bytes: number | null;
}

interface Place {
  provider: Exclude<Provider, 'scripted'>;
  base_url: string;
}

interface ListOptions {
  signal: AbortSignal;
  patience_ms: number;
  key?: string;
}

const billionsOf = (text: string): number => Number(/(\d+(?:\.\d+)?)\s*b\b/i.exec(text)?.[1] ?? 0);

/** Where the list is, and how a key is shown there. */
function request(
  { provider, base_url }: Place,
  key: string | undefined,
): { url: string; headers: Record<string, string> } {
  if (provider === 'ollama')
    return {
      url: `${baseUrl(base_url, '', 'without')}/api/tags`,
      headers: key ? { authorization: `Bearer ${key}` } : {},
    };
  const url = `${baseUrl(base_url, '', 'with')}/models`;
  if (provider === 'anthropic')
    return { url, headers: { 'anthropic-version': '2023-06-01', ...(key ? { 'x-api-key': key } : {}) } };
  return { url, headers: key ? { authorization: `Bearer ${key}` } : {} };
}

/** null when nothing that speaks this wire answers in time, or the key is refused. */
export async function listModels(
  place: Place,
  { signal, patience_ms, key }: ListOptions,
): Promise<Listed[] | null> {
  try {
    const fetch = await modelFetch();
    const { url, headers } = request(place, key);
    const limit = AbortSignal.any([signal, AbortSignal.timeout(patience_ms)]);
    const response = await fetch(url, { signal: limit, headers });
    if (!response.ok) return null;
    const body = (await response.json()) as { models?: unknown; data?: unknown };
    const entries = place.provider === 'ollama' ? body.models : body.data;
    return Array.isArray(entries) ? (entries as Record<string, unknown>[]).flatMap(listed) : null;
  } catch {
    return null;
  }
}

function listed(entry: Record<string, unknown>): Listed[] {
  const name = String(entry['name'] ?? entry['model'] ?? entry['id'] ?? '');
  const details = (entry['details'] ?? {}) as { parameter_size?: string };
  const size = entry['size'];
  const billions = billionsOf(details.parameter_size ?? '') || billionsOf(name);
  return name ? [{ name, billions, bytes: typeof size === 'number' && size > 0 ? size : null }] : [];
}
