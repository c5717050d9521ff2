/** How large a model's window is, from what a server lists or, for the clouds' own models, from its name. */

const FIELDS = [
  'max_model_len',
  'loaded_context_length',
  'context_length',
  'context_window',
  'max_context_length',
  'max_input_tokens',
  'n_ctx',
];

const BY_NAME: [RegExp, number][] = [
  [/^(openai\/)?gpt-5/i, 272_000],
  [/^(openai\/)?gpt-4\.1/i, 1_000_000],
  [/^(openai\/)?(gpt-4o|gpt-4-turbo|chatgpt)/i, 128_000],
  [/^(openai\/)?o[134]/i, 200_000],
  [/claude/i, 200_000],
  [/gemini/i, 1_000_000],
  [/^deepseek-(chat|reasoner)/i, 128_000],
];

const size = (value: unknown): number | undefined =>
  typeof value === 'number' && value > 0 ? Math.floor(value) : undefined;

/** The window of one model in a listing of `/models`; undefined when nothing is known. */
export function windowOfListing(list: Record<string, unknown>[], model: string): number | undefined {
  const entry =
    list.find(candidate => candidate['id'] === model) ?? (list.length === 1 ? list[0] : undefined);
  const meta = (entry?.['meta'] ?? {}) as Record<string, unknown>;
  for (const source of [entry ?? {}, meta])
    for (const field of FIELDS) {
      const found = size(source[field]);
      if (found) return found;
    }
  return BY_NAME.find(([name]) => name.test(model))?.[1];
}
