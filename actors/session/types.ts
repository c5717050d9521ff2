/** The interactive session as a library: what a terminal, a server or a program may do with one. Implemented in `session.ts`. */
import type { ApprovalPolicy } from '../../machines/approval.ts';
import type { Answer, JournalEvent, Preview, Question } from '../events.ts';

export interface SessionOptions {
  /** Id of a session or the beginning of it; its conversation goes on. */
  resume?: string;
  /** The session of this workspace that was used last; a new one when there is none. */
  continue?: boolean;
  workspace?: string;
  /** Rules for this session, beside those of loom.toml. */
  allow?: string[];
  deny?: string[];
  signal?: AbortSignal;
}

/** Facts are on disk before they are told; previews may be withdrawn (`reset`) and are replaced by the fact. */
export type SessionEvent = { type: 'event'; event: JournalEvent } | { type: 'preview'; preview: Preview };

/** idle: waits for a text · composing: the message is being written · thinking, streaming: the model works · acting: tools run ·
 *  approving: a person decides about a call · awaiting: the model asked a person · mending: a stopped turn is put in order. */
export type SessionPhase =
  | 'idle'
  | 'composing'
  | 'thinking'
  | 'streaming'
  | 'acting'
  | 'approving'
  | 'awaiting'
  | 'mending'
  | 'reflecting'
  | 'closing'
  | 'closed';

export interface SessionState {
  phase: SessionPhase;
  /** Turns that were begun. */
  turns: number;
  /** Texts that wait for their turn. */
  queued: number;
  questions: Question[];
}

/** One message as it is stored, verbatim. */
export interface HistoryEntry {
  /** Position in the session, from 1. */
  n: number;
  turn: number;
  role: 'user' | 'assistant' | 'tool';
  text: string;
  /** Of an assistant: what it called. */
  calls: { id: string; name: string; arguments: string }[];
  /** Of a tool: whose result it is. */
  tool?: string;
  call_id?: string;
  /** Of a tool: the call as the journal names it, `<thread>.<iteration>.<n>`. */
  call?: string;
  /** The answer was cut off here, by a person or by the end of the process. */
  interrupted: boolean;
}

export interface SessionSummary {
  session_id: string;
  title: string;
  workspace: string;
  created_at: string;
  updated_at: string;
  messages: number;
  /** A process has it open right now. */
  live: boolean;
}

export interface SessionUsage {
  /** Of prompts and answers together. */
  tokens: number;
  model_calls: number;
  tool_calls: number;
  cost_usd: number;
  /** Of the newest request: its tokens, and the window of the model it went to; null before the first. */
  context: { tokens: number; window: number } | null;
}

export interface Session {
  readonly id: string;
  readonly workspace: string;
  /** Its conversation was there before. */
  readonly resumed: boolean;
  title(): Promise<string>;
  state(): SessionState;
  /** Resolves when the text is on disk; it becomes a turn of its own, at once or after those before it.
   *  @param options.attachments paths of files or folders in the workspace, whose contents go along */
  send(text: string, options?: { attachments?: string[] }): Promise<void>;
  /** Tells the running turn something at its next step; when none runs it is a text like any other. */
  steer(text: string): Promise<void>;
  /** Stops the running turn; what it did stays, what it left undone gets a result that says so. */
  interrupt(): Promise<void>;
  /** An open question with what exactly would happen (`detail`); null when it is not open. */
  question(id: string): Promise<Question | null>;
  /** The call a question is about, with all its arguments; null where it is about none. */
  asked(question: string): Promise<{ tool: string; arguments: Record<string, unknown> } | null>;
  /** Throws LoomError `unknown_id` when the question is not open, `usage` when that is no answer to it. */
  answer(question: string, answer: Answer): Promise<void>;
  /** Adds a rule to this session: calls that it matches are not asked about any more, those denied are refused.
   *  Throws LoomError `usage` for what is no rule. */
  allow(rule: string): Promise<void>;
  deny(rule: string): Promise<void>;
  /** Takes a rule of this session back; false when there is none. */
  forget(rule: string): Promise<boolean>;
  rules(): ApprovalPolicy;
  /** Everything from now on, until the session is closed. */
  events(): AsyncIterable<SessionEvent>;
  /** The newest messages, oldest first. Default 40. */
  history(tail?: number): Promise<HistoryEntry[]>;
  usage(): Promise<SessionUsage>;
  /** Resolves when everything is on disk and the session can be taken up elsewhere. */
  close(): Promise<void>;
}
