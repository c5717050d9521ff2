/** What a run tells and asks: facts, previews, questions. */

/** One journal line. Numbered from 1 without gaps per task; a fact, on disk before anybody sees it. */
export interface JournalEvent {
  seq: number;
  event_type: string;
  task_id: string;
  timestamp: string;
  data: Record<string, unknown>;
}

/** A piece of an answer that is still being written; may be withdrawn. Never stored as a fact. */
export interface Preview {
  task_id: string;
  call: string;
  attempt: number;
  offset: number;
  text: string;
  reset?: true;
}

export interface Question {
  /** What `loom answer ID` takes. */
  id: string;
  task_id: string;
  kind: 'approval' | 'uncertain' | 'ask_user' | 'plan' | 'result';
  subtask_id: string | null;
  prompt: string;
  choices: string[];
  /** The tool call it is about, as in the journal; '' where it is about none. */
  call: string;
  /** What exactly would happen: the whole command, the text to be written or replaced. '' where there is nothing to show. */
  detail: string;
  /** The rule that would have let it pass, '' where none can. */
  rule: string;
  risk: string;
  asked_at: string;
}

export interface Answer {
  /** One of the question's choices, or free text for `ask_user`. */
  answer: string;
  reason?: string;
  /** In a session, with a yes: other arguments for the call that was asked about. */
  arguments?: Record<string, unknown>;
}
