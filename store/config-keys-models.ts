/** The keys of `[models.<alias>]`. */

import { address, allGone, choice, flag, int, num, type Rules, text, under, words } from './config-rules.ts';

export const ROLES = ['planner', 'executor', 'verifier', 'extractor', 'compactor'] as const;
/** `resolver` is a model's own: one that does everything gives no advice to itself. */
const NAMED = [...ROLES, 'resolver'] as const;

export const MODEL_KEYS: Rules = {
  provider: choice(
    'What the server speaks.',
    '',
    'ollama',
    'openai_compatible',
    'openai',
    'anthropic',
    'scripted',
  ),
  base_url: address("Where the server is, with or without /v1; empty means the provider's usual address."),
  model: text('The name the server knows the model by.'),
  api_key: text(
    'The key, or better where it is: "env:NAME". Empty means the usual variable of the provider.',
  ),
  roles: words('What this model does; a single model does everything.', ['executor'], 'roles', NAMED),
  max_tokens: int('Most tokens of one answer.', 8192, 1),
  temperature: num('How freely the model chooses its words.', 0.1, 0, 2),
  context_tokens: int("Size of the model's window in tokens; 0 asks the server.", 0, 0),
  tier: int('1 small, 2 medium, 3 large; 0 infers it from the name.', 0, 0, 3),
  reasoning_effort: text('How hard a reasoning model thinks, in the words of its provider.'),
  price_input: num('USD per million tokens read; unset means unknown, 0 free.', null, 0),
  price_output: num('USD per million tokens written; unset means unknown, 0 free.', null, 0),
  scenario: text('Path of the YAML file a scripted model plays, relative to this file.'),
  ...under('capabilities', {
    vision: flag('The model reads images; unset means Loom finds out.', null),
    tools: flag('The server takes tools natively; unset means Loom finds out.', null),
    thinking: flag('The model thinks before it answers; unset means Loom finds out.', null),
    json_schema: flag('The server can hold answers to a schema; unset means Loom finds out.', null),
    ...allGone('models are given text', {
      native_pdf: flag('The model reads PDF.', null),
      citations: flag('The model cites.', null),
      audio_input: flag('The model hears.', null),
      audio_output: flag('The model speaks.', null),
    }),
  }),
};
