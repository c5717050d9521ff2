/** Sizes without a tokenizer: near enough to budget a request and to notice a prompt that was cut. */
import type { Message, ModelRequest } from './model.ts';

/** An image costs about this many tokens on the models that take images. */
const IMAGE_TOKENS = 1_000;
/** Role marks and separators of one message. */
const MESSAGE_TOKENS = 4;

/** From here on (CJK and beyond) a character is about a token of its own. */
const WIDE = 0x2e80;

/** Tokens of a text: about four ASCII characters to one, two of other alphabets, one CJK character. */
export function estimateTokens(text: string): number {
  let other = 0;
  let wide = 0;
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i);
    if (code >= WIDE) wide++;
    else if (code > 0x7f) other++;
  }
  return Math.ceil((text.length - other - wide) / 4 + other / 2 + wide);
}

function messageTokens(message: Message): number {
  let tokens = MESSAGE_TOKENS;
  if (typeof message.content === 'string') tokens += estimateTokens(message.content);
  else
    for (const part of message.content)
      tokens += part.type === 'text' ? estimateTokens(part.text) : IMAGE_TOKENS;
  if (message.role !== 'assistant') return tokens;
  for (const call of message.tool_calls ?? []) tokens += estimateTokens(call.name + call.arguments) + 4;
  return tokens + estimateTokens(message.reasoning?.text ?? '');
}

/** Tool schemas stay the same for a whole run. */
const toolTokens = new WeakMap<readonly object[], number>();

function tokensOfTools(tools: NonNullable<ModelRequest['tools']>): number {
  const known = toolTokens.get(tools);
  if (known !== undefined) return known;
  const tokens = tools.length > 0 ? estimateTokens(JSON.stringify(tools)) : 0;
  toolTokens.set(tools, tokens);
  return tokens;
}

/** Tokens of a whole request: messages and tool schemas. */
export function estimateRequest(request: Pick<ModelRequest, 'messages' | 'tools'>): number {
  const tools = request.tools ? tokensOfTools(request.tools) : 0;
  return request.messages.reduce((sum, message) => sum + messageTokens(message), tools);
}

/** The text of a message, images left out. */
export function messageText(message: Pick<Message, 'content'>): string {
  if (typeof message.content === 'string') return message.content;
  return message.content.map(part => (part.type === 'text' ? part.text : '')).join('');
}
