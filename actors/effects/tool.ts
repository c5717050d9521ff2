/** One tool call: runs it with the host's powers and tells the model, the changelog, the verifier and the journal. */
import { createHash } from 'node:crypto';
import { NO_COST } from '../../machines/budget.ts';
import type { EffectOutputs } from '../../machines/effects.ts';
import { type Failure, LoomError } from '../../machines/failure.ts';
import type { NoteInput, ToolInput } from '../../machines/turn.ts';
import type { Blobs } from '../../store/blobs-port.ts';
import { type Row, StoreWriteError } from '../../store/port.ts';
import { artifactShelf, outlived } from '../../tools/artifacts.ts';
import { changesMade } from '../../tools/changes.ts';
import { isGitsOwn } from '../../tools/records.ts';
import { secretsIn, withoutSecrets } from '../../tools/secrets.ts';
import { leftBehind } from '../../tools/shell/observe.ts';
import type { ChangeRecord, ToolContext, ToolResult } from '../../tools/tool.ts';
import type { TrackedList } from '../../tools/tracker.ts';
import type { Effect, EffectContext } from '../effect.ts';
import { estimateTokens } from '../models/estimate.ts';
import type { Message } from '../models/model.ts';
import { fenced } from '../prompts/fence.ts';
import { isTest } from './checks/commands.ts';
import type { TaskDeps } from './deps.ts';
import { writeRows } from './owed.ts';
import { roomFor } from './room.ts';
import {
  type ChangelogEntry,
  changelogKey,
  type Decision,
  decisionKey,
  type EditedCall,
  editedKey,
  messageKey,
  readKey,
  row,
  type StoredCall,
  type StoredMessage,
  type ToolTrace,
  traceKey,
  trackedKey,
} from './rows.ts';
import { resultSignature } from './signature.ts';
import { fenceWord, sourceOf, taintRow } from './taint.ts';
import { type Reach, webReach } from './web-reach.ts';

/** Part of the window beside the answer that one result may take, and the characters below which it says nothing. */
const RESULT_SHARE = 0.2;
const LEAST_OUTPUT = 600;

