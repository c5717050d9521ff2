/** A model as the rest of Loom sees it. Provider shapes never leave this folder. */
import type { Failure } from '../../machines/failure.ts';
import type { ModelConfig } from '../../store/config.ts';

export type Part = { type: 'text'; text: string } | { type: 'image'; media_type: string; data: string };

/** Reasoning is kept apart and sent back as the server requires it. */
export interface Reasoning {
  text: string;
  /** How it came: a `reasoning_content` field, `<think>` in the text, Ollama's `thinking`, Anthropic's signed blocks. */
  format: 'reasoning_content' | 'think' | 'thinking' | 'blocks';
  /** Anthropic: the blocks verbatim, signatures included. */
  blocks?: unknown[];
}

export interface ToolCall {
  id: string;
  name: string;
  /** Raw JSON text as the model wrote it. */
  arguments: string;
}

export type Message =
  | { role: 'system'; content: string }
  | { role: 'user'; content: string | Part[] }
  | { role: 'assistant'; content: string; tool_calls?: ToolCall[]; reasoning?: Reasoning }
  | { role: 'tool'; tool_call_id: string; name: string; content: string | Part[] };

export interface ToolSchema {
  name: string;
  description: string;
  parameters: Record<string, unknown>;
}

export interface ModelRequest {
  messages: Message[];
  tools?: ToolSchema[];
  /** Constrain the answer to this JSON Schema where the server can. */
  schema?: { name: string; schema: Record<string, unknown> };
  max_tokens: number;
  temperature?: number;
  stream: boolean;
}

export interface Usage {
  input_tokens: number;
  output_tokens: number;
  cached_tokens?: number;
}

export interface ModelResponse {
  content: string;
  reasoning?: Reasoning;
  tool_calls: ToolCall[];
  /** `length`: cut off; never to be taken as complete. */
  finish: 'stop' | 'length' | 'tool_calls' | 'refusal' | 'unknown';
  usage: Usage;
  /** The model's own name as the server reports it. */
  model: string;
  /** The server reported fewer prompt tokens than it was sent: it cut the prompt silently. */
  prompt_truncated?: { sent_estimate: number; reported: number };
}

export interface CallOptions {
  signal: AbortSignal;
  /** Previews only: may be withdrawn by `reset` when a cut stream is retried. */
  onDelta?: (
    delta: { attempt: number; offset: number; text: string } | { attempt: number; reset: true },
  ) => void;
}

/** One configured model. `complete` makes one attempt; retry and failover live in `router.ts`. */
export interface Model {
  readonly config: ModelConfig;
  /** Tier 1..3, configured or inferred from the name. */
  readonly tier: number;
  /** Served window in tokens (configured, asked of the server, or a safe default of 8,192). Cached. */
  window(signal: AbortSignal): Promise<number>;
  /** Throws ModelError. */
  complete(request: ModelRequest, options: CallOptions): Promise<ModelResponse>;
  /** One cheap request that proves address, key and model name. Throws ModelError. */
  check(signal: AbortSignal): Promise<{ model: string; window: number; models: string[] }>;
}

/** Codes: auth, not_found, bad_request, context_length, rate_limit, overloaded, server, timeout, connection, cut_stream,
 *  aborted, tools_unsupported, script (scenario has no entry). */
export class ModelError extends Error {
  readonly failure: Failure;
  readonly status: number | undefined;
  readonly retry_after_ms: number | undefined;
  constructor(failure: Failure, options: { status?: number; retry_after_ms?: number; cause?: unknown } = {}) {
    super(failure.message, { cause: options.cause });
    this.name = 'ModelError';
    this.failure = failure;
    this.status = options.status;
    this.retry_after_ms = options.retry_after_ms;
  }
}
