/** What a turn knows of its tool calls, and the pure questions it asks about them: which is next, who must be asked. */
import type { CallDigest, ClaimStatus, EffectClass, EffectOutputs, QuestionInput } from './effects.ts';
import { type Failure, failure } from './failure.ts';
import { circleReason, entry, NOTHING_SEEN, type Nudge, shrank, stepped, type Watch } from './loop-guard.ts';
import type { PhaseEvent } from './turn-phase.ts';

export interface TurnInput {
  /** Names the message rows of this conversation. */
  thread: string;
  subtask: string | null;
  role: 'executor' | 'session';
  tier: number;
  max_iterations: number;
  /** Model calls that may change nothing before the turn ends; absent: no limit of its own. */
  patience?: number;
  /** Estimated size of the first request. */
  tokens: number;
  /** Stored calls of the first iteration that are run without asking any model; then the turn is over. */
  given?: CallDigest[];
}

export type TurnOutput =
  | ({ ok: true; claim: ClaimStatus; reason: string } & TurnCalls)
  | ({ ok: false; failure: Failure } & TurnCalls);

interface TurnCalls {
  /** Model calls. */
  iterations: number;
  /** Those since something was last changed or shown; all of them when nothing was. */
  barren: number;
}

/** waiting: not looked at · asking: a person decides · approved: may run · running · refused: must be told why ·
 *  unsure: nobody knows whether it happened · noting: the refusal is being written · done. */
export type CallPhase =
  | 'waiting'
  | 'asking'
  | 'approved'
  | 'running'
  | 'refused'
  | 'unsure'
  | 'noting'
  | 'done';

export interface Call extends CallDigest {
  phase: CallPhase;
  /** For the model: why it was refused, or what the person answered. */
  note: string;
  /** A person looked and found it done. */
  confirmed?: true;
}

export interface Context extends Omit<TurnInput, 'given'>, Watch {
  /** Its calls were given: no model takes part. */
  given: boolean;
  iteration: number;
  /** The iteration in which a call last changed a file or showed that the work holds; 0: none did. */
  progressed: number;
  calls: Call[];
  /** What the next request must say of circles. */
  nudge: Nudge;
  /** may · done: for this step · off: it did not help, or was done often enough. */
  compaction: 'may' | 'done' | 'off';
  /** Compactions that helped. */
  compactions: number;
  /** Cut-off answers continued so far. */
  continued: number;
  /** Something untrusted has been read: from now on the gate is wary. Never taken back. */
  tainted: boolean;
  /** Paused, or waiting for money, a model or a key: nothing new begins. */
  stuck: boolean;
  claim: ClaimStatus;
  reason: string;
  failure: Failure | null;
}

export interface ModelInput {
  thread: string;
  subtask: string | null;
  role: 'executor' | 'session';
  tier: number;
  iteration: number;
  nudge: Nudge;
  continue: boolean;
  /** It may answer `pressure`. */
  may_compact: boolean;
  /** Estimated prompt size, for the reservation. */
  tokens: number;
}

export interface CompactInput {
  thread: string;
  subtask: string | null;
  role: 'executor' | 'session';
  tier: number;
  iteration: number;
}

export interface ToolInput {
  thread: string;
  subtask: string | null;
  iteration: number;
  n: number;
  tool: string;
  subject: string;
  mutates: boolean;
  effect: EffectClass;
  network: boolean;
  /** The call is let read secrets: it names them, and the gate or a person agreed. */
  secret?: true;
}

export interface NoteInput {
  thread: string;
  subtask: string | null;
  iteration: number;
  n: number;
  tool: string;
  text: string;
  /** The call did happen, by the word of a person: verification counts it. */
  confirmed?: true;
  subject?: string;
}

export const MAX_CONTINUATIONS = 2;
/** Compactions of one turn: a conversation that needs more has lost its thread. */
const MAX_COMPACTIONS = 3;

/** After a compaction. One that did not shrink what it was given counts as a model call that brought nothing; one that could
 *  not be done is left, because the window is kept without it. */
export function compacted(context: Context, output: EffectOutputs['compact']): Context {
  if (!output.ok) return { ...context, compaction: 'off' };
  if (!shrank(output.before, output.after)) return { ...context, compaction: 'off', idle: context.idle + 1 };
  const compactions = context.compactions + 1;
  return { ...context, compactions, compaction: compactions < MAX_COMPACTIONS ? 'done' : 'off' };
}

