/** Where Ollama listens, from what its users put into the environment. */

/** `OLLAMA_HOST` as Ollama reads it: `host`, `host:port`, `:port` or a URL; `0.0.0.0` and `::` mean this machine. */
export function ollamaAddress(value: string | undefined): string {
  const text = (value ?? '').trim().replace(/^["']|["']$/g, '');
  if (!text) return 'http://127.0.0.1:11434';
  const [, scheme = 'http', rest = ''] = /^(?:(https?):\/\/)?(.*)$/i.exec(text) ?? [];
  const [authority = ''] = rest.split('/');
  const bare = /^(\[[^\]]*\]|[^:]*)(?::(\d+))?$/.exec(authority);
  const usual = /:\/\//.test(text) ? (scheme.toLowerCase() === 'https' ? '443' : '80') : '11434';
  const host = bare?.[1] || '127.0.0.1';
  const local = host === '0.0.0.0' || host === '[::]' || authority === '::';
  return `${scheme.toLowerCase()}://${local ? '127.0.0.1' : host}:${bare?.[2] ?? usual}`;
}