export function toolEffect(deps: TaskDeps): Effect {
  return async (intent, context) => {
    const input = intent.input as ToolInput;
    const asked = await storedCall(deps, input);
    const edited = await deps.rows.get<EditedCall>(editedKey(input.thread, input.iteration, input.n));
    const call = edited ? { ...asked, arguments: edited.arguments } : asked;
    const subject = edited?.subject ?? input.subject;
    const startedAt = deps.now();
    const entryOf = (changes: ChangeRecord[]): Row =>
      row(changelogKey(input.subtask, intent.key), {
        id: changeId(deps.run, intent.key),
        key: intent.key,
        subtask: input.subtask,
        tool: call.name,
        changes,
        at: new Date(deps.now()).toISOString(),
      } satisfies ChangelogEntry);
    if (context.signal.aborted && context.recovered !== undefined) {
      // Stopped while nobody looked after it: not done any more, but what was done by then must be known.
      const changes = [
        ...(await changesMade(deps.workspace.root, intent.key, context.recovered)),
        ...(await leftBehind(context.recovered, deps)),
      ];
      if (changes.length === 0) throw stoppedError(context);
      return {
        output: { ok: false, failure: stoppedError(context).failure } satisfies EffectOutputs['tool'],
        rows: [entryOf(changes), ...(await writeRows(deps, intent.key, written(changes)))],
      };
    }
    const lastReads = await deps.rows.lastReads(input.subtask);
    // Several results must have room beside each other, in a small window, too.
    const outputLimit = Math.min(
      deps.config.limits.runner.default_tool_result_output_chars,
      Math.max(LEAST_OUTPUT, await roomFor(deps, 'executor', 1, RESULT_SHARE, context.signal)),
    );
    const kept = reportingBlobs(deps.blobs);
    const shelf = artifactShelf(kept.blobs, id => deps.rows.artifact(id), deps.now);
    let tracked: TrackedList | null = null;
    // From here on it counts, however it ends.
    context.spend({ ...NO_COST, tool_calls: 1 });
    const { root } = deps.workspace;
    // A call that changes files may take away the file a secret stood in.
    const before = input.mutates ? secretsIn(root) : new Map<string, string>();
    const made = await deps.registry.run(call.name, call.arguments, {
      ...toolContext(
        { ...deps, blobs: kept.blobs },
        intent.key,
        input,
        context,
        lastReads,
        outputLimit,
        await webReach(deps, input),
      ),
      artifacts: shelf,
      tracker: {
        load: () => deps.rows.get<TrackedList>(trackedKey(input.subtask)),
        others: () => deps.rows.trackedByOthers(input.subtask),
        keep: list => {
          tracked = list;
        },
      },
    });
    const result = input.secret ? made : withoutSecrets(made, new Map([...before, ...secretsIn(root)]));
    // Not a failure of the tool, which the model could do nothing about.
    if (kept.broken()) throw kept.broken();
    // A command that was stopped and observed to its end is a fact like any other; the rest is simply not done.
    const observed = input.effect === 'unknowable' && result.data['exit_code'] !== undefined;
    if (context.signal.aborted && !result.success && !result.changes?.length && !observed)
      throw stoppedError(context);
    // Cut off although the run goes on later: its intent stays, and a person is asked, as after a crash. The model must not
    // read a failure that was ours, because it would run the command again.
    if (observed && result.data['stopped'] === 'aborted' && interrupted(context)) throw stoppedError(context);
    if (result.error?.kind === 'uncertain') {
      const known = result.changes ?? [];
      return {
        output: { ok: false, failure: result.error } satisfies EffectOutputs['tool'],
        ...(known.length > 0
          ? { rows: [entryOf(known), ...(await writeRows(deps, intent.key, written(known)))] }
          : {}),
      };
    }
    const source = await sourceOf(deps, input, result);
    const word = fenceWord(deps.run, intent.key);
    const said = source === null ? resultText(result) : fenced(resultText(result), source, word);
    const text = edited ? `${editNote(edited)}${said}` : said;
    const rows = [
      row(messageKey.result(input.thread, input.iteration, input.n), {
        message: toolMessage(call, text),
        ...(result.images ? { images: result.images } : {}),
      } satisfies StoredMessage),
      row(traceKey(input.thread, intent.key), traceOf(input, result) satisfies ToolTrace),
      ...Object.entries(result.reads ?? {}).map(([path, digest]) =>
        row(readKey(input.subtask, path), digest),
      ),
    ];
    if (source !== null) rows.push(taintRow(input.subtask, source));
    if (tracked) rows.push(row(trackedKey(input.subtask), tracked));
    if (result.changes?.length) rows.push(entryOf(result.changes));
    for (const entry of (await deps.rows.history()).filter(one => result.undone?.includes(one.id)))
      rows.push(
        row(changelogKey(entry.subtask, entry.key), { ...entry, undone_by: changeId(deps.run, intent.key) }),
      );
    const pruned = await outlivedBy(deps, shelf.rows());
    rows.push(...shelf.rows(), ...pruned.map(key => row(key, null)));
    const command = result.data['exit_code'] === undefined ? undefined : input.subject;
    rows.push(
      ...(await writeRows(deps, intent.key, written(result.changes ?? [], result.files_changed), command)),
    );
    return {
      output: {
        ok: true,
        success: result.success,
        signature: resultSignature(result.success, text),
        tokens: estimateTokens(text) + 8,
        ...(source === null ? {} : { untrusted: true }),
        ...(progressed(input, result) ? { progress: true } : {}),
      } satisfies EffectOutputs['tool'],
      rows,
      journal: [
        ...(pruned.length > 0
          ? [{ event_type: 'artifact_retention_pruned', data: { removed: pruned.length } }]
          : []),
        {
          event_type: 'tool_call_completed',
          data: {
            subtask_id: input.subtask,
            tool: call.name,
            call: `${input.thread}.${input.iteration}.${input.n}`,
            subject: subject.slice(0, 200),
            ...(edited ? { edited: true } : {}),
            success: result.success,
            ...(result.error ? { error: shownError(result, result.error).slice(0, 500) } : {}),
            ...(source === null ? {} : { untrusted: source.slice(0, 500) }),
            ...(result.data['diff'] ? { diff: result.data['diff'] } : {}),
            ...(result.changes?.length ? { change_id: changeId(deps.run, intent.key) } : {}),
            files_changed: result.files_changed.slice(0, 50),
            duration_ms: deps.now() - startedAt,
            ...(call.repaired.length > 0 ? { repaired: call.repaired } : {}),
          },
        },
      ],
    };
  };
}

