/** Opens the conversation of one attempt: the subtask, what its dependencies left, what was wrong before. */
import type { EffectOutputs } from '../../machines/effects.ts';
import { failure } from '../../machines/failure.ts';
import type { PlanNode } from '../../machines/plan.ts';
import type { PrepareInput } from '../../machines/subtask.ts';
import { wireTools } from '../../tools/offer.ts';
import type { Effect } from '../effect.ts';
import { retryHints } from '../learning/hints.ts';
import { kindOf } from '../learning/kind.ts';
import { chosenLine, type StartTier, startTier } from '../learning/start-tier.ts';
import { wishes } from '../learning/wishes.ts';
import { estimateRequest } from '../models/estimate.ts';
import { executorMessages, type Upstream } from '../prompts/executor.ts';
import { inherited } from './answers-for.ts';
import type { TaskDeps } from './deps.ts';
import { earlierAttempts } from './earlier.ts';
import { memoryLines } from './memory.ts';
import { chooseTools } from './offered.ts';
import { owingNode } from './owed.ts';
import { roomFor } from './room.ts';
import { messageKey, nodeOf, offeredKey, row, type StoredMessage, threadParts } from './rows.ts';
import { inheritedTaint } from './taint.ts';

/** Part of the window beside the answer for what the prompt says; the rest is for tools and the conversation. */
const PROMPT_SHARE = 0.35;

export function prepareEffect(deps: TaskDeps): Effect {
  return async (intent, context) => {
    const input = intent.input as PrepareInput;
    const { rows } = deps;
    const plan = await rows.plan(input.plan_version);
    if (!plan.subtasks.some(node => node.id === input.subtask)) {
      const lost = failure(
        'terminal',
        'no_plan',
        `subtask ${input.subtask} is not in plan version ${input.plan_version}`,
      );
      return { output: { ok: false, failure: lost } satisfies EffectOutputs['prepare'] };
    }
    const planned = nodeOf(plan, input.subtask);
    // The plan of last resort carries only the title; the worker gets the whole goal.
    const whole = planned.id === 'execute-goal' ? { ...planned, description: deps.goal } : planned;
    const node = owingNode(await rows.obligations(input.plan_version), whole);
    const { incarnation } = threadParts(input.thread);
    const above = await Promise.all(node.depends_on.map(id => rows.summary(id)));
    const upstream = node.depends_on.map(
      (id, i): Upstream => ({ id, summary: above[i]?.summary ?? '', files: above[i]?.files ?? [] }),
    );
    const remembered = await rows.memory(
      above.flatMap(summary => summary?.memory ?? []),
      NEWEST,
    );
    const kind = kindOf(node);
    const start = input.attempt === 1 ? await started(deps, input, kind) : null;
    const earlier = await earlierAttempts(rows, input.subtask, incarnation);
    const touched = (await rows.changelog(input.subtask)).flatMap(entry =>
      entry.changes.map(change => change.path),
    );
    const handedOn = await inherited(rows, input.subtask, input.plan_version);
    const left = handedOn.flatMap(entry =>
      entry.changes.filter(change => change.kind !== 'directory').map(change => change.path),
    );
    const instructions = await rows.instructions();
    const tier = start?.tier ?? input.model_tier;
    const tools = await chooseTools(deps, 'executor', tier, wordsOf(deps.goal, node), context.signal);
    const messages = executorMessages(
      {
        goal: deps.goal,
        node,
        plan,
        attempt: input.attempt,
        follow_up: input.follow_up,
        upstream,
        earlier,
        touched: [...new Set(touched)],
        left: [...new Set(left)],
        instructions: instructions.map(instruction => instruction.text),
        memory: memoryLines(remembered, node, node.depends_on),
        wishes: await wishes(deps.store, deps.now()),
        hints: await retryHints(deps.store, deps.workspace.root, kind, deps.now()),
      },
      await roomFor(deps, 'executor', tier, PROMPT_SHARE, context.signal),
    );
    return {
      output: {
        ok: true,
        tokens: estimateRequest({ messages, tools: wireTools(deps.registry.list(), tools) }),
        ...(start && start.tier !== input.model_tier ? { tier: start.tier } : {}),
      } satisfies EffectOutputs['prepare'],
      rows: [
        row(offeredKey(input.thread), tools),
        ...(await inheritedTaint(deps, input.subtask, [
          ...node.depends_on,
          ...remembered.flat().map(entry => entry.subtask),
          ...handedOn.flatMap(entry => entry.subtask ?? []),
        ])),
        ...messages.map((message, n) =>
          row(messageKey.prompt(input.thread, n), {
            message,
            instructions: instructions.map(instruction => instruction.key),
          } satisfies StoredMessage),
        ),
      ],
      journal: start ? [chosenLine({ role: 'executor', subtask_id: input.subtask, kind }, start)] : [],
    };
  };
}

/** What the choice of tools goes by. */
const wordsOf = (goal: string, node: PlanNode): string =>
  [node.description, node.acceptance_criteria, ...node.deliverables, goal.slice(0, 1_000)].join('\n');

/** Subtasks that settled last, whose memory is looked through besides that of the dependencies. */
const NEWEST = 20;

/** The start is chosen once, with the first attempt of an incarnation, and is a fact from this commit on: whatever others
 *  learn in the meantime, a run that is taken up again goes on as it began. */
const started = (deps: TaskDeps, { model_tier }: PrepareInput, kind: string): Promise<StartTier> =>
  startTier(deps.store, deps.config, { role: 'executor', kind, planned: model_tier }, deps.now());
