/** What a session asks for beside what its turns ask for: a text becomes a message, a stopped turn is put in order. */
import type { EffectOutputs } from '../../machines/effects.ts';
import type { ComposeInput, MendInput } from '../../machines/session-context.ts';
import { QUEUE_PREFIX, steerPrefix } from '../../machines/session-context.ts';
import type { Row } from '../../store/port.ts';
import type { Effect } from '../effect.ts';
import type { TaskDeps } from '../effects/deps.ts';
import { chooseTools } from '../effects/offered.ts';
import { messageKey, offeredKey, row, type StoredMessage } from '../effects/rows.ts';
import { lessonOf } from '../learning/corrections.ts';
import { estimateRequest, messageText } from '../models/estimate.ts';
import { titleOf } from '../task-record.ts';
import { attached } from './attachments.ts';
import { TITLE_KEY } from './record.ts';
import { SESSION_TOOLS, type SessionMessage } from './rows.ts';

interface Queued {
  text: string;
  attachments: string[];
}

/** Written for a call that had not begun when its turn was stopped. */
const NOT_DONE =
  'Error: this call was not carried out: the turn was stopped before it. Nothing was changed by it.';

export function composeEffect(deps: TaskDeps): Effect {
  return async (intent, context) => {
    const { thread, previous } = intent.input as ComposeInput;
    const [waiting] = await deps.store.range<Queued>(deps.run, QUEUE_PREFIX, { limit: 1 });
    const unheard = await unheardIn(deps, previous);
    const texts = [...unheard, ...(waiting ? [waiting.value.text] : [])];
    const nothing: EffectOutputs['compose'] = { ok: true, empty: true, took: 0, tokens: 0, reflect: false };
    if (texts.length === 0) return { output: nothing };
    const files = await attached(deps.workspace, waiting?.value.attachments ?? []);
    const content = [texts.join('\n\n'), ...files].join('\n\n');
    const message: StoredMessage = { message: { role: 'user', content } };
    const lesson = await lessonOf(deps, { thread, previous, text: texts.join('\n') });
    const titled = (await deps.rows.get<string>(TITLE_KEY)) !== null;
    return {
      output: {
        ok: true,
        empty: false,
        took: waiting ? 1 : 0,
        tokens: estimateRequest({ messages: [message.message], tools: deps.tools }),
        reflect: lesson.reflect,
      } satisfies EffectOutputs['compose'],
      rows: [
        row(messageKey.prompt(thread, 0), message),
        ...(waiting ? [row(waiting.key, null)] : []),
        ...(titled ? [] : [row(TITLE_KEY, titleOf(texts[0]!))]),
        ...(await toolRows(deps, texts.join('\n'), context.signal)),
        ...lesson.rows,
      ],
      journal: [
        {
          event_type: 'user_message',
          data: { thread, text: texts.join('\n\n'), attachments: waiting?.value.attachments ?? [] },
        },
        ...lesson.journal,
      ],
    };
  };
}

/** Chosen once, so that every request begins alike. */
async function toolRows(deps: TaskDeps, text: string, signal: AbortSignal): Promise<Row[]> {
  const key = offeredKey(SESSION_TOOLS);
  if (await deps.rows.get(key)) return [];
  return [row(key, await chooseTools(deps, 'session', 1, text, signal))];
}

/** What was said to the turn before and reached none of its requests. */
async function unheardIn(deps: TaskDeps, thread: string): Promise<string[]> {
  const said = await deps.store.range<string>(deps.run, steerPrefix(thread));
  if (said.length === 0) return [];
  const messages = await deps.store.range<StoredMessage>(deps.run, `m/${thread}/`);
  const heard = new Set(messages.flatMap(({ value }) => value.instructions ?? []));
  return said.filter(({ key }) => !heard.has(key)).map(({ value }) => value);
}

/** No call of a stopped turn stays without a result: what was in flight has said what it knows by now, the rest was not done. */
export function mendEffect(deps: TaskDeps): Effect {
  return async intent => {
    const { thread } = intent.input as MendInput;
    const stored = await deps.store.range<SessionMessage>(deps.run, `m/${thread}/`);
    const results = new Set(
      stored.flatMap(({ value: { message } }) => (message.role === 'tool' ? [message.tool_call_id] : [])),
    );
    const rows = stored.flatMap(({ key, value: { message } }): Row[] => {
      if (message.role !== 'assistant') return [];
      const iteration = Number(/\/(\d+)\.b$/.exec(key)?.[1] ?? 0);
      return (message.tool_calls ?? []).flatMap(({ id, name }, n) =>
        results.has(id)
          ? []
          : [
              row(messageKey.result(thread, iteration, n), {
                message: { role: 'tool', tool_call_id: id, name, content: NOT_DONE },
              } satisfies StoredMessage),
            ],
      );
    });
    return { output: { ok: true } satisfies EffectOutputs['mend'], rows };
  };
}

/** Text of the newest answer of a turn, '' where there is none. */
export async function lastAnswer(deps: Pick<TaskDeps, 'store' | 'run'>, thread: string): Promise<string> {
  const stored = await deps.store.range<StoredMessage>(deps.run, `m/${thread}/`, { reverse: true, limit: 8 });
  const answer = stored.find(({ value }) => value.message.role === 'assistant');
  return answer ? messageText(answer.value.message) : '';
}
