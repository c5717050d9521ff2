/** A complete model record with harmless defaults. */
import type { ModelConfig } from '../../store/config.ts';

export const modelConfig = (overrides: Partial<ModelConfig> = {}): ModelConfig => ({
  alias: 'main',
  provider: 'scripted',
  base_url: '',
  model: 'fake-model',
  api_key: '',
  api_key_source: '',
  roles: ['planner', 'executor', 'verifier', 'extractor', 'compactor'],
  max_tokens: 1024,
  temperature: 0,
  context_tokens: 0,
  tier: 0,
  reasoning_effort: '',
  capabilities: {},
  price_input: null,
  price_output: null,
  scenario: '',
  ...overrides,
});