/** What the model is asked. */
export function modelInput(context: Context): ModelInput {
  const { thread, subtask, role, tier, iteration, nudge, tokens } = context;
  const may_compact = context.compaction === 'may';
  return {
    thread,
    subtask,
    role,
    tier,
    iteration,
    nudge,
    continue: context.continued > 0,
    may_compact,
    tokens,
  };
}

export function compactInput({ thread, subtask, role, tier, iteration }: Context): CompactInput {
  return { thread, subtask, role, tier, iteration };
}

/** A step is over: the model is asked again. */
export function nextStep(context: Context): Partial<Context> {
  const step = stepped(context);
  const { patience = Number.POSITIVE_INFINITY } = context;
  return {
    ...step,
    nudge: step.nudge || (patience - barren(context) === UNDECIDED ? 'undecided' : ''),
    iteration: context.iteration + 1,
    continued: 0,
    compaction: context.compaction === 'off' ? 'off' : 'may',
  };
}

/** Calls left when a model that has changed nothing yet is told so. */
const UNDECIDED = 5;

/** Model calls since something was last changed or shown to hold. */
export const barren = ({ iteration, progressed }: Context): number => iteration - progressed;

/** Calls of an answer, or given ones, before anything is done with them. */
const waiting = (calls: CallDigest[]): Call[] =>
  calls.map((call): Call => ({ ...call, phase: 'waiting', note: '' }));

/** What a turn begins with. */
export const beginning = ({ given, ...input }: TurnInput): Context => ({
  ...input,
  given: given !== undefined,
  iteration: 1,
  progressed: 0,
  calls: waiting(given ?? []),
  ...NOTHING_SEEN,
  nudge: '',
  compaction: 'may',
  compactions: 0,
  continued: 0,
  tainted: false,
  stuck: false,
  claim: 'success',
  reason: '',
  failure: null,
});

/** The gate's stricter word on what has not begun. What a person has approved stays approved; what was only put off has not
 *  been seen by anybody. */
const warily = (calls: Call[]): Call[] =>
  calls.map(call => {
    const putOff = call.phase === 'approved' && call.gate.decision === 'run';
    if (!call.wary || (call.phase !== 'waiting' && !putOff)) return call;
    const { wary, ...rest } = call;
    return { ...rest, gate: wary, phase: 'waiting' };
  });

/** A call that could not begin yet: it may later, unless something was read meanwhile. */
export function putOff({ calls, tainted }: Context, n: number): Call[] {
  const later = update(calls, n, call => ({ ...call, phase: 'approved' }));
  return tainted ? warily(later) : later;
}

/** The model wants these calls. */
export function taken(context: Context, output: EffectOutputs['model']): Partial<Context> {
  if (!output.ok) return {};
  const tainted = context.tainted || output.tainted === true;
  const calls = waiting(output.calls);
  return { calls: tainted ? warily(calls) : calls, tainted, tokens: output.tokens };
}

/** A call is over, and showed this. */
export function finished(
  context: Context,
  n: number,
  result: { signature: string; tokens: number; progress?: boolean; untrusted?: boolean },
): Partial<Context> {
  const done = context.calls.find(call => call.n === n);
  const { signature, tokens, progress = false, untrusted = false } = result;
  const tainted = context.tainted || untrusted;
  const calls = update(context.calls, n, call => ({ ...call, phase: 'done' }));
  return {
    calls: tainted ? warily(calls) : calls,
    tainted,
    tokens: context.tokens + tokens,
    shown: [...context.shown, entry(done?.signature ?? '', signature)],
    progressed: progress ? context.iteration : context.progressed,
  };
}

/** Why the turn ends although the model would go on. */
export const loopFailure = (context: Context): Failure =>
  failure(
    'retryable',
    'loop',
    circleReason(
      context,
      context.calls.map(call => `${call.tool} ${call.subject}`.trim()),
    ),
  );

const isAsk = (call: Call): boolean => call.tool === 'ask_user';

/** The call that can be acted on next: reads side by side, anything that mutates alone and in order. */
export function nextCall(context: Context): Call | undefined {
  if (context.stuck) return undefined;
  for (const [i, call] of context.calls.entries()) {
    const actionable = ['waiting', 'approved', 'refused', 'unsure'].includes(call.phase);
    const earlier = context.calls.slice(0, i);
    const clear =
      call.mutates || isAsk(call)
        ? earlier.every(other => other.phase === 'done')
        : earlier.every(other => other.phase === 'done' || !other.mutates);
    if (!clear) return undefined;
    if (actionable) return call;
  }
  return undefined;
}

/** Every call of the answer is dealt with, and the turn may go on. */
export const stepDone = (context: Context): boolean =>
  !context.stuck && context.calls.every(call => call.phase === 'done');

