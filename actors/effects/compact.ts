/** Makes short what no longer fits the window and cannot be looked up again: the output of commands, long words of the model.
 *  Files, listings and changes are left out without it, because the worker can read them again.
 *
 *  `cp/<thread>` holds what was kept, and how many of the oldest messages it covers. */
import type { EffectOutputs } from '../../machines/effects.ts';
import { shrank } from '../../machines/loop-guard.ts';
import type { CompactInput } from '../../machines/turn.ts';
import type { Effect } from '../effect.ts';
import { estimateTokens, messageText } from '../models/estimate.ts';
import { extractJson } from '../models/extract-json.ts';
import type { Message, ToolCall } from '../models/model.ts';
import { compactorMessages } from '../prompts/compactor.ts';
import { type CallRequest, callModel, planCall, stated } from './call-model.ts';
import { costOf, type TaskDeps } from './deps.ts';
import { offeredTools } from './offered.ts';
import { roomFor } from './room.ts';
import { row } from './rows.ts';

export interface Compaction {
  /** Messages behind the prompt. */
  covers: number;
  text: string;
}

/** Characters that must be about to be lost before it is worth a model call. */
const WORTH = 2_000;
/** Shorter texts stay in the note about what was left out. */
const NOTED = 160;
/** Part of the prompt that the kept text may take. */
const MEMORY_SHARE = 0.1;
const PROMPT_SHARE = 0.7;
/** Models count characters badly. */
const TOLERANCE = 1.5;

const compactionKey = (thread: string): string => `cp/${thread}`;
const NOTHING: Compaction = { covers: 0, text: '' };

/** What a compaction of this thread kept. */
export const compactionOf = async (deps: TaskDeps, thread: string): Promise<Compaction> =>
  (await deps.rows.get<Compaction>(compactionKey(thread))) ?? NOTHING;

/** Only a model that was given the role compacts: a stand-in would be asked without anybody having wanted it. */
const hasCompactor = (deps: TaskDeps): boolean =>
  Object.values(deps.config.models).some(model => model.roles.includes('compactor'));

/** Whether what is left out for the first time holds enough that cannot be looked up again. */
export async function losesTooMuch(deps: TaskDeps, gone: Message[], known: Compaction): Promise<boolean> {
  if (!hasCompactor(deps) || gone.length <= known.covers) return false;
  const lost = await unrepeatable(deps, gone.slice(known.covers));
  return lost.reduce((sum, text) => sum + text.length, 0) >= WORTH;
}

/** What running the calls again would not bring back. */
async function unrepeatable(deps: TaskDeps, gone: Message[]): Promise<string[]> {
  const texts: string[] = [];
  for (const message of gone) {
    if (message.role !== 'assistant') continue;
    if (message.content.length > NOTED) texts.push(`You said: ${message.content}`);
    for (const call of message.tool_calls ?? []) {
      const result = gone.find(other => other.role === 'tool' && other.tool_call_id === call.id);
      const text = result ? messageText(result) : '';
      if (text.length > NOTED && !(await repeatable(deps, call)))
        texts.push(`${call.name} ${call.arguments.slice(0, 300)}\n${text}`);
    }
  }
  return texts;
}

async function repeatable(deps: TaskDeps, { name, arguments: text }: ToolCall): Promise<boolean> {
  // The words of a person are kept as they are; changes stand in the files.
  if (name === 'ask_user' || !deps.registry.get(name)) return true;
  try {
    const args = JSON.parse(text) as Record<string, unknown>;
    const { effect } = await deps.registry.assess(name, args, deps.workspace);
    return effect === 'repeatable' || effect === 'checkable';
  } catch {
    return true;
  }
}

export function compactEffect(deps: TaskDeps): Effect {
  return async (intent, context) => {
    const input = intent.input as CompactInput;
    const history = (await deps.rows.messages(input.thread)).map(entry => entry.message);
    const known = await compactionOf(deps, input.thread);
    const worker: CallRequest = {
      history,
      tools: await offeredTools(deps, input.role, input.thread),
      tier: input.tier,
      subtask: input.subtask,
      memory: known.text,
    };
    const { fitted, shares } = await planCall(deps, input.role, worker, context.signal).catch(error => {
      throw stated(error, context, { role: input.role });
    });
    const lost = await unrepeatable(deps, fitted.gone.slice(known.covers));
    if (lost.length === 0)
      return { output: { ok: true, before: 0, after: 0 } satisfies EffectOutputs['compact'] };
    const limit = Math.max(400, Math.floor(shares.prompt * MEMORY_SHARE) * 4);
    const room = await roomFor(deps, 'compactor', 1, PROMPT_SHARE, context.signal);
    const called = await callModel(deps, context, 'compactor', {
      history: compactorMessages(
        { subtask: input.subtask ?? '', goal: deps.goal.slice(0, 1_000), memory: known.text, lost },
        limit,
        room,
      ),
      tier: 1,
      subtask: input.subtask,
      max_tokens: limit,
    });
    const { response } = called.routed;
    const said = response.finish === 'length' ? '' : shortText(response.content);
    const text = said.length <= limit * TOLERANCE ? said : '';
    const before = estimateTokens([known.text, ...lost].join('\n'));
    // An answer that is empty, cut off or much too long has kept nothing.
    const after = text === '' ? before : estimateTokens(text);
    const helped = shrank(before, after);
    return {
      output: { ok: true, before, after } satisfies EffectOutputs['compact'],
      rows: helped
        ? [
            row(compactionKey(input.thread), {
              covers: fitted.gone.length,
              text,
            } satisfies Compaction),
          ]
        : [],
      journal: [
        ...called.journal,
        {
          event_type: 'compaction_policy_decision',
          data: {
            subtask_id: input.subtask,
            decision: helped ? 'compact_history' : 'skip',
            before_tokens: before,
            after_tokens: after,
          },
        },
      ],
      used: costOf(deps.config, called.routed),
    };
  };
}

/** The answer itself, or the text in the JSON that some models put around it. */
function shortText(content: string): string {
  const value = extractJson(content, ['compressed_text'])?.value;
  const inside =
    value && typeof value === 'object' && !Array.isArray(value)
      ? (value as Record<string, unknown>)['compressed_text']
      : undefined;
  return (typeof inside === 'string' ? inside : content).trim();
}
