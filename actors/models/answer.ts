/** From what a model answered to calls that can be run, however it wrote them. */

import { fitArguments, fitName, namedArguments, requiredGiven } from '../../tools/calls/fit-call.ts';
import { isObject, parseArguments } from '../../tools/calls/json-repair.ts';
import { newCallId } from './call-id.ts';
import { CUT as TEXT_CUT, type WrittenCall } from './dialects/dialect.ts';
import type { ModelResponse, ToolSchema } from './model.ts';
import { findTextCalls } from './text-calls.ts';
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
const UNNAMED = 'the arguments have no names: write name=value';
const NOT_JSON = 'the arguments are not a JSON object';

const shown = (text: string): string => (text.length > 120 ? `${text.slice(0, 120)}…` : text);

/** One call with its name and arguments fitted to the offered tools. */
function fitCall(
  id: string,
  call: Omit<WrittenCall, 'arguments'>,
  args: Record<string, unknown>,
  repaired: string[],
  tools: ToolSchema[] | null,
): ParsedCall {
  const { name } = call;
  if (!tools && (call.positional || call.unended))
    return { id, name, invalid: call.unended ? TEXT_CUT : UNNAMED };
  if (!tools) return { id, name, arguments: args, repaired };
  const tool = fitName(name, tools);
  if ('refused' in tool) return { id, name, invalid: tool.refused };
  const named = call.positional ? namedArguments(args, call.positional, tool.value) : args;
  if (!named) return { id, name: tool.value.name, invalid: UNNAMED };
  const fitted = fitArguments(named, tool.value, call.plain === true);
  if ('refused' in fitted) return { id, name: tool.value.name, invalid: fitted.refused };
  // The model stopped by itself where its call could end: it is whole when nothing it needs is missing.
  if (call.unended && !requiredGiven(fitted.value, tool.value))
    return { id, name: tool.value.name, invalid: TEXT_CUT };
  const unended = call.unended ? ['unclosed'] : [];
  return {
    id,
    name: tool.value.name,
    arguments: fitted.value,
    repaired: [...new Set([...repaired, ...unended, ...tool.repaired, ...fitted.repaired])],
  };
}

function readArguments(
  id: string,
  call: Omit<WrittenCall, 'arguments'>,
  text: string,
  tools: ToolSchema[] | null,
  cut: boolean,
): ParsedCall {
  const { name, repaired } = call;
  const read = parseArguments(text, { cut });
  if (read) return fitCall(id, call, read.value, [...repaired, ...read.repaired], tools);
  if (cut && parseArguments(text)) return { id, name, invalid: CUT };
  return { id, name, invalid: `${NOT_JSON}: ${shown(text)}` };
}

function readWritten(call: WrittenCall, tools: ToolSchema[] | null, cut: boolean): ParsedCall {
  const id = newCallId();
  if (call.broken || (cut && call.unended)) return { id, name: call.name, invalid: call.broken ?? TEXT_CUT };
  if (call.name === '') return { id, name: '', invalid: 'the call has no name' };
  if (isObject(call.arguments)) return fitCall(id, call, call.arguments, call.repaired, tools);
  const text = typeof call.arguments === 'string' ? call.arguments : JSON.stringify(call.arguments ?? {});
  const doubled = typeof call.arguments === 'string' ? ['double_encoded'] : [];
  return readArguments(id, { ...call, repaired: [...call.repaired, ...doubled] }, text, tools, cut);
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
      readArguments(call.id, { name: call.name, repaired: [] }, call.arguments, tools, cut),
    );
    return { calls, thinking, content: split.content, finish, source: 'wire' };
  }
  const found = findTextCalls(split.content, tools, cut);
  if (!found) return { calls: [], thinking, content: split.content, finish, source: 'wire' };
  const calls = found.calls.map(call => readWritten(call, tools, cut));
  return { calls, thinking, content: found.content, finish, source: 'text' };
}
