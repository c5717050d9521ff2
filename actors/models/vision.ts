/** Which models read images, and requests for those that do not. */
import type { ModelConfig } from '../../store/config.ts';
import type { Message, ModelRequest } from './model.ts';

/** Families whose models take images, by the names that servers give them. */
const SEEING =
  /claude|gpt-4o|gpt-4\.1|gpt-5|^o[34]\b|gemini|gemma-?3|llava|bakllava|moondream|minicpm-v|pixtral|mistral-small-?3\.|internvl|llama-?3\.2-vision|llama-?4|(^|[-_/:.])(vl|vision|omni)([-_/:.]|$)|qwen[\d.]*-?(vl|omni)|granite[\d.]*-vision|phi-?[\d.]*-(vision|multimodal)/i;
const BLIND = /embed|codex-mini|claude-(2|instant)/i;

/** As `capabilities.vision` says; by its name where that is not set. */
export const seesImages = ({ capabilities, model }: Pick<ModelConfig, 'capabilities' | 'model'>): boolean =>
  capabilities.vision ?? (SEEING.test(model) && !BLIND.test(model));

const blind = (message: Message): Message => {
  if (typeof message.content === 'string' || message.role === 'assistant' || message.role === 'system')
    return message;
  const text = message.content.map(part =>
    part.type === 'text' ? part.text : '[an image, which this model cannot see]',
  );
  return { ...message, content: text.join('\n') };
};

/** The same request with words in the place of images. */
export const withoutImages = (request: ModelRequest): ModelRequest => ({
  ...request,
  messages: request.messages.map(blind),
});
