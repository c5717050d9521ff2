/** For models whose server refuses `tools`: schemas in the system message, calls and results as tagged text. */
import { messageText } from './estimate.ts';
import type { Message, ModelRequest, Part, ToolCall, ToolSchema } from './model.ts';

function instructions(tools: ToolSchema[]): string {
  const list = tools.map(({ name, description, parameters }) =>
    JSON.stringify({ name, description, parameters }),
  );
  return [
    '# Tools',
    'These tools are yours to call. Each line describes one, with the JSON Schema of its arguments.',
    `<tools>\n${list.join('\n')}\n</tools>`,
    'A call is one block of exactly this form, with valid JSON inside; write one block per call and nothing after the last:',
    '<tool_call>\n{"name": "tool_name", "arguments": {"parameter": "value"}}\n</tool_call>',
    'What a tool answers comes back inside <tool_response>. Never write a <tool_response> yourself. An answer without <tool_call> ends your work.',
  ].join('\n\n');
}

function callText(call: ToolCall): string {
  const args = call.arguments.trim() || '{}';
  return `<tool_call>\n{"name": ${JSON.stringify(call.name)}, "arguments": ${args}}\n</tool_call>`;
}

const resultText = (message: Extract<Message, { role: 'tool' }>): string =>
  `<tool_response>\n${JSON.stringify({ name: message.name, content: messageText(message) })}\n</tool_response>`;

const imagesOf = (content: string | Part[]): Part[] =>
  typeof content === 'string' ? [] : content.filter(part => part.type === 'image');

/** The same request without `tools`, for a server that refuses them. */
export function withToolsInPrompt(request: ModelRequest): ModelRequest {
  const { tools = [], messages, ...rest } = request;
  const out: Message[] = [];
  let previous: Message['role'] | null = null;
  for (const message of messages) {
    if (message.role === 'tool') {
      const text = resultText(message);
      const images = imagesOf(message.content);
      const last = out.at(-1);
      // Results of one answer stay together: templates want users and assistants to alternate.
      if (
        previous === 'tool' &&
        last?.role === 'user' &&
        typeof last.content === 'string' &&
        images.length === 0
      )
        out[out.length - 1] = { role: 'user', content: `${last.content}\n${text}` };
      else
        out.push({
          role: 'user',
          content: images.length > 0 ? [{ type: 'text', text }, ...images] : text,
        });
    } else if (message.role === 'assistant') {
      const { tool_calls: calls = [], content, ...other } = message;
      out.push({ ...other, content: [content, ...calls.map(callText)].filter(Boolean).join('\n') });
    } else out.push(message);
    previous = message.role;
  }
  if (tools.length === 0) return { ...rest, messages: out };
  const text = instructions(tools);
  const first = out.findIndex(message => message.role === 'system');
  const system = out[first];
  if (system?.role === 'system') out[first] = { role: 'system', content: `${system.content}\n\n${text}` };
  else out.unshift({ role: 'system', content: text });
  return { ...rest, messages: out };
}
