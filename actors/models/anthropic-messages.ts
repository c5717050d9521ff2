/** Messages and tools in the shape of Anthropic's Messages wire. */
import type {
  ContentBlockParam,
  ImageBlockParam,
  MessageParam,
  TextBlockParam,
  Tool,
  ToolResultBlockParam,
} from '@anthropic-ai/sdk/resources/messages';
import type { Message, Part, ToolSchema } from './model.ts';
import { argumentsObject } from './ollama-messages.ts';

type TextOrImage = TextBlockParam | ImageBlockParam;

const CACHED = { cache_control: { type: 'ephemeral' as const } };

function parts(content: string | Part[]): TextOrImage[] {
  const list: Part[] = typeof content === 'string' ? [{ type: 'text', text: content }] : content;
  return list.flatMap((part): TextOrImage[] => {
    // Empty text blocks are refused.
    if (part.type === 'text') return part.text ? [{ type: 'text', text: part.text }] : [];
    const media_type = part.media_type as 'image/png';
    return [{ type: 'image', source: { type: 'base64', media_type, data: part.data } }];
  });
}

function blocksOf(message: Exclude<Message, { role: 'system' }>): ContentBlockParam[] {
  if (message.role === 'user') return parts(message.content);
  if (message.role === 'tool') {
    const content = parts(message.content);
    const result: ToolResultBlockParam = { type: 'tool_result', tool_use_id: message.tool_call_id };
    return [content.length > 0 ? { ...result, content } : result];
  }
  // Signed blocks go back exactly as they came; reasoning of other servers has no signature and stays home.
  const thought = message.reasoning?.format === 'blocks' ? (message.reasoning.blocks ?? []) : [];
  return [
    ...(thought as ContentBlockParam[]),
    ...parts(message.content),
    ...(message.tool_calls ?? []).map(call => ({
      type: 'tool_use' as const,
      id: call.id,
      name: call.name,
      input: argumentsObject(call.arguments),
    })),
  ];
}

/** All system messages, wherever they stand, in order; the end of the block is a place to cache up to. */
export function systemOf(messages: Message[]): TextBlockParam[] {
  const texts = messages.flatMap(message =>
    message.role === 'system' && message.content ? [message.content] : [],
  );
  return texts.length > 0 ? [{ type: 'text', text: texts.join('\n\n'), ...CACHED }] : [];
}

/** Everything but system messages; neighbours of one side become one message, tool results first. */
export function toAnthropic(messages: Message[]): MessageParam[] {
  const out: { role: 'user' | 'assistant'; content: ContentBlockParam[] }[] = [];
  for (const message of messages) {
    if (message.role === 'system') continue;
    const role = message.role === 'assistant' ? 'assistant' : 'user';
    const blocks = blocksOf(message);
    if (blocks.length === 0) continue;
    const last = out.at(-1);
    if (last?.role === role) last.content.push(...blocks);
    else out.push({ role, content: blocks });
  }
  for (const message of out)
    if (message.role === 'user')
      message.content.sort((a, b) => Number(b.type === 'tool_result') - Number(a.type === 'tool_result'));
  if (out[0]?.role !== 'user') out.unshift({ role: 'user', content: [{ type: 'text', text: 'Begin.' }] });
  const end = out.at(-1);
  const tail = end?.role === 'user' ? end.content.at(-1) : undefined;
  if (tail && (tail.type === 'text' || tail.type === 'tool_result' || tail.type === 'image'))
    Object.assign(tail, CACHED);
  return out;
}

export const toolsForAnthropic = (tools: ToolSchema[] | undefined): Tool[] =>
  (tools ?? []).map(tool => ({
    name: tool.name,
    description: tool.description,
    input_schema: tool.parameters as Tool['input_schema'],
  }));
