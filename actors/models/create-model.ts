/** From a configuration record to a model: one line per provider. */
import type { ModelConfig } from '../../store/config.ts';
import type { Model } from './model.ts';
import { scriptedModel } from './scripted.ts';

/** The model a configuration describes. Opens no connection. */
export function createModel(config: ModelConfig): Model {
  switch (config.provider) {
    case 'scripted':
      return scriptedModel(config);
    default:
      throw new Error(config.provider);
  }
}
