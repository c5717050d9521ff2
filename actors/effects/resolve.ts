/** After a failed attempt: a model with more insight writes in a few lines what to do differently. Advice only: without it
 *  the next attempt is made all the same. */
import type { EffectOutputs } from '../../machines/effects.ts';
import { failure } from '../../machines/failure.ts';
import type { ResolveInput } from '../../machines/subtask.ts';
import type { Effect } from '../effect.ts';
import { resolverMessages } from '../prompts/resolver.ts';
import { callModel } from './call-model.ts';
import type { Check } from './checks/check.ts';
import { costOf, type TaskDeps } from './deps.ts';
import { earlierAttempts } from './earlier.ts';
import { evidence } from './evidence.ts';
import { checksKey, fixKey, row, threadParts } from './rows.ts';
import { workOf } from './work.ts';

/** Tokens of a fix plan. */
const ANSWER_TOKENS = 1_024;
/** Characters of it that the next attempt is shown. */
const MAX_PLAN = 2_000;

export function resolveEffect(deps: TaskDeps): Effect {
  return async (intent, context) => {
    const input = intent.input as ResolveInput;
    const { rows } = deps;
    const [work, checks, earlier] = await Promise.all([
      workOf(deps, input),
      rows.get<Check[]>(checksKey(input.thread)),
      earlierAttempts(rows, input.subtask, threadParts(input.thread).incarnation),
    ]);
    const { node, changelog, traces } = work;
    const history = resolverMessages({
      goal: deps.goal,
      node,
      attempt: input.attempt,
      earlier,
      claim: work.answer,
      evidence: await evidence({
        root: deps.workspace.root,
        node,
        changelog,
        traces,
        checks: checks ?? [],
        blobs: deps.blobs,
      }),
      instructions: (await rows.instructions()).map(instruction => instruction.text),
    });
    const called = await callModel(deps, context, 'resolver', {
      history,
      // The strongest there is.
      tier: 3,
      subtask: input.subtask,
      max_tokens: ANSWER_TOKENS,
    });
    const shared = { journal: called.journal, used: costOf(deps.config, called.routed) };
    const text = called.routed.response.content.trim().slice(0, MAX_PLAN);
    if (text === '') {
      const silent = failure('retryable', 'empty', 'the resolver gave no plan');
      return { ...shared, output: { ok: false, failure: silent } satisfies EffectOutputs['resolve'] };
    }
    return {
      ...shared,
      output: { ok: true } satisfies EffectOutputs['resolve'],
      rows: [row(fixKey(input.thread), text)],
    };
  };
}
