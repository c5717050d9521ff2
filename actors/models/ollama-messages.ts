/** Messages and tools in the shape of Ollama's own wire. */
import type { Message as OllamaMessage, Tool } from 'ollama';
import { messageText } from './estimate.ts';
import type { Message, Part, ToolSchema } from './model.ts';
import { joinThinking } from './thinking.ts';

/** Ollama wants arguments as an object; what is not one is passed on as it was written. */
export function argumentsObject(text: string): Record<string, unknown> {
  try {
    const value: unknown = JSON.parse(text || '{}');
    if (typeof value === 'object' && value !== null && !Array.isArray(value))
      return value as Record<string, unknown>;
  } catch {}
  return { INVALID_JSON: text };
}

const imagesOf = (content: string | Part[]): string[] =>
  typeof content === 'string' ? [] : content.flatMap(part => (part.type === 'image' ? [part.data] : []));

function one(message: Message): OllamaMessage {
  if (message.role !== 'assistant') {
    const images = imagesOf(message.content);
    const answered =
      message.role === 'tool' ? { tool_name: message.name, tool_call_id: message.tool_call_id } : {};
    return {
      role: message.role,
      content: messageText(message),
      ...(images.length > 0 ? { images } : {}),
      ...answered,
    };
  }
  const { reasoning, tool_calls: calls = [] } = message;
  const inText = reasoning?.format === 'think';
  return {
    role: 'assistant',
    content: inText ? joinThinking(reasoning.text, message.content) : message.content,
    ...(reasoning && !inText && reasoning.format !== 'blocks' ? { thinking: reasoning.text } : {}),
    ...(calls.length > 0
      ? {
          tool_calls: calls.map(call => ({
            id: call.id,
            function: { name: call.name, arguments: argumentsObject(call.arguments) },
          })),
        }
      : {}),
  };
}

export const toOllama = (messages: Message[]): OllamaMessage[] => messages.map(one);

export const toolsForOllama = (tools: ToolSchema[] | undefined): Tool[] =>
  (tools ?? []).map(tool => ({
    type: 'function',
    function: {
      name: tool.name,
      description: tool.description,
      // The SDK's type knows fewer JSON Schema keywords than the server.
      parameters: tool.parameters as NonNullable<Tool['function']['parameters']>,
    },
  }));
