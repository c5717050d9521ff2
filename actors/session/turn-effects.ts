/** Model calls of a session: what was written before it was cut off is kept as it is.
 *
 *  While an answer arrives, its text is checkpointed (`p/<key>`) at most every half second, so that a killed process loses at
 *  most that much of a preview. A person who stops the turn loses nothing of it. */
import type { EffectEntry } from '../../machines/react.ts';
import type { ModelInput } from '../../machines/turn.ts';
import type { Row } from '../../store/port.ts';
import type { Effect, EffectContext, EffectResult } from '../effect.ts';
import type { TaskDeps } from '../effects/deps.ts';
import { modelEffect } from '../effects/model.ts';
import { messageKey, row, type StoredMessage } from '../effects/rows.ts';
import { messageText } from '../models/estimate.ts';
import type { SessionMessage } from './rows.ts';

const EVERY_MS = 500;

/** What a checkpoint of a model call holds. */
interface Partial {
  text: string;
}

export function sessionModelEffect(deps: TaskDeps): Effect {
  const inner = modelEffect(deps);
  return async (intent, context) => {
    const input = intent.input as ModelInput;
    const kept = keeping(context);
    const result = await inner(intent, { ...context, preview: kept.preview }).catch(
      (error: unknown): EffectResult => {
        if (!context.signal.aborted || kept.text().trim() === '') throw error;
        return cutOff(input, kept.text());
      },
    );
    const answer = result.rows?.find(({ key }) => key === messageKey.answer(input.thread, input.iteration));
    if (!answer) return result;
    const { message, alias, interrupted } = answer.value as SessionMessage;
    const text = messageText(message);
    return {
      ...result,
      journal: [
        ...(result.journal ?? []),
        {
          event_type: 'assistant_message',
          data: {
            thread: input.thread,
            iteration: input.iteration,
            call: intent.key,
            text,
            alias: alias ?? '',
            ...(interrupted ? { interrupted } : {}),
          },
        },
      ],
    };
  };
}

/** Follows a preview and stores it now and then. */
function keeping(context: EffectContext): { preview: EffectContext['preview']; text(): string } {
  let text = '';
  let due = 0;
  let storing = false;
  const store = (): void => {
    const now = performance.now();
    if (storing || now < due || text === '') return;
    due = now + EVERY_MS;
    storing = true;
    context
      .checkpoint({ text } satisfies Partial)
      .catch(() => undefined)
      .finally(() => {
        storing = false;
      });
  };
  return {
    text: () => text,
    preview(delta) {
      // Withdrawn only because it was stopped: what had arrived stays.
      if (delta.reset && context.signal.aborted) return;
      text = delta.reset ? '' : text.slice(0, delta.offset) + delta.text;
      store();
      context.preview(delta);
    },
  };
}

/** The part of an answer that had arrived. */
const partialRow = ({ thread, iteration }: ModelInput, text: string): Row =>
  row(messageKey.answer(thread, iteration), {
    message: { role: 'assistant', content: text },
    interrupted: true,
  } satisfies SessionMessage);

const cutOffLine = ({ thread, iteration }: ModelInput, call: string, text: string) => ({
  event_type: 'assistant_message',
  data: { thread, iteration, call, text, alias: '', interrupted: true },
});

const cutOff = (input: ModelInput, text: string): EffectResult => ({
  output: {
    ok: false,
    failure: { kind: 'retryable', code: 'aborted', message: 'the answer was cut off' },
  },
  rows: [partialRow(input, text)],
});

/** Rows that say what a lost process had begun: answers as far as they had come, commands of which nobody knows the end. */
export async function salvaged(
  deps: Pick<TaskDeps, 'store' | 'run'>,
  effects: EffectEntry[],
  checkpoints: Map<string, unknown>,
): Promise<{ rows: Row[]; journal: { event_type: string; data: Record<string, unknown> }[] }> {
  const rows: Row[] = [];
  const journal: { event_type: string; data: Record<string, unknown> }[] = [];
  for (const effect of effects) {
    const checkpoint = checkpoints.get(effect.key);
    if (checkpoint === undefined) continue;
    if (effect.source === 'model') {
      const input = effect.input as ModelInput;
      const { text } = checkpoint as Partial;
      rows.push(partialRow(input, text));
      journal.push(cutOffLine(input, effect.key, text));
    }
    if (effect.source === 'tool' && effect.class === 'unknowable') {
      const { thread, iteration, n, tool, subject } = effect.input as ModelInput & {
        n: number;
        tool: string;
        subject: string;
      };
      const answer = await deps.store.get<StoredMessage>(deps.run, messageKey.answer(thread, iteration));
      const call = answer?.calls?.[n];
      if (!call) continue;
      const content = `Uncertain: Loom was stopped while this ran, so nobody knows whether it finished or what it changed: ${tool} ${subject}. Look before you repeat it.`;
      rows.push(
        row(messageKey.result(thread, iteration, n), {
          message: { role: 'tool', tool_call_id: call.id, name: call.name, content },
        } satisfies StoredMessage),
      );
      journal.push({
        event_type: 'tool_call_uncertain',
        data: { tool, subject, call: `${thread}.${iteration}.${n}` },
      });
    }
  }
  return { rows, journal };
}
