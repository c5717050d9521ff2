/** Asks the planner (or replanner) and reads its answer: JSON, schema, normalised ids. The graph is judged by the machine. */
import type { EffectOutputs } from '../../machines/effects.ts';
import { failure } from '../../machines/failure.ts';
import { type Plan, STATUS_NAMES, type StatusLetter } from '../../machines/plan.ts';
import type { SubtaskRecord } from '../../machines/subtask.ts';
import type { PlanInput, ReplanInput } from '../../machines/task.ts';
import type { Effect, EffectResult } from '../effect.ts';
import { plannerMessages, replannerMessages } from '../prompts/planner.ts';
import { type Called, callModel } from './call-model.ts';
import { costOf, type TaskDeps } from './deps.ts';
import { PLAN_SCHEMA, readPlan } from './plan-answer.ts';
import { roomFor } from './room.ts';
import type { Instruction } from './rows.ts';
import { surveyWorkspace } from './survey.ts';

/** Part of the window beside the answer; the rest is for the rules and the schema. */
const PROMPT_SHARE = 0.6;

export function planEffect(deps: TaskDeps): Effect {
  return async (intent, context) => {
    const input = intent.input as PlanInput;
    const [workspace, instructions] = await Promise.all([
      surveyWorkspace(deps.workspace.root),
      deps.rows.instructions(),
    ]);
    const history = plannerMessages(
      {
        goal: deps.goal,
        workspace,
        instructions: texts(instructions),
        errors: input.errors,
      },
      await roomFor(deps, 'planner', 2, PROMPT_SHARE, context.signal),
    );
    const called = await callModel(deps, context, 'planner', {
      history,
      schema: { name: 'plan', schema: PLAN_SCHEMA },
      tier: 2,
      subtask: null,
      max_tokens: deps.config.limits.planning_response_max_tokens,
    });
    return settlePlan(deps, called);
  };
}

export function replanEffect(deps: TaskDeps): Effect {
  return async (intent, context) => {
    const input = intent.input as ReplanInput;
    const [workspace, instructions, plan] = await Promise.all([
      surveyWorkspace(deps.workspace.root),
      deps.rows.instructions(),
      deps.rows.plan(input.version),
    ]);
    const nodes = await Promise.all(
      plan.subtasks.map(async node => {
        const record = await deps.rows.get<SubtaskRecord>(`s/${node.id}`);
        const left = await deps.rows.summary(node.id);
        const status = record?.status ?? STATUS_NAMES['p' satisfies StatusLetter];
        return `[${status}] ${node.id}: ${node.description.slice(0, 200)}${left ? ` — ${left.summary.slice(0, 200)}` : ''}`;
      }),
    );
    const history = replannerMessages(
      {
        goal: deps.goal,
        workspace,
        instructions: texts(instructions),
        errors: [],
        failed: input.failed,
        reason: input.reason,
        nodes,
      },
      await roomFor(deps, 'replanner', 2, PROMPT_SHARE, context.signal),
    );
    const called = await callModel(deps, context, 'replanner', {
      history,
      schema: { name: 'plan', schema: PLAN_SCHEMA },
      tier: 2,
      subtask: null,
      max_tokens: deps.config.limits.planning_response_max_tokens,
    });
    return settlePlan(deps, called);
  };
}

async function settlePlan(deps: TaskDeps, called: Called): Promise<EffectResult> {
  const { response } = called.routed;
  const shared = { journal: called.journal, used: costOf(deps.config, called.routed) };
  if (response.finish === 'length')
    return {
      ...shared,
      output: invalid(['the answer was cut off before the plan was complete: make it shorter']),
    };
  const read = await readPlan(response.content);
  if ('errors' in read) return { ...shared, output: invalid(read.errors) };
  return { ...shared, output: { ok: true, plan: read.plan satisfies Plan } satisfies EffectOutputs['plan'] };
}

const invalid = (errors: string[]): EffectOutputs['plan'] => ({
  ok: false,
  failure: failure('retryable', 'plan_invalid', errors[0] ?? 'the plan could not be read', { errors }),
});

const texts = (instructions: Instruction[]): string[] => instructions.map(instruction => instruction.text);
