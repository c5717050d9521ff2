/** Starts a fake model server in this process. */
import { parseScenario } from '../../actors/models/scenario.ts';
import { fakeAnthropic } from './fake-anthropic.ts';
import { type FakeOptions, type FakeServer, type Player, serve, type Wire } from './fake-http.ts';
import { fakeOllama } from './fake-ollama.ts';
import { fakeOpenAI } from './fake-openai.ts';

export type FakeKind = 'ollama' | 'openai' | 'anthropic';

const WIRES: Record<FakeKind, Wire> = { ollama: fakeOllama, openai: fakeOpenAI, anthropic: fakeAnthropic };

/** `scenario`: YAML text, or a player, which several servers may share. */
export async function startFakeServer(
  kind: FakeKind,
  scenario: string | Player,
  options: FakeOptions = {},
  port = 0,
): Promise<FakeServer> {
  const played = typeof scenario === 'string' ? await parseScenario(scenario, 'fake scenario') : scenario;
  return serve(WIRES[kind], played, options, port);
}
