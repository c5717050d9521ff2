/** What the fake model servers share: a real HTTP server on loopback, recording, faults, and the scenario engine. */
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { ModelError } from '../../actors/models/model.ts';
import type { ScenarioMessage, ScenarioTurn } from '../../actors/models/scenario.ts';

export interface FakeOptions {
  /** Names the server knows; every other one is answered 404. Default: any name is known. */
  models?: string[];
  /** Tokens the server has room for. Ollama cuts the prompt there, the others refuse. */
  window?: number;
  /** Answers 400 to a request with tools. */
  refuseTools?: boolean;
  /** Answers 400 to constrained output. */
  refuseSchema?: boolean;
  /** Answers 401 to any other key. */
  key?: string;
  /** Characters of text per stream chunk. Default 8. */
  chunk?: number;
  /** Milliseconds between stream chunks. Default 0. */
  pace_ms?: number;
  /** OpenAI: what a request is said to have used, from the size of its prompt and the most its answer may have. */
  bill?: (prompt: number, most: number) => { input: number; output: number };
  /** OpenAI: usage rides on the finish chunk, not on one of its own. */
  usageOnFinish?: boolean;
  /** OpenAI and Ollama: reasoning is written into the text as `<think>`. */
  thinkInText?: boolean;
}

export interface RecordedRequest {
  method: string;
  path: string;
  headers: Record<string, string>;
  // biome-ignore lint/suspicious/noExplicitAny: tests look into bodies of three wire formats
  body: any;
  at: number;
  /** The client hung up before the answer was complete. */
  aborted: boolean;
}

/** One request being answered. */
export interface Exchange {
  method: string;
  path: string;
  headers: IncomingMessage['headers'];
  body: Record<string, unknown>;
  response: ServerResponse;
}

/** What decides the answers: a scenario, or a simulation that also reads the request as it came. */
export interface Player {
  next(messages: ScenarioMessage[], body: Record<string, unknown>): ScenarioTurn;
}

export type Wire = (player: Player, options: FakeOptions) => (exchange: Exchange) => Promise<void>;

export interface FakeServer {
  url: string;
  requests: RecordedRequest[];
  /** Model calls only, without listings. */
  calls(): RecordedRequest[];
  stop(): Promise<void>;
}

async function readBody(request: IncomingMessage): Promise<Record<string, unknown>> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  const text = Buffer.concat(chunks).toString('utf8');
  return text ? (JSON.parse(text) as Record<string, unknown>) : {};
}

/** Serves one wire format on 127.0.0.1, on a free port unless one is given. */
export async function serve(wire: Wire, player: Player, options: FakeOptions, port = 0): Promise<FakeServer> {
  const requests: RecordedRequest[] = [];
  const handle = wire(player, options);
  const server = createServer(async (request, response) => {
    const [path = '/'] = (request.url ?? '/').split('?');
    const body = await readBody(request);
    const record: RecordedRequest = {
      method: request.method ?? '',
      path,
      headers: request.headers as Record<string, string>,
      body,
      at: Date.now(),
      aborted: false,
    };
    requests.push(record);
    response.on('close', () => {
      if (!response.writableFinished) record.aborted = true;
    });
    try {
      await handle({ method: record.method, path, headers: request.headers, body, response });
    } catch (error) {
      if (!response.headersSent) json(response, 500, { error: String(error) });
      else response.destroy();
    }
  });
  await new Promise<void>(resolve => server.listen(port, '127.0.0.1', resolve));
  const { port: bound } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${bound}`,
    requests,
    calls: () => requests.filter(record => record.body.messages !== undefined),
    stop: () =>
      new Promise(resolve => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

export function json(
  response: ServerResponse,
  status: number,
  body: unknown,
  headers: Record<string, string> = {},
): void {
  response.writeHead(status, { 'content-type': 'application/json', ...headers });
  response.end(JSON.stringify(body));
}

/** The answer a player gives, or the words with which it has none. */
export function play(
  player: Player,
  messages: ScenarioMessage[],
  body: Record<string, unknown>,
): ScenarioTurn | { missing: string } {
  try {
    return player.next(messages, body);
  } catch (error) {
    if (error instanceof ModelError) return { missing: error.message };
    throw error;
  }
}

/** Waits as the scenario says; false when the client must never get an answer. */
export async function waited(turn: ScenarioTurn, response: ServerResponse): Promise<boolean> {
  if (turn.fault === 'hang') return false;
  if (turn.delay_ms > 0) await sleep(turn.delay_ms);
  return !response.destroyed;
}

export const retryAfter = (turn: ScenarioTurn): Record<string, string> =>
  turn.error?.retry_after === undefined ? {} : { 'retry-after': String(turn.error.retry_after) };

export const pieces = (text: string, size = 8): string[] =>
  text.length === 0 ? [] : (text.match(new RegExp(`[\\s\\S]{1,${size}}`, 'gu')) ?? []);

/** Tokens of anything that was sent, four characters each. */
export const tokensOf = (value: unknown): number =>
  Math.ceil((typeof value === 'string' ? value : JSON.stringify(value ?? '')).length / 4);

/** A text no longer than the answer limit; the rest is cut off as a model would be. */
export function limited(turn: ScenarioTurn, maxTokens: number): ScenarioTurn {
  if (turn.calls.length > 0 || !(maxTokens > 0) || tokensOf(turn.text) <= maxTokens) return turn;
  return { ...turn, text: turn.text.slice(0, maxTokens * 4), finish: 'length' };
}

/** Writes stream parts at the set pace; stops when the client is gone. After `cut` parts the connection dies. */
export async function stream(
  response: ServerResponse,
  parts: string[],
  options: FakeOptions,
  cut = Number.POSITIVE_INFINITY,
): Promise<boolean> {
  let sent = 0;
  for (const part of parts) {
    if (sent++ >= cut) {
      // What was written so far must arrive before the connection dies.
      await new Promise<void>(resolve => void response.write('', () => resolve()));
      await sleep(5);
      response.destroy();
      return false;
    }
    if (response.destroyed) return false;
    response.write(part);
    if (options.pace_ms) await sleep(options.pace_ms);
  }
  return true;
}

/** Where a cut stream dies: in the middle of its parts, after at least one. */
export const cutAt = (turn: ScenarioTurn, parts: string[]): number =>
  turn.fault === 'cut_stream' ? Math.max(1, parts.length >> 1) : Number.POSITIVE_INFINITY;
