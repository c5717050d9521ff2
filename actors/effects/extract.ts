/** Has a model read a completed subtask for what others should know. A help, never a condition: whatever goes wrong, the
 *  subtask is done, and its recorded memory is there without it. */
import type { EffectOutputs } from '../../machines/effects.ts';
import { failure, LoomError } from '../../machines/failure.ts';
import type { SettleInput, SubtaskRecord } from '../../machines/subtask.ts';
import type { Effect, EffectResult } from '../effect.ts';
import { extractJson, extractList } from '../models/extract-json.ts';
import { extractorMessages } from '../prompts/extractor.ts';
import { callModel } from './call-model.ts';
import { costOf, type TaskDeps } from './deps.ts';
import { memoryEntry } from './memory.ts';
import { roomFor } from './room.ts';
import { extractedKey, MEMORY_TYPES, type MemoryEntry, nodeOf, row } from './rows.ts';
import { finalAnswer } from './work.ts';

const MOST_ENTRIES = 6;
/** Part of the window beside the answer. */
const PROMPT_SHARE = 0.9;
/** Tokens of the answer. */
const ANSWER_TOKENS = 1_024;

export function extractEffect(deps: TaskDeps): Effect {
  return async (intent, context) => {
    const input = intent.input as SettleInput;
    const { runner } = deps.config.limits;
    const [messages, traces, plan] = await Promise.all([
      deps.rows.messages(input.thread),
      deps.rows.traces(input.thread),
      deps.rows.plan(input.plan_version),
    ]);
    const ended = await Promise.all(plan.subtasks.map(node => deps.rows.get<SubtaskRecord>(`s/${node.id}`)));
    const open = plan.subtasks.filter((node, i) => node.id !== input.subtask && !ended[i]);
    const history = extractorMessages(
      {
        goal: deps.goal,
        node: nodeOf(plan, input.subtask),
        others: open.slice(0, 24).map(node => `${node.id}: ${node.description.slice(0, 160)}`),
        claim: finalAnswer(messages),
        traces,
      },
      {
        prompt: Math.min(
          runner.extractor_prompt_max_chars,
          await roomFor(deps, 'extractor', 1, PROMPT_SHARE, context.signal),
        ),
        trace: runner.extractor_tool_trace_max_chars,
        call: runner.extractor_tool_args_max_chars,
      },
    );
    const seconds = runner.extractor_timeout_guard_seconds;
    const signal =
      seconds > 0 ? AbortSignal.any([context.signal, AbortSignal.timeout(seconds * 1_000)]) : context.signal;
    try {
      const called = await callModel(deps, { ...context, signal }, 'extractor', {
        history,
        tier: 1,
        subtask: input.subtask,
        max_tokens: ANSWER_TOKENS,
      });
      const { content } = called.routed.response;
      const entries = readEntries(
        content,
        input.subtask,
        open.map(node => node.id),
      );
      return {
        output: { ok: true, entries: entries.length } satisfies EffectOutputs['extract'],
        rows: entries.length > 0 ? [row(extractedKey(input.thread), entries)] : [],
        journal: [...called.journal, told(input, { entries: entries.length })],
        used: costOf(deps.config, called.routed),
      };
    } catch (error) {
      // Stopped by the run itself: nothing to tell.
      if (context.signal.aborted || !(error instanceof LoomError)) throw error;
      return missed(input, error, seconds);
    }
  };
}

function missed(input: SettleInput, error: LoomError, seconds: number): EffectResult {
  const { code, message } = error.failure;
  const why = code === 'aborted' ? `no answer within ${seconds} s` : message;
  return {
    output: { ok: false, failure: failure('retryable', code, why) } satisfies EffectOutputs['extract'],
    journal: [told(input, { entries: 0, error: why.slice(0, 300) })],
  };
}

const told = ({ subtask }: SettleInput, data: { entries: number; error?: string }) => ({
  event_type: 'memory_extracted',
  data: { subtask_id: subtask, ...data },
});

/** What can be used of the answer; nothing of one that cannot be read. */
export function readEntries(text: string, subtask: string, known: string[]): MemoryEntry[] {
  const found = extractJson(text, ['entries'])?.value['entries'] ?? extractList(text, ['type', 'summary']);
  if (!Array.isArray(found)) return [];
  const texts = (value: unknown): string[] =>
    Array.isArray(value) ? value.filter(item => typeof item === 'string') : [];
  return found.slice(0, MOST_ENTRIES).flatMap((given: unknown): MemoryEntry[] => {
    const { type, summary, detail, tags, relevance_to } = (given ?? {}) as Record<string, unknown>;
    const named = MEMORY_TYPES.find(word => word === type) ?? 'context';
    if (typeof summary !== 'string' || summary.trim() === '') return [];
    return [
      memoryEntry(subtask, named, summary, {
        detail: typeof detail === 'string' ? detail : '',
        tags: texts(tags),
        relevance_to: texts(relevance_to).filter(id => known.includes(id)),
      }),
    ];
  });
}
