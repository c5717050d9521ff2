/** Reads Anthropic answers: whole messages and streams of content blocks. */
import type { ContentBlock, Message, RawMessageStreamEvent } from '@anthropic-ai/sdk/resources/messages';
import type { ModelResponse, Usage } from './model.ts';

interface WireUsage {
  input_tokens?: number | null;
  output_tokens?: number | null;
  cache_read_input_tokens?: number | null;
  cache_creation_input_tokens?: number | null;
}

/** Blocks are kept as they come; only text, tool calls and thinking mean something here. */
type Block = { type: string; [key: string]: unknown };

const FINISH: Record<string, ModelResponse['finish']> = {
  end_turn: 'stop',
  stop_sequence: 'stop',
  tool_use: 'tool_calls',
  max_tokens: 'length',
  model_context_window_exceeded: 'length',
  refusal: 'refusal',
  pause_turn: 'unknown',
};

export class AnthropicAnswer {
  #blocks: Block[] = [];
  readonly #json = new Map<number, string>();
  #usage: WireUsage = {};
  model = '';
  stop: string | null = null;

  whole(message: Message): void {
    this.#blocks = message.content as unknown as (ContentBlock & Block)[];
    this.#usage = message.usage;
    this.model = message.model;
    this.stop = message.stop_reason ?? 'end_turn';
  }

  /** Takes one event; returns the piece of text to show. */
  event(event: RawMessageStreamEvent): string {
    switch (event.type) {
      case 'message_start':
        this.model = event.message.model;
        this.#count(event.message.usage);
        return '';
      case 'content_block_start':
        this.#blocks[event.index] = { ...event.content_block } as unknown as Block;
        return event.content_block.type === 'text' ? event.content_block.text : '';
      case 'content_block_delta':
        return this.#delta(event.index, event.delta as unknown as Block);
      case 'message_delta':
        this.stop = event.delta.stop_reason ?? this.stop;
        this.#count(event.usage);
        return '';
      default:
        return '';
    }
  }

  #delta(index: number, delta: Block): string {
    const block = (this.#blocks[index] ??= { type: 'text', text: '' });
    const append = (key: string, piece: unknown) => {
      block[key] = `${(block[key] as string | undefined) ?? ''}${String(piece ?? '')}`;
    };
    if (delta.type === 'text_delta') append('text', delta['text']);
    else if (delta.type === 'thinking_delta') append('thinking', delta['thinking']);
    else if (delta.type === 'signature_delta') append('signature', delta['signature']);
    else if (delta.type === 'input_json_delta')
      this.#json.set(index, (this.#json.get(index) ?? '') + String(delta['partial_json'] ?? ''));
    return delta.type === 'text_delta' ? String(delta['text'] ?? '') : '';
  }

  /** Later counts replace earlier ones; absent and null ones do not. */
  #count(usage: WireUsage | null | undefined): void {
    for (const [key, value] of Object.entries(usage ?? {}))
      if (typeof value === 'number') this.#usage = { ...this.#usage, [key]: value };
  }

  #usageOf(): Usage {
    const read = this.#usage.cache_read_input_tokens ?? 0;
    const written = this.#usage.cache_creation_input_tokens ?? 0;
    return {
      input_tokens: (this.#usage.input_tokens ?? 0) + read + written,
      output_tokens: this.#usage.output_tokens ?? 0,
      ...(read > 0 ? { cached_tokens: read } : {}),
    };
  }

  #argumentsOf(block: Block, index: number): string {
    const streamed = this.#json.get(index);
    const input = (block['input'] ?? {}) as Record<string, unknown>;
    // Outside a stream arguments that are not JSON come wrapped like this.
    const wrapped = input['INVALID_JSON'];
    return streamed || (typeof wrapped === 'string' ? wrapped : JSON.stringify(input));
  }

  /** `forced`: the tool that carried a constrained answer; its input is the answer's text. */
  response(configured: string, forced: string | null): ModelResponse {
    const indexed = this.#blocks.map((block, index) => ({ block, index })).filter(({ block }) => block);
    const ofType = (...types: string[]) => indexed.filter(({ block }) => types.includes(block.type));
    const thoughts = ofType('thinking', 'redacted_thinking').map(({ block }) => block);
    const used = ofType('tool_use');
    const answer = forced ? used.find(({ block }) => block['name'] === forced) : undefined;
    const text = ofType('text')
      .map(({ block }) => String(block['text'] ?? ''))
      .join('');
    const tool_calls = used
      .filter(item => item !== answer)
      .map(({ block, index }) => ({
        id: String(block['id'] ?? ''),
        name: String(block['name'] ?? ''),
        arguments: this.#argumentsOf(block, index),
      }));
    const finish = FINISH[this.stop ?? ''] ?? 'unknown';
    return {
      content: answer ? this.#argumentsOf(answer.block, answer.index) : text,
      ...(thoughts.length > 0
        ? {
            reasoning: {
              text: thoughts
                .map(block => String(block['thinking'] ?? ''))
                .filter(Boolean)
                .join('\n\n'),
              format: 'blocks' as const,
              blocks: thoughts,
            },
          }
        : {}),
      tool_calls,
      finish: answer && finish === 'tool_calls' ? 'stop' : finish,
      usage: this.#usageOf(),
      model: this.model || configured,
    };
  }
}
