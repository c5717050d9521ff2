/** One model call of a turn: load the conversation, fit it to the window, call, read the answer, gate its tool calls. */
import type { EffectOutputs } from '../../machines/effects.ts';
import { failure } from '../../machines/failure.ts';
import type { ModelInput } from '../../machines/turn.ts';
import type { Effect, EffectContext } from '../effect.ts';
import { readAnswer } from '../models/answer.ts';
import type { Message, ModelResponse } from '../models/model.ts';
import { CONTINUE, NUDGES } from '../prompts/executor.ts';
import { type CallRequest, callModel, planCall } from './call-model.ts';
import { readClaim } from './claim.ts';
import { type Compaction, compactionOf, losesTooMuch } from './compact.ts';
import { costOf, type TaskDeps } from './deps.ts';
import { withImages } from './images.ts';
import { circumstances, type JudgedCall, judge } from './judge.ts';
import { offeredTools } from './offered.ts';
import { type Instruction, messageKey, row, type StoredMessage } from './rows.ts';
import { isTainted } from './taint.ts';

export function modelEffect(deps: TaskDeps): Effect {
  return async (intent, context) => {
    const input = intent.input as ModelInput;
    const stored = await deps.rows.messages(input.thread);
    const earlier = await withImages(
      deps,
      stored.filter(entry => entry.message !== undefined),
    );
    const told = new Set(stored.flatMap(entry => entry.instructions ?? []));
    const fresh = (await deps.rows.instructions(input.thread)).filter(
      instruction => !told.has(instruction.key),
    );
    const added = addedMessage(input, fresh);
    const history = added ? [...earlier, added] : earlier;
    const tools = await offeredTools(deps, input.role, input.thread);
    const known = await compactionOf(deps, input.thread);
    const request = {
      history,
      tools,
      tier: input.tier,
      subtask: input.subtask,
      memory: known.text,
      ...(deps.fitting ? { fitting: deps.fitting } : {}),
    };
    if (input.may_compact && (await underPressure(deps, context, input, request, known)))
      return { output: UNDER_PRESSURE };
    const called = await callModel(deps, context, input.role, request);
    const { routed, journal } = called;
    // Whatever words come with it: a refusal is no work and no answer.
    if (routed.response.finish === 'refusal') {
      const words = routed.response.content.trim().slice(0, 300);
      return {
        output: {
          ok: false,
          failure: failure('retryable', 'refused', `the model refused${words ? `: ${words}` : ''}`),
        } satisfies EffectOutputs['model'],
        journal,
        used: costOf(deps.config, routed),
      };
    }
    // Whatever it was offered: a tool it knows by name is a tool it may call.
    const answer = readAnswer(routed.response, deps.tools);
    const calls = answer.finish === 'length' ? [] : answer.calls;
    const about = await circumstances(deps, input, stored);
    const judged = await Promise.all(calls.map((call, n) => judge(deps, call, n, about)));
    const message = assistantMessage(routed.response, answer.content, judged);
    const rows = [
      ...(added
        ? [
            row(messageKey.added(input.thread, input.iteration), {
              message: added,
              instructions: fresh.map(instruction => instruction.key),
            } satisfies StoredMessage),
          ]
        : []),
      row(messageKey.answer(input.thread, input.iteration), {
        message,
        calls: judged.map(call => call.stored),
        alias: routed.alias,
      } satisfies StoredMessage),
      ...judged.flatMap(call =>
        call.refusal
          ? [
              row(messageKey.result(input.thread, input.iteration, call.digest.n), {
                message: call.refusal,
              } satisfies StoredMessage),
            ]
          : [],
      ),
    ];
    const repaired = judged.filter(call => (call.stored?.repaired.length ?? 0) > 0);
    const tokens =
      called.tokens +
      routed.response.usage.output_tokens +
      judged.reduce((sum, call) => sum + call.refusalTokens, 0);
    const claim = readClaim(answer.content);
    return {
      output: {
        ok: true,
        answer: kindOf(answer.finish, judged.length, answer.content),
        calls: judged.map(call => call.digest),
        claim: claim.status,
        reason: claim.reason,
        tokens,
        ...((await isTainted(deps, input.subtask)) ? { tainted: true } : {}),
      } satisfies EffectOutputs['model'],
      rows,
      journal: [
        ...journal,
        ...repaired.map(call => ({
          event_type: 'tool_call_repaired',
          data: {
            subtask_id: input.subtask,
            tool: call.digest.tool,
            repaired: call.stored!.repaired,
            source: answer.source,
          },
        })),
      ],
      used: costOf(deps.config, routed),
    };
  };
}

const UNDER_PRESSURE: EffectOutputs['model'] = {
  ok: true,
  answer: 'pressure',
  calls: [],
  claim: 'success',
  reason: '',
  tokens: 0,
};

/** The request would leave out what should be compacted first. A model that cannot be reached says so when it is called. */
async function underPressure(
  deps: TaskDeps,
  context: EffectContext,
  input: ModelInput,
  request: CallRequest,
  known: Compaction,
): Promise<boolean> {
  const planned = await planCall(deps, input.role, request, context.signal).catch(() => null);
  return planned !== null && losesTooMuch(deps, planned.fitted.gone, known);
}

/** What is said before the model is asked again: that it repeats itself, was cut off, or has new instructions. */
function addedMessage(input: ModelInput, instructions: Instruction[]): Message | null {
  const parts = [
    ...(input.continue ? [CONTINUE] : input.nudge ? [NUDGES[input.nudge]] : []),
    ...instructions.map(
      instruction => `New instruction from the user, which counts from now on: ${instruction.text}`,
    ),
  ];
  return parts.length > 0 ? { role: 'user', content: parts.join('\n\n') } : null;
}

/** A cut-off answer is never complete; an answer without words or calls is treated like one. */
function kindOf(finish: string, calls: number, content: string): 'calls' | 'text' | 'cut' {
  if (finish === 'length') return 'cut';
  if (calls > 0) return 'calls';
  return content.trim() === '' ? 'cut' : 'text';
}

/** What goes back to the model as its own words: calls as they were understood, so that ids and results match. */
export function assistantMessage(
  response: Pick<ModelResponse, 'reasoning'>,
  content: string,
  calls: JudgedCall[],
): Message {
  return {
    role: 'assistant',
    content,
    ...(calls.length > 0
      ? { tool_calls: calls.map(call => ({ id: call.id, name: call.name, arguments: call.rawArguments })) }
      : {}),
    ...(response.reasoning ? { reasoning: response.reasoning } : {}),
  };
}
