/** The life of a task: plan it, run its subtasks as soon as their dependencies are done, finish or say why not. */
import {
  type AnyStateMachine,
  assign,
  emit,
  enqueueActions,
  sendTo,
  setup,
  spawnChild,
  stopChild,
} from 'xstate';
import type { EffectOutputs, QuestionInput } from './effects.ts';
import { demoteSyntheses, singleNodePlan } from './plan.ts';
import type { RemediationInput, RemediationOutput } from './remediation.ts';
import { remote, rowActions } from './remote.ts';
import { retold, type Stuck, stuckEvent } from './stuck.ts';
import type { SubtaskInput, SubtaskOutput } from './subtask.ts';
import { failureIn, goalVerifierInput, recheckInput, unmetObligation } from './task-closing.ts';
import {
  accept,
  adopted,
  beginning,
  beginReplan,
  bounded,
  type Context,
  causeOf,
  describePlan,
  errorsOf,
  type FinalizeInput,
  failedOutput,
  type Instruction,
  launch,
  nextChild,
  noPlan,
  outcome,
  PLAN_REJECTED,
  type PlanInput,
  planQuestion,
  type ReplanInput,
  rejection,
  repairing,
  replanReason,
  type SubtaskDone,
  stalled,
  subtaskInput,
  type TaskInput,
  type TaskOutput,
  type TaskSettings,
} from './task-context.ts';
import { guards } from './task-guards.ts';
import * as queue from './task-items.ts';
import type { TurnInput, TurnOutput } from './turn.ts';
import type { VerifierInput, VerifierOutput } from './verifier.ts';

export type { FinalizeInput, PlanInput, ReplanInput, TaskInput, TaskOutput, TaskSettings };

const outputOf = <Source extends keyof EffectOutputs>(event: unknown): EffectOutputs[Source] =>
  (event as { output: EffectOutputs[Source] }).output;