export const needsQuestion = (call: Call): boolean =>
  call.phase === 'unsure' ||
  (call.phase === 'waiting' &&
    call.valid &&
    call.gate.decision !== 'deny' &&
    (isAsk(call) || call.gate.decision === 'ask'));
export const mayRun = (call: Call): boolean =>
  call.phase === 'approved' || (call.phase === 'waiting' && call.valid && call.gate.decision === 'run');

/** Its model must be told why it did not run. */
export const isDenied = (call: Call): boolean =>
  call.phase === 'refused' || (call.valid && call.gate.decision === 'deny');

/** Who or what is waited for. */
export function phaseOf({ calls }: Context): PhaseEvent['phase'] {
  const asked = calls.find(call => call.phase === 'asking');
  if (asked) return asked.tool === 'ask_user' ? 'awaiting' : 'approving';
  return calls.some(call => call.phase !== 'done') ? 'acting' : 'thinking';
}

/** Names a call in the journal and in questions. */
export const callName = (context: Context, call: Call): string =>
  `${context.thread}.${context.iteration}.${call.n}`;

export function question(context: Context, call: Call): QuestionInput {
  if (call.phase === 'unsure')
    return {
      kind: 'uncertain',
      subtask: context.subtask,
      call: callName(context, call),
      prompt: `Loom was stopped while this ran, so nobody knows whether it finished: ${call.tool} ${call.subject}`,
      choices: ['retry', 'skip', 'done'],
      rule: '',
      risk: 'uncertain',
    };
  if (isAsk(call))
    return {
      kind: 'ask_user',
      subtask: context.subtask,
      call: '',
      prompt: call.subject,
      choices: [],
      rule: '',
      risk: '',
    };
  return {
    kind: 'approval',
    subtask: context.subtask,
    call: callName(context, call),
    prompt: `${call.tool} ${call.subject}`,
    choices: ['approve', 'reject'],
    rule: `${call.tool}(${call.subject})`,
    risk: `${call.risks.at(-1) ?? 'exec'}: ${call.gate.reason}`,
  };
}

/** How a person's answer changes the call. */
export function answered(call: Call, settled: EffectOutputs['question']): Call {
  if (!settled.ok) return { ...call, phase: 'refused', note: settled.failure.message };
  const { answer, reason } = settled;
  if (isAsk(call)) return { ...call, phase: 'refused', note: answer || '(The person gave an empty answer.)' };
  if (answer === 'approve' || answer === 'retry') return { ...call, phase: 'approved', note: '' };
  if (answer === 'done')
    return {
      ...call,
      phase: 'refused',
      confirmed: true,
      note: 'A person checked: this call did finish before the interruption.',
    };
  if (answer === 'skip')
    return {
      ...call,
      phase: 'refused',
      note: 'This call was interrupted; a person decided to skip it. It may have had partial effects.',
    };
  return { ...call, phase: 'refused', note: `A person refused this call${reason ? `: ${reason}` : '.'}` };
}

export const update = (calls: Call[], n: number, change: (call: Call) => Call): Call[] =>
  calls.map(call => (call.n === n ? change(call) : call));

export function toolInput(context: Context, call: Call): ToolInput {
  const { n, tool, subject, mutates, effect } = call;
  const { thread, subtask, iteration } = context;
  // A person who approves a command that may reach the network has approved that, too; a rule likewise.
  const network = call.shell_network;
  const secret = call.risks.includes('secret') ? { secret: true as const } : {};
  return { thread, subtask, iteration, n, tool, subject, mutates, effect, network, ...secret };
}

export function noteInput(context: Context, call: Call): NoteInput {
  const { thread, subtask, iteration } = context;
  const text = call.note || `This call is not allowed here: ${call.gate.reason}. Find another way.`;
  const confirmed = call.confirmed ? { confirmed: true as const, subject: call.subject } : {};
  return { thread, subtask, iteration, n: call.n, tool: call.tool, text, ...confirmed };
}

/** Stands in where no call is left; no guard accepts it. */
export const NO_CALL = {
  phase: 'done',
  valid: true,
  gate: { decision: 'run', reason: '' },
  tool: '',
} as unknown as Call;

/** What the model's effect ended with, for the guards of its branches. */
export const modelOutput = (event: unknown) => (event as { output: EffectOutputs['model'] }).output;
export const answerIs = (event: unknown, answer: 'calls' | 'text' | 'pressure'): boolean => {
  const output = modelOutput(event);
  return output.ok && output.answer === answer;
};