/** Artifacts that have to go now that these have come. */
async function outlivedBy({ rows, config, now }: TaskDeps, added: Row[]): Promise<string[]> {
  if (added.length === 0) return [];
  const limits = config.limits.runner;
  return outlived(
    await rows.artifacts(),
    added,
    {
      days: limits.ingest_artifact_retention_max_age_days,
      files: limits.ingest_artifact_retention_max_files_per_scope,
      bytes: limits.ingest_artifact_retention_max_bytes_per_scope,
    },
    now(),
  );
}

/** Every path that changes touch, old names included. */
const written = (changes: ChangeRecord[], also: string[] = []): string[] => [
  ...changes
    .filter(change => !isGitsOwn(change.path))
    .flatMap(change => [change.path, ...(change.from ? [change.from] : [])]),
  ...also,
];

/** Something is different now, or was shown to hold. What was only read or said is neither. */
const progressed = ({ subject }: ToolInput, { success, changes, files_changed, data }: ToolResult): boolean =>
  success &&
  ((changes?.length ?? 0) + files_changed.length > 0 || (data['exit_code'] === 0 && isTest(subject)));

/** The same blobs; remembers when the store refused, which a tool only sees as one error among others. */
function reportingBlobs(blobs: Blobs): { blobs: Blobs; broken(): StoreWriteError | null } {
  let broken: StoreWriteError | null = null;
  const put: Blobs['put'] = async content => {
    try {
      return await blobs.put(content);
    } catch (error) {
      if (error instanceof StoreWriteError) broken = error;
      throw error;
    }
  };
  return { blobs: { ...blobs, put }, broken: () => broken };
}

/** Tells the model what became of a call that did not run: refused, denied, answered by a person. */
export function noteEffect(deps: TaskDeps): Effect {
  return async intent => {
    const input = intent.input as NoteInput;
    const call = await storedCall(deps, input);
    // What a person answered or confirmed is no error; the rest did not run.
    const text = input.tool === 'ask_user' || input.confirmed ? input.text : `Error: ${input.text}`;
    const confirmed: ToolTrace = {
      tool: input.tool,
      subject: (input.subject ?? '').slice(0, 300),
      success: true,
      files_changed: [],
      destructive: false,
      mutates: true,
      confirmed: true,
    };
    return {
      output: { ok: true, tokens: estimateTokens(text) + 8 } satisfies EffectOutputs['note'],
      rows: [
        row(messageKey.result(input.thread, input.iteration, input.n), {
          message: toolMessage(call, text),
        } satisfies StoredMessage),
        ...(input.confirmed ? [row(traceKey(input.thread, intent.key), confirmed)] : []),
        ...(input.tool === 'ask_user' ? [decided(input, call, intent.key)] : []),
      ],
    };
  };
}

/** What a person answered, for the subtasks that come later. */
const decided = ({ subtask, text }: NoteInput, call: StoredCall, key: string): Row =>
  row(decisionKey(subtask, key), {
    question: String(call.arguments['question'] ?? '').slice(0, 2_000),
    answer: text.slice(0, 2_000),
  } satisfies Decision);

async function storedCall(
  deps: TaskDeps,
  at: { thread: string; iteration: number; n: number },
): Promise<StoredCall> {
  const answer = await deps.rows.get<StoredMessage>(messageKey.answer(at.thread, at.iteration));
  const call = answer?.calls?.[at.n];
  if (!call)
    throw new LoomError(
      'terminal',
      'call_missing',
      `call ${at.n} of ${at.thread}.${at.iteration} is not stored`,
    );
  return call;
}

/** Said to the model before the result of a call that a person changed. */
const editNote = ({ arguments: args }: EditedCall): string =>
  `(The person changed the arguments of this call to ${JSON.stringify(args).slice(0, 2_000)} before they allowed it.)\n`;

