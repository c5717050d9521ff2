/** Traces of a turn: what a model says, call by call, and what its tools answer. The turn machine is driven with the real
 *  reading of answers, the real validation and the real signatures; only model and tools are simulated. */
import { callSignature, resultSignature } from '../../actors/effects/signature.ts';
import { readAnswer } from '../../actors/models/answer.ts';
import type { CallDigest } from '../../machines/effects.ts';
import { createRegistry } from '../../tools/registry.ts';
import { type Drive, start } from '../machines/drive.ts';
import { calls, cut, denying, noted, read, toolDone, turnInput } from '../machines/results.ts';

export interface SaidCall {
  name: string;
  /** A string is sent as it is, to play malformed JSON. */
  args: Record<string, unknown> | string;
  result?: string;
  success?: boolean;
  denied?: boolean;
}

/** One answer of the model. */
export interface Said {
  calls?: SaidCall[];
  /** Words beside the calls, or calls written as text. */
  text?: string;
  /** Cut off at its length limit. */
  cut?: boolean;
}

const registry = createRegistry();
const tools = registry.list().map(({ name, description, parameters }) => ({ name, description, parameters }));

async function digests(said: Said): Promise<{ digest: CallDigest; call: SaidCall | undefined }[]> {
  const wire = (said.calls ?? []).map(({ name, args }, n) => ({
    id: `c${n}`,
    name,
    arguments: typeof args === 'string' ? args : JSON.stringify(args),
  }));
  const finish = wire.length > 0 ? 'tool_calls' : 'stop';
  const answer = readAnswer({ content: said.text ?? '', tool_calls: wire, finish }, tools);
  return Promise.all(
    answer.calls.map(async (parsed, n) => {
      const call = said.calls?.[n];
      const valid = !('invalid' in parsed) && (await registry.validate(parsed.name, parsed.arguments)).ok;
      const signature = valid ? callSignature(parsed.name, parsed.arguments) : '';
      const gate = call?.denied ? denying : {};
      return {
        call,
        digest: read(n, { tool: parsed.name, valid, signature, subject: parsed.name, ...gate }),
      };
    }),
  );
}

export interface Told {
  drive: Drive;
  /** Model calls until the turn ended, or the trace. */
  modelCalls: number;
  /** Model calls, from 1, that carried a nudge. */
  nudged: number[];
  output: { ok: boolean; failure?: { code: string; message: string } } | undefined;
}

/** Plays a trace until it is over or the turn ends. Throws when an answer reads as no call at all, which proves nothing. */
export async function tell(trace: Iterable<Said>, max_iterations = 60): Promise<Told> {
  const drive = start('turn', turnInput({ max_iterations }));
  const nudged: number[] = [];
  let modelCalls = 0;
  for (const said of trace) {
    if (drive.run.output !== undefined) break;
    modelCalls++;
    if ((drive.effect('model').input as { nudge: string }).nudge !== '') nudged.push(modelCalls);
    if (said.cut) {
      drive.settle('model', cut);
      continue;
    }
    const list = await digests(said);
    if (list.length === 0) throw new Error(`no call was read in ${JSON.stringify(said)}`);
    drive.settle('model', calls(...list.map(({ digest }) => digest)));
    for (const { digest, call } of list) {
      if (!digest.valid) continue;
      if (call?.denied) drive.settle(`n-${digest.n}`, noted);
      else {
        const success = call?.success ?? true;
        const signature = resultSignature(success, call?.result ?? '(no output)');
        drive.settle(`t-${digest.n}`, toolDone(signature, success));
      }
    }
  }
  return { drive, modelCalls, nudged, output: drive.run.output as Told['output'] };
}

/** Numbers from 0 to below 1, the same for the same seed. */
export function seeded(seed: number): () => number {
  let state = (seed * 2_654_435_761) >>> 0 || 1;
  return () => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    state >>>= 0;
    return state / 4_294_967_296;
  };
}
