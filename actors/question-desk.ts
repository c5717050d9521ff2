/** The open questions of a run: asked here if somebody can be asked, answered from here or from any other process. */
import type { EffectEntry } from '../machines/react.ts';
import type { Row } from '../store/port.ts';
import type { EffectResult } from './effect.ts';
import type { Answer, Question } from './loom.ts';
import { answeredLine } from './questions.ts';

export type Ask = (question: Question, signal: AbortSignal) => Promise<Answer | null>;

export interface QuestionDesk {
  readonly open: Question[];
  /** Somebody here may still answer. */
  readonly undecided: boolean;
  ask(effect: EffectEntry, question: Question): void;
  /** `rows` go into the commit that takes the answer. False: no such question is open. */
  answer(questionId: string, answer: Answer, rows: Row[]): boolean;
  /** The machine does not want an answer any more. False: no such question is open. */
  withdraw(key: string): boolean;
  close(): void;
}

interface Hooks {
  settled(key: string, result: EffectResult): void;
  /** Nobody here will answer this one. */
  declined(): void;
  pause(path: string): void;
  resume(path: string): void;
}

interface Entry {
  effect: EffectEntry;
  question: Question;
  declined: boolean;
  abort: AbortController;
}

export function createDesk(ask: Ask | undefined, hooks: Hooks): QuestionDesk {
  const entries = new Map<string, Entry>();

  function take(key: string): Entry | undefined {
    const entry = entries.get(key);
    if (!entry) return undefined;
    entries.delete(key);
    entry.abort.abort();
    hooks.resume(entry.effect.path);
    return entry;
  }

  function answerKey(key: string, answer: Answer, rows: Row[]): boolean {
    const entry = take(key);
    if (!entry) return false;
    hooks.settled(key, {
      output: { ok: true, answer: answer.answer, reason: answer.reason ?? '' },
      rows,
      journal: [answeredLine(entry.question, answer)],
    });
    return true;
  }

  return {
    get open() {
      return [...entries.values()].map(entry => entry.question);
    },
    get undecided() {
      return [...entries.values()].some(entry => !entry.declined);
    },
    /** A question stays open until somebody answers; it never blocks anything but its own actor. */
    ask(effect, question) {
      const entry: Entry = { effect, question, declined: ask === undefined, abort: new AbortController() };
      entries.set(effect.key, entry);
      hooks.pause(effect.path);
      const decline = () => {
        entry.declined = true;
        hooks.declined();
      };
      void ask?.(question, entry.abort.signal).then(answer => {
        if (answer) answerKey(effect.key, answer, []);
        else decline();
      }, decline);
    },
    answer(questionId, answer, rows) {
      const found = [...entries].find(([, entry]) => entry.question.id === questionId);
      return found !== undefined && answerKey(found[0], answer, rows);
    },
    withdraw(key) {
      if (!take(key)) return false;
      hooks.settled(key, { output: { ok: true, answer: 'withdrawn', reason: '' } });
      return true;
    },
    close() {
      for (const entry of entries.values()) entry.abort.abort();
    },
  };
}
