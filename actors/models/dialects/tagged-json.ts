/** JSON between a pair of marks: Hermes and Qwen (`<tool_call>`), Granite and Phi-4 (`<|tool_call|>`), Jamba and MiniMax-M1
 *  (`<tool_calls>`), Nemotron (`<TOOLCALL>`), InternLM (`<|action_start|>`), Apertus (`<|tools_prefix|>`), Cohere (`<|START_ACTION|>`). */
import { keyedCall, readCallObjects } from './call-objects.ts';
import type { Dialect } from './dialect.ts';
import { jsonBody } from './json-body.ts';

const between = (name: string, opener: RegExp, close: RegExp): Dialect => ({
  name,
  opener,
  read: (text, after) => readCallObjects(text, after, close),
});

export const hermes = between(
  'hermes',
  /<(?:tool_call|function_call|tool_use|tool_calls|TOOLCALL)>/,
  /<\/(?:tool_call|function_call|tool_use|tool_calls|TOOLCALL)>|(?=<tool_call>)/,
);

export const granite = between(
  'granite',
  /<\|tool_call\|>/,
  /<\|\/tool_call\|>|<\/tool_call>|(?=<\|tool_call\|>)/,
);

export const cohere = between('cohere', /<\|START_ACTION\|>/, /<\|END_ACTION\|>/);

export const internlm = between('internlm', /<\|action_start\|>\s*<\|plugin\|>/, /<\|action_end\|>/);

export const apertus: Dialect = {
  name: 'apertus',
  opener: /<\|tools_prefix\|>/,
  read(text, after) {
    const body = jsonBody(text, after, /<\|tools_suffix\|>/);
    const list =
      body && body.rest === null && Array.isArray(body.values[0]) ? body.values[0].map(keyedCall) : null;
    if (body && list?.every(call => call !== null)) return { calls: list, end: body.end };
    return readCallObjects(text, after, /<\|tools_suffix\|>/);
  },
};