function toolContext(
  deps: TaskDeps,
  key: string,
  input: ToolInput,
  context: EffectContext,
  lastReads: Map<string, string>,
  outputLimit: number,
  reach: Reach,
): Omit<ToolContext, 'artifacts' | 'tracker'> {
  return {
    workspace: deps.workspace,
    key,
    signal: context.signal,
    subtask: input.subtask,
    lastRead: path => lastReads.get(path),
    checkpoint: value => context.checkpoint(value),
    ...(context.recovered === undefined ? {} : { recovered: context.recovered }),
    async lock() {
      const release = await deps.store.locks.acquire(deps.workspace.root, key, {
        signal: context.signal,
        onWait: () => context.waiting(),
      });
      context.running();
      return release;
    },
    ...(deps.delegate ? { delegate: deps.delegate({ key, subtask: input.subtask }, context) } : {}),
    blobs: deps.blobs,
    history: () => deps.rows.history(),
    scratch: deps.scratch,
    web: { ...deps.web, ...reach },
    child: group => context.child(group),
    network: input.network,
    sandbox: deps.config.tools.shell.sandbox,
    commandSeconds: deps.config.tools.shell.timeout_seconds,
    outputLimit,
  };
}

const toolMessage = (call: StoredCall, content: string): Message => ({
  role: 'tool',
  tool_call_id: call.id,
  name: call.via ?? call.name,
  content,
});

/** For whoever watches: a command that failed says why in the last line it printed. */
function shownError({ output, data }: ToolResult, { code, message }: Failure): string {
  if (code !== 'exit_code') return message;
  const last = output.split('\n').findLast(line => line.trim() !== '' && !line.startsWith('['));
  return last === undefined || last === '(no output)'
    ? message
    : `exit code ${data['exit_code']}: ${last.trim()}`;
}

/** What the model reads: the output, why it failed, and what changed. */
function resultText(result: ToolResult): string {
  const parts = [result.success ? result.output : `Error: ${result.error?.message ?? 'the tool failed'}`];
  if (!result.success && result.output && result.output !== result.error?.message) parts.push(result.output);
  const { diff } = result.data;
  if (typeof diff === 'string' && diff !== '' && !parts.some(part => part.includes(diff))) parts.push(diff);
  return parts.filter(Boolean).join('\n') || '(no output)';
}

const placeOf = ({ thread, iteration, n }: ToolInput) => ({ thread, iteration, n });

const traceOf = (input: ToolInput, result: ToolResult): ToolTrace => ({
  tool: input.tool,
  subject: input.subject.slice(0, 300),
  success: result.success,
  ...(typeof result.data['exit_code'] === 'number' ? { exit_code: result.data['exit_code'] } : {}),
  files_changed: result.files_changed.slice(0, 200),
  destructive: Boolean(result.data['destructive']),
  mutates: input.mutates,
  ...(result.error ? { error: result.error.code } : {}),
  ...(typeof result.data['exit_code'] === 'number' ? { at: placeOf(input) } : {}),
  ...traceOutput(result),
});

/** Characters of a call's output that the checks and the reviewer see: commands and failures, not what was read. */
const TRACE_OUTPUT = 1_500;

function traceOutput(result: ToolResult): Pick<ToolTrace, 'output'> {
  if (result.success && result.data['exit_code'] === undefined) return {};
  const text = (result.success ? result.output : result.output || (result.error?.message ?? '')).trim();
  return text === '' ? {} : { output: text.slice(-TRACE_OUTPUT) };
}

/** Stable over repeats of the same execution. */
const changeId = (run: string, key: string): string => {
  const digest = createHash('sha256').update(`change\n${run}\n${key}`).digest();
  return `c${BigInt(`0x${digest.subarray(0, 8).toString('hex')}`)
    .toString(36)
    .padStart(13, '0')
    .slice(0, 7)}`;
};

const stoppedError = (context: EffectContext): LoomError => {
  const { reason } = context.signal;
  return reason instanceof LoomError ? reason : new LoomError('retryable', 'aborted', 'stopped');
};

const interrupted = (context: EffectContext): boolean => stoppedError(context).failure.code === 'interrupted';
