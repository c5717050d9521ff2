/** From a configuration record to a model: one line per provider. */
import type { ModelConfig } from '../../store/config.ts';
import { anthropicModel } from './anthropic.ts';
import type { Model } from './model.ts';
import { ollamaModel } from './ollama.ts';
import { openaiModel } from './openai.ts';
import { scriptedModel } from './scripted.ts';

/** The model a configuration describes. Opens no connection and loads no SDK. */
export function createModel(config: ModelConfig): Model {
  switch (config.provider) {
    case 'ollama':
      return ollamaModel(config);
    case 'openai_compatible':
      return openaiModel(config);
    case 'anthropic':
      return anthropicModel(config);
    case 'scripted':
      return scriptedModel(config);
  }
}
