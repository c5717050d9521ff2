/** The façade of one session: says things to its run, and tells what happens. It holds no logic of its own. */

import type { Ledger } from '../../machines/budget.ts';
import { LoomError } from '../../machines/failure.ts';
import { askedCall, editRows } from '../edited-call.ts';
import type { JournalEvent } from '../loom.ts';
import { questionDetail } from '../question-detail.ts';
import { matchChoice } from '../questions.ts';
import { checkRules } from '../rules.ts';
import { newId, readInstruction } from '../task-record.ts';
import { eventStream } from './event-stream.ts';
import { tailOf } from './history.ts';
import { SESSION_KEY, TITLE_KEY } from './record.ts';
import type { SessionRun } from './run.ts';
import type { Session, SessionEvent, SessionPhase, SessionUsage } from './types.ts';

/** `send`, and the hooks of the run that was started with them. */
export interface Wire {
  stream: ReturnType<typeof eventStream<SessionEvent>>;
  /** Set once the run is there. */
  attach(run: SessionRun): void;
  onEvent(event: JournalEvent): void;
  onPreview(preview: Extract<SessionEvent, { type: 'preview' }>['preview']): void;
}

/** Between a run that begins to speak and whoever will listen. */
export function wire(): Wire {
  const stream = eventStream<SessionEvent>();
  let run: SessionRun | null = null;
  let streaming = '';
  return {
    stream,
    attach(started) {
      run = started;
    },
    onEvent: event => stream.push({ type: 'event', event }),
    onPreview(preview) {
      // The first words of an answer are a fact, too: whoever looks from elsewhere sees that it is being written.
      if (preview.call !== streaming) {
        streaming = preview.call;
        void run?.host.tell({ type: 'STREAMING' }).catch(() => undefined);
      }
      stream.push({ type: 'preview', preview });
    },
  };
}

const phaseOf = (value: unknown): SessionPhase => {
  const state = typeof value === 'string' ? value : String(Object.values(value as object)[0]);
  return (state === 'concluded' ? 'idle' : state) as SessionPhase;
};

export function createSession(run: SessionRun, { stream }: Wire, resumed: boolean): Session {
  const { host, deps, head, record } = run;
  const { store } = deps;
  let said = 0;
  void run.end.then(() => stream.end());

  const text = (type: 'USER' | 'STEER', words: string, attachments: string[] = []) =>
    host.tell({
      type,
      // In the order in which they were said, also within a millisecond.
      id: `${String(++said).padStart(4, '0')}${newId()}`,
      at: new Date().toISOString(),
      text: readInstruction(words),
      attachments,
    });

  /** The rules of loom.toml stay before those of the session. */
  async function changeRules(change: () => void): Promise<void> {
    change();
    await host.tell({ type: 'RULES' }, [{ key: SESSION_KEY, value: record }]);
  }
  const add = (list: 'allow' | 'deny') => async (rule: string) => {
    checkRules(
      [rule],
      deps.registry.list().map(tool => tool.name),
    );
    // As after a session is taken up: the rules of its folder come along each time.
    if (record[list].includes(rule)) return;
    await changeRules(() => {
      record[list].push(rule);
      deps.policy[list].push(rule);
    });
  };

  return {
    id: head.id,
    workspace: head.workspace,
    resumed,
    title: async () => (await store.get<string>(head.id, TITLE_KEY)) ?? '',
    state() {
      const root = host.root();
      if (!root) return { phase: 'closed', turns: 0, queued: 0, questions: [] };
      const { turns, queued } = root.context as { turns: number; queued: number };
      return { phase: phaseOf(root.value), turns, queued, questions: host.questions };
    },
    send: (words, { attachments = [] } = {}) => text('USER', words, attachments),
    steer: words => text('STEER', words),
    interrupt: () => host.tell({ type: 'INTERRUPT' }),
    async question(id) {
      const question = host.questions.find(open => open.id === id);
      if (!question) return null;
      return { ...question, detail: await questionDetail(store, head.id, question.call) };
    },
    async asked(id) {
      const question = host.questions.find(open => open.id === id);
      const call = question ? await askedCall(deps.rows, question.call) : null;
      return call && { tool: call.name, arguments: call.arguments };
    },
    async answer(id, answer) {
      const question = host.questions.find(open => open.id === id);
      const choice = question ? matchChoice(question, answer.answer) : null;
      const { arguments: changed, ...said } = answer;
      const rows = question && changed ? await editRows(deps, question.call, changed) : [];
      if (!question || (choice !== null && !host.answer(id, { ...said, answer: choice }, rows)))
        throw new LoomError(
          'terminal',
          'unknown_id',
          `There is no open question "${id}"; it may have been answered already.`,
        );
      if (choice === null)
        throw new LoomError(
          'terminal',
          'usage',
          `"${answer.answer}" is not an answer to this question; choose one of ${question.choices.join(', ') || 'any words'}.`,
        );
    },
    allow: add('allow'),
    deny: add('deny'),
    async forget(rule) {
      const list = (['allow', 'deny'] as const).find(name => record[name].includes(rule));
      if (!list) return false;
      await changeRules(() => {
        record[list].splice(record[list].indexOf(rule), 1);
        deps.policy[list].splice(deps.policy[list].lastIndexOf(rule), 1);
      });
      return true;
    },
    rules: () => ({ ...deps.policy, allow: [...deps.policy.allow], deny: [...deps.policy.deny] }),
    events: () => stream.listen(),
    history: (tail = 40) => tailOf(store, head.id, tail),
    async usage(): Promise<SessionUsage> {
      const [ledger, used] = await Promise.all([store.get<Ledger>(head.id, 'ledger'), contextOf(run)]);
      const spent = ledger?.spent;
      return {
        tokens: spent?.tokens ?? 0,
        model_calls: spent?.model_calls ?? 0,
        tool_calls: spent?.tool_calls ?? 0,
        cost_usd: spent?.usd ?? 0,
        context: used,
      };
    },
    async close() {
      await host.tell({ type: 'CLOSE' }).catch(() => undefined);
      await run.end;
    },
  };
}

/** Tokens of the newest request as the server counted them, and the window of its model. */
async function contextOf({ deps, head }: SessionRun): Promise<SessionUsage['context']> {
  const newest = await deps.store.range<JournalEvent>(head.id, 'j/', { reverse: true, limit: 200 });
  const done = newest.find(
    ({ value }) => value.event_type === 'model_invocation' && value.data['phase'] === 'done',
  );
  if (!done) return null;
  try {
    const window = await deps.router.pick('session', { tier: 1 }).window(AbortSignal.timeout(2_000));
    return { tokens: Number(done.value.data['input_tokens'] ?? 0), window };
  } catch {
    return null;
  }
}
