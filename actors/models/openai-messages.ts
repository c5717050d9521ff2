/** Messages and tools in the shape of the OpenAI Chat Completions wire. */
import type {
  ChatCompletionContentPart,
  ChatCompletionMessageParam,
} from 'openai/resources/chat/completions';
import { messageText } from './estimate.ts';
import type { Message, ModelRequest, Part } from './model.ts';
import { joinThinking } from './thinking.ts';

/** omit: the server refuses `reasoning_content` · send: as it came · fill: every assistant message must carry it. */
export type ReasoningField = 'omit' | 'send' | 'fill';

const imagesOf = (content: string | Part[]) =>
  typeof content === 'string' ? [] : content.filter(part => part.type === 'image');

const part = (item: Part): ChatCompletionContentPart =>
  item.type === 'text'
    ? { type: 'text', text: item.text }
    : { type: 'image_url', image_url: { url: `data:${item.media_type};base64,${item.data}` } };

function assistant(
  message: Extract<Message, { role: 'assistant' }>,
  field: ReasoningField,
): ChatCompletionMessageParam {
  const { reasoning, tool_calls: calls = [] } = message;
  const inText = reasoning?.format === 'think';
  const text = inText ? joinThinking(reasoning.text, message.content) : message.content;
  const own = reasoning && !inText && reasoning.format !== 'blocks' ? reasoning.text : undefined;
  const sent = field === 'omit' ? undefined : (own ?? (field === 'fill' ? '' : undefined));
  return {
    role: 'assistant',
    content: text || (calls.length > 0 ? null : ''),
    ...(calls.length > 0
      ? {
          tool_calls: calls.map(call => ({
            id: call.id,
            type: 'function' as const,
            function: { name: call.name, arguments: call.arguments || '{}' },
          })),
        }
      : {}),
    ...(sent === undefined ? {} : { reasoning_content: sent }),
  };
}

/** Tool messages carry text only; their images follow in one user message after the last of them. */
export function toOpenAI(messages: Message[], field: ReasoningField): ChatCompletionMessageParam[] {
  const out: ChatCompletionMessageParam[] = [];
  let images: Part[] = [];
  const flush = () => {
    if (images.length === 0) return;
    out.push({
      role: 'user',
      content: [{ type: 'text', text: 'Images of the tool results above:' }, ...images.map(part)],
    });
    images = [];
  };
  for (const message of messages) {
    if (message.role === 'tool') {
      out.push({ role: 'tool', tool_call_id: message.tool_call_id, content: messageText(message) });
      images.push(...imagesOf(message.content));
      continue;
    }
    flush();
    if (message.role === 'assistant') out.push(assistant(message, field));
    else if (message.role === 'system') out.push({ role: 'system', content: message.content });
    else
      out.push({
        role: 'user',
        content: typeof message.content === 'string' ? message.content : message.content.map(part),
      });
  }
  flush();
  return out;
}

export const toolsForOpenAI = (tools: ModelRequest['tools']) =>
  (tools ?? []).map(tool => ({
    type: 'function' as const,
    function: { name: tool.name, description: tool.description, parameters: tool.parameters },
  }));

/** OpenAI's strict mode takes a schema only when every object is closed and requires all its properties. */
export function fitsStrict(schema: unknown): boolean {
  if (Array.isArray(schema)) return schema.every(fitsStrict);
  if (typeof schema !== 'object' || schema === null) return true;
  const { type, properties, required, additionalProperties } = schema as Record<string, unknown>;
  if (type === 'object' || properties) {
    const names = Object.keys((properties as object | undefined) ?? {});
    const needed = Array.isArray(required) ? required : [];
    if (additionalProperties !== false || !names.every(name => needed.includes(name))) return false;
  }
  return Object.values(schema).every(fitsStrict);
}
