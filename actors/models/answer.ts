/** From what a model answered to calls that can be run, however it wrote them. */

import { newCallId } from './call-id.ts';
import { fitArguments, fitName } from './fit-call.ts';
import { isObject, parseArguments } from './json-repair.ts';
import type { ModelResponse, ToolSchema } from './model.ts';
import { findTextCalls, type WrittenCall } from './text-calls.ts';
import { splitThinking } from './thinking.ts';

export type ParsedCall =
  | {
      id: string;
      name: string;
      arguments: Record<string, unknown>;
      /** What was mended, a word each; empty when the call was right as it came. */
      repaired: string[];
    }
  | { id: string; name: string; invalid: string };

export interface Answer {
  calls: ParsedCall[];
  thinking: string;
  /** The answer's text without think blocks and without text calls. */
  content: string;
  finish: ModelResponse['finish'];
  /** Where the calls stood: in their own field of the wire, or in the text. */
  source: 'wire' | 'text';
}

const CUT =
  'the answer was cut off at its length limit inside these arguments; send the call again with less in it, or in several parts';
const NOT_JSON = 'the arguments are not a JSON object';

const shown = (text: string): string => (text.length > 120 ? `${text.slice(0, 120)}…` : text);

/** One call with its name and arguments fitted to the offered tools. */
function fitCall(
  id: string,
  name: string,
  args: Record<string, unknown>,
  repaired: string[],
  tools: ToolSchema[] | null,
): ParsedCall {
  if (!tools) return { id, name, arguments: args, repaired };
  const tool = fitName(name, tools);
  if ('refused' in tool) return { id, name, invalid: tool.refused };
  const fitted = fitArguments(args, tool.value);
  if ('refused' in fitted) return { id, name: tool.value.name, invalid: fitted.refused };
  return {
    id,
    name: tool.value.name,
    arguments: fitted.value,
    repaired: [...new Set([...repaired, ...tool.repaired, ...fitted.repaired])],
  };
}

function readArguments(
  id: string,
  name: string,
  text: string,
  repaired: string[],
  tools: ToolSchema[] | null,
  cut: boolean,
): ParsedCall {
  const read = parseArguments(text, { cut });
  if (read) return fitCall(id, name, read.value, [...repaired, ...read.repaired], tools);
  if (cut && parseArguments(text)) return { id, name, invalid: CUT };
  return { id, name, invalid: `${NOT_JSON}: ${shown(text)}` };
}

function readWritten(call: WrittenCall, tools: ToolSchema[] | null, cut: boolean): ParsedCall {
  const id = newCallId();
  if (call.broken) return { id, name: call.name, invalid: call.broken };
  if (isObject(call.arguments)) return fitCall(id, call.name, call.arguments, call.repaired, tools);
  const text = typeof call.arguments === 'string' ? call.arguments : JSON.stringify(call.arguments ?? {});
  const doubled = typeof call.arguments === 'string' ? ['double_encoded'] : [];
  return readArguments(id, call.name, text, [...call.repaired, ...doubled], tools, cut);
}

/** Reads an answer. `tools`: those offered; null accepts any name. With `finish: 'length'` nothing unclosed is accepted. */
export function readAnswer(
  response: Pick<ModelResponse, 'content' | 'tool_calls' | 'finish' | 'reasoning'>,
  tools: ToolSchema[] | null,
): Answer {
  const split = splitThinking(response.content);
  const thinking = [response.reasoning?.text ?? '', split.thinking].filter(Boolean).join('\n\n');
  const { finish } = response;
  const cut = finish === 'length';
  if (response.tool_calls.length > 0) {
    const calls = response.tool_calls.map(call =>
      readArguments(call.id, call.name, call.arguments, [], tools, cut),
    );
    return { calls, thinking, content: split.content, finish, source: 'wire' };
  }
  const found = findTextCalls(split.content, tools, cut);
  if (!found) return { calls: [], thinking, content: split.content, finish, source: 'wire' };
  const calls = found.calls.map(call => readWritten(call, tools, cut));
  return { calls, thinking, content: found.content, finish, source: 'text' };
}
