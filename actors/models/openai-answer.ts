/** Reads what OpenAI-compatible servers really send: whole answers and streams, with their known irregularities. */
import { newCallId } from './call-id.ts';
import type { ModelResponse, Reasoning, ToolCall, Usage } from './model.ts';
import { splitThinking } from './thinking.ts';

interface WireCall {
  index?: number | null;
  id?: string | null;
  function?: { name?: string | null; arguments?: unknown } | null;
}

interface WireMessage {
  content?: unknown;
  refusal?: string | null;
  reasoning_content?: unknown;
  reasoning?: unknown;
  tool_calls?: WireCall[] | null;
}

interface WireUsage {
  prompt_tokens?: number | null;
  completion_tokens?: number | null;
  prompt_tokens_details?: { cached_tokens?: number | null } | null;
}

export interface WireAnswer {
  model?: string;
  choices?: {
    finish_reason?: string | null;
    message?: WireMessage;
    delta?: WireMessage | null;
    text?: string;
    usage?: WireUsage;
  }[];
  usage?: WireUsage | null;
  /** Groq reports a stream's usage here. */
  x_groq?: { usage?: WireUsage | null; error?: string | null } | null;
}

/** Mistral writes parts where others write a string. */
function readContent(content: unknown): { text: string; thinking: string } {
  if (typeof content === 'string') return { text: content, thinking: '' };
  if (!Array.isArray(content)) return { text: '', thinking: '' };
  let text = '';
  let thinking = '';
  for (const part of content as { type?: string; text?: unknown; thinking?: unknown }[]) {
    if (typeof part.text === 'string') text += part.text;
    else if (typeof part.thinking === 'string') thinking += part.thinking;
    else if (Array.isArray(part.thinking)) thinking += readContent(part.thinking).text;
  }
  return { text, thinking };
}

const argumentsText = (value: unknown): string =>
  typeof value === 'string' ? value : value === undefined || value === null ? '' : JSON.stringify(value);

function readFinish(reason: string | null | undefined, calls: number): ModelResponse['finish'] {
  switch (reason) {
    case 'stop':
    case 'eos':
    case 'end_turn':
      return calls > 0 ? 'tool_calls' : 'stop';
    case 'length':
    case 'max_tokens':
    case 'model_length':
      return 'length';
    case 'tool_calls':
    case 'function_call':
      return 'tool_calls';
    case 'content_filter':
      return 'refusal';
    default:
      return 'unknown';
  }
}

function readUsage(usage: WireUsage | null | undefined): Usage | null {
  if (!usage) return null;
  const cached = usage.prompt_tokens_details?.cached_tokens;
  return {
    input_tokens: usage.prompt_tokens ?? 0,
    output_tokens: usage.completion_tokens ?? 0,
    ...(cached ? { cached_tokens: cached } : {}),
  };
}

/** Gathers an answer piece by piece; a whole answer is one piece. */
export class AnswerBuilder {
  readonly #calls: { key: number | string; id: string; name: string; arguments: string }[] = [];
  #text = '';
  #thinking = '';
  #refusal = '';
  finish: string | null = null;
  usage: Usage | null = null;
  model = '';

  /** Takes one chunk or one whole answer; returns the piece of text to show. */
  add(piece: WireAnswer): string {
    if (piece.model) this.model = piece.model;
    const choice = piece.choices?.[0];
    this.usage =
      readUsage(piece.usage) ?? readUsage(piece.x_groq?.usage) ?? readUsage(choice?.usage) ?? this.usage;
    if (!choice) return '';
    if (choice.finish_reason) this.finish = choice.finish_reason;
    const message = choice.delta ?? choice.message;
    if (!message) return '';
    const { text, thinking } = readContent(message.content);
    const own = message.reasoning_content ?? message.reasoning;
    this.#thinking += thinking + (typeof own === 'string' ? own : '');
    this.#text += text;
    this.#refusal += message.refusal ?? '';
    for (const call of message.tool_calls ?? []) this.#addCall(call);
    return text;
  }

  /** Deltas belong together by index; servers that send none, or always 0, are told apart by a new id. */
  #addCall(call: WireCall): void {
    const last = this.#calls.at(-1);
    const name = call.function?.name ?? '';
    const args = argumentsText(call.function?.arguments);
    const key = call.index ?? (name ? `n${this.#calls.length}` : last?.key) ?? 0;
    let known = this.#calls.findLast(candidate => candidate.key === key);
    if (known?.name && name && call.id && known.id && call.id !== known.id) known = undefined;
    if (!known) {
      known = { key, id: '', name: '', arguments: '' };
      this.#calls.push(known);
    }
    known.id ||= call.id ?? '';
    // Some servers repeat the name with every delta.
    if (name && known.name !== name) known.name += name;
    known.arguments += args;
  }

  /** The answer, with what the server left out filled in. */
  response(configured: string, estimate: () => Usage): ModelResponse {
    const split = splitThinking(this.#text);
    const reasoning: Reasoning | undefined = this.#thinking
      ? { text: this.#thinking, format: 'reasoning_content' }
      : split.thinking
        ? { text: split.thinking, format: 'think' }
        : undefined;
    const seen = new Set<string>();
    const tool_calls = this.#calls
      .filter(call => call.name || call.arguments)
      .map((call): ToolCall => {
        const id = call.id && !seen.has(call.id) ? call.id : newCallId();
        seen.add(id);
        return { id, name: call.name, arguments: call.arguments };
      });
    const finish = this.#refusal ? 'refusal' : readFinish(this.finish, tool_calls.length);
    return {
      content: split.content || this.#refusal,
      ...(reasoning ? { reasoning } : {}),
      tool_calls,
      finish: finish === 'unknown' && tool_calls.length > 0 ? 'tool_calls' : finish,
      usage: this.usage ?? estimate(),
      model: this.model || configured,
    };
  }
}