const machine = setup({
  types: {} as {
    context: Context;
    input: TaskInput;
    output: TaskOutput;
    events:
      | SubtaskDone
      | { type: 'CANCEL' }
      | { type: 'PAUSE' }
      | { type: 'RESUME' }
      | Instruction
      | (Stuck & { from: string });
    emitted: Stuck;
  },
  actors: {
    plan: remote<PlanInput, EffectOutputs['plan']>(),
    replan: remote<ReplanInput, EffectOutputs['replan']>(),
    subtask: remote<SubtaskInput, SubtaskOutput>(),
    remediation: remote<RemediationInput, RemediationOutput>(),
    finalize: remote<FinalizeInput, EffectOutputs['finalize']>(),
    turn: remote<TurnInput, TurnOutput>(),
    verifier: remote<VerifierInput, VerifierOutput>(),
    question: remote<QuestionInput, EffectOutputs['question']>(),
  },
  actions: {
    ...rowActions,
    journalPlan: enqueueActions(({ context, enqueue }) => {
      enqueue({ type: 'journal', params: { event_type: 'task_plan_ready', data: describePlan(context) } });
    }),
    /** What failed is always told to the root's host: the run waits, it does not fail. */
    tellStuck: emit(({ event }) => retold(event)),
    tellStuckEffect: emit(({ event }) => stuckEvent(outputOf<'plan'>(event))),
    /** The plan of last resort: the goal as one subtask. */
    degrade: assign(({ context }) => accept(singleNodePlan(context.title))),
    /** PAUSE and RESUME go to every live subtask as they came. */
    forward: enqueueActions(({ context, event, enqueue }) => {
      for (const id of context.live) enqueue.sendTo(id, { type: event.type });
    }),
    /** A row, which every later prompt reads whole. */
    instruct: enqueueActions(({ event, enqueue }) => {
      const { id, at, text } = event as Instruction;
      enqueue({ type: 'put', params: { key: `steer/${at}-${id}`, value: text } });
      enqueue({ type: 'journal', params: { event_type: 'steer_instruction', data: { instruction: text } } });
    }),
    markLaunched: assign(({ context }) => launch(context)),
    recordOutcome: enqueueActions(({ context, event, enqueue }) => {
      const changed = outcome(context, event as SubtaskDone);
      enqueue.assign(changed);
      for (const action of queue.said.queued(context, changed)) enqueue(action);
    }),
    /** A subtask that waited for its follow-up has failed with it. */
    recordFollowUp: enqueueActions(({ context, event, enqueue }) => {
      const done = event as unknown as queue.ItemDone;
      enqueue.assign(queue.itemEnded(context, done));
      for (const action of queue.said.failed(context, done)) enqueue(action);
    }),
    noteUnmet: assign(({ event }) => unmetObligation(outputOf<'finalize'>(event))),
    noteFailure: assign(({ event }) => ({ failure: failureIn(outputOf<'finalize'>(event)) })),
    markItem: assign(({ context }) => queue.itemLaunched(context)),
    tellItems: enqueueActions(({ context, enqueue }) => {
      for (const item of queue.dispensable(context)) enqueue.sendTo(queue.childOf(item), { type: 'FINISH' });
      enqueue.assign({ items: queue.allTold(context) });
    }),
    reap: stopChild(({ event }) => (event as SubtaskDone).actorId),
    stopAll: enqueueActions(({ context, enqueue }) => {
      for (const id of context.live) enqueue.stopChild(id);
      for (const action of queue.said.left(context)) enqueue(action);
      enqueue.assign({ live: [], items: [], status: context.status.replace(/[pr]/g, 's') });
    }),
    failForSubtask: assign(({ context }) => ({ failure: causeOf(context) })),
    pause: assign({ pausing: true }),
    unpause: assign({ pausing: false }),
  },
  guards,
}).createMachine({
  id: 'task',
  context: ({ input }) => beginning(input),
  initial: 'planning',
  options: { maxIterations: 1000 },
  entry: {
    type: 'journal',
    params: ({ context }) => ({ event_type: 'task_planning', data: { goal: context.title } }),
  },
  on: {
    CANCEL: '.cancelled',
    PAUSE: { actions: ['pause', 'forward'] },
    RESUME: { actions: 'unpause' },
    STEER: { actions: 'instruct' },
  },
  states: {
    planning: {
      entry: {
        type: 'journal',
        params: { event_type: 'model_invocation', data: { phase: 'start', role: 'planner' } },
      },
      invoke: {
        src: 'plan',
        id: 'plan',
        input: ({ context }) => ({ repair: context.repairs, errors: context.errors }),
        onDone: [
          {
            guard: 'planSound',
            target: 'planned',
            actions: [
              assign(({ event }) => (event.output.ok ? accept(demoteSyntheses(event.output.plan).plan) : {})),
              'journalPlan',
            ],
          },
          { guard: 'planStuck', target: 'stuck', actions: 'tellStuckEffect' },
          {
            guard: 'repairsLeft',
            target: 'planning',
            reenter: true,
            actions: assign(({ context, event }) => repairing(context, event.output)),
          },
          {
            target: 'degrading',
            actions: assign(({ event }) => ({ errors: bounded(errorsOf(event.output)) })),
          },
        ],
      },
    },
    /** No budget or no model for a plan: waits, resumable. */
    stuck: { on: { RESUME: { target: 'planning', actions: 'unpause' } } },
    planned: { always: [{ guard: 'planOnly', target: 'outlined' }, { target: 'executing' }] },
    degrading: {
      entry: {
        type: 'journal',
        params: ({ context }) => ({
          event_type: 'task_plan_degraded',
          data: {
            reason_code: 'planner_invalid_plan',
            detail: context.errors.join('; ').slice(0, 500),
            policy_mode: context.settings.degraded_mode,
          },
        }),
      },
      always: [
        { guard: 'mayDegrade', target: 'planned', actions: ['degrade', 'journalPlan'] },
        { guard: 'mustAskToDegrade', target: 'askingToDegrade' },
        { target: 'failing', actions: assign(({ context }) => ({ failure: noPlan(context) })) },
      ],
    },
    askingToDegrade: {
      invoke: {
        src: 'question',
        id: 'degrade',
        input: ({ context }) => planQuestion(context),
        onDone: [
          { guard: 'approved', target: 'planned', actions: ['degrade', 'journalPlan'] },
          { target: 'failing', actions: assign({ failure: PLAN_REJECTED }) },
        ],
      },
    },
    executing: {
      initial: 'dispatching',
      entry: { type: 'journal', params: { event_type: 'task_executing', data: {} } },
      on: {
        'xstate.done.actor.*': [
          { guard: 'isSubtask', actions: ['recordOutcome', 'reap'] },
          { guard: 'isFollowUp', actions: ['recordFollowUp', 'reap'] },
        ],
        STUCK: { actions: 'tellStuck' },
        RESUME: { actions: ['unpause', 'forward'] },
      },
      states: {
        /** The whole scheduler: launch while there is room and work. */
        dispatching: {
          always: [
            { guard: 'pauseWanted', target: 'paused' },
            {
              guard: 'shouldReplan',
              target: 'replanning',
              actions: [
                {
                  type: 'journal',
                  params: ({ context }) => ({ event_type: 'task_replanning', data: replanReason(context) }),
                },
                assign(({ context }) => beginReplan(context)),
              ],
            },
            { guard: 'criticalFailed', target: '#task.failing', actions: 'failForSubtask' },
            { guard: 'allCompleted', target: '#task.finalizing' },
            {
              guard: 'roomAndWork',
              actions: [
                spawnChild('subtask', {
                  id: ({ context }) => nextChild(context),
                  input: ({ context }) => subtaskInput(context),
                }),
                'markLaunched',
              ],
            },
            {
              guard: 'roomForFollowUp',
              actions: [
                spawnChild('remediation', {
                  id: ({ context }) => queue.childOf(queue.nextItem(context)!),
                  input: ({ context }) => queue.itemInput(context),
                }),
                'markItem',
              ],
            },
            { guard: 'onlyFollowUps', actions: 'tellItems' },
            {
              guard: 'nothingRuns',
              target: '#task.failing',
              actions: [
                {
                  type: 'journal',
                  params: ({ context }) => ({ event_type: 'task_stalled', data: stalled(context) }),
                },
                'failForSubtask',
              ],
            },
          ],
        },
        /** Running work ends its step; nothing new starts. */
        paused: {
          entry: { type: 'journal', params: { event_type: 'task_paused', data: {} } },
          on: {
            RESUME: {
              target: 'dispatching',
              actions: [
                { type: 'journal', params: { event_type: 'task_resumed', data: {} } },
                'unpause',
                'forward',
              ],
            },
          },
        },
        /** A new plan for what is not finished; running work keeps running, finished work stays as it is. */
        replanning: {
          invoke: {
            src: 'replan',
            id: 'replan',
            input: ({ context }) => ({
              version: context.plan!.version,
              failed: context.replanFor?.id ?? '',
              reason: context.replanFor?.message ?? '',
            }),
            onDone: [
              {
                guard: 'mergeSound',
                target: 'dispatching',
                actions: [
                  assign(({ context, event }) =>
                    event.output.ok ? adopted(context, event.output.plan) : {},
                  ),
                  'journalPlan',
                ],
              },
              { guard: 'planStuck', target: 'replanStuck', actions: 'tellStuckEffect' },
              {
                target: '#task.failing',
                actions: [
                  {
                    type: 'journal',
                    params: ({ context, event }) => ({
                      event_type: 'task_replan_rejected',
                      data: rejection(context, event.output),
                    }),
                  },
                  'failForSubtask',
                ],
              },
            ],
          },
        },
        /** No budget or no model for a new plan: waits, resumable; running work keeps running. */
        replanStuck: { on: { RESUME: { target: 'replanning', actions: ['unpause', 'forward'] } } },
      },
    },
    /** Holds everything that is owed against its evidence; only then is the task completed. */
    finalizing: {
      invoke: {
        src: 'finalize',
        id: 'finalize',
        input: ({ context }) => ({ version: context.plan!.version, ...context.closing }),
        onDone: [
          { guard: 'wantsRecheck', target: 'rechecking' },
          { guard: 'wantsJudging', target: 'judging' },
          { guard: 'allShown', target: 'completed' },
          {
            guard: 'notShown',
            target: 'executing',
            actions: 'noteUnmet',
          },
          {
            target: 'failing',
            actions: 'noteFailure',
          },
        ],
      },
    },
    /** Commands that were evidence before later changes run once more, through the same gate. */
    rechecking: {
      on: {
        STUCK: { actions: 'tellStuck' },
        RESUME: { actions: ['unpause', sendTo('recheck', { type: 'RESUME' })] },
      },
      invoke: {
        src: 'turn',
        id: 'recheck',
        input: ({ context, event }) => recheckInput(context, outputOf<'finalize'>(event)),
        onDone: {
          target: 'finalizing',
          actions: assign(({ context }) => ({ closing: { ...context.closing, rechecked: true } })),
        },
      },
    },
    /** The goal's own criteria, over the work of all. */
    judging: {
      on: {
        STUCK: { actions: 'tellStuck' },
        RESUME: { actions: ['unpause', sendTo('goal', { type: 'RESUME' })] },
      },
      invoke: {
        src: 'verifier',
        id: 'goal',
        input: ({ context }) => goalVerifierInput(context),
        onDone: {
          target: 'finalizing',
          actions: assign(({ context, event }) => ({
            closing: { ...context.closing, goal: event.output.verdict },
          })),
        },
      },
    },
    /** Everything still running is told to stop; the host ends the run when all of it has settled. */
    failing: { entry: 'stopAll', always: 'failed' },
    outlined: { type: 'final', output: (): TaskOutput => ({ status: 'planned' }) },
    completed: { type: 'final', output: (): TaskOutput => ({ status: 'completed' }) },
    cancelled: { entry: 'stopAll', type: 'final', output: (): TaskOutput => ({ status: 'cancelled' }) },
    failed: { type: 'final', output: ({ context }) => failedOutput(context) },
  },
  output: ({ event }) => event.output as TaskOutput,
});

export const task: AnyStateMachine = machine;
