/** Judges one call of a model's answer before it may become an effect: valid, what it would do, what the gate says to it. */
import { type Exposure, type Gate, type GatedCall, gate, type Risk } from '../../machines/approval.ts';
import type { CallDigest } from '../../machines/effects.ts';
import type { ModelInput } from '../../machines/turn.ts';
import { sandboxStatus } from '../../tools/shell/sandbox.ts';
import type { ParsedCall } from '../models/answer.ts';
import { estimateTokens } from '../models/estimate.ts';
import type { Message } from '../models/model.ts';
import type { TaskDeps } from './deps.ts';
import { namedHosts } from './named-hosts.ts';
import { type StoredCall, type StoredMessage, SUMMARY_PREFIX, threadParts } from './rows.ts';
import { callSignature } from './signature.ts';

const MAX_SUBJECT = 2_000;

export interface JudgedCall {
  digest: CallDigest;
  /** null: refused by validation. */
  stored: StoredCall | null;
  id: string;
  name: string;
  refusal: Message | null;
  refusalTokens: number;
  rawArguments: string;
}

/** Its programs could send anything anywhere, unlike those tools that hold every address against a guard. */
const runsCommands = (tool: string): boolean => tool === 'shell_execute' || tool === 'git_command';

/** What the gate must know beside the call itself. */
export interface Circumstances {
  named(subject: string): boolean;
  exposure: Exposure;
}

/** Those of one answer of a model.
 *  @param stored the messages before it */
export async function circumstances(
  deps: TaskDeps,
  { iteration, subtask, thread, role }: ModelInput,
  stored: StoredMessage[],
): Promise<Circumstances> {
  // The first answer of a run's first subtask has nothing behind it but the goal and the plan.
  const first = iteration === 1 && subtask !== null && threadParts(thread).attempt === 1;
  const alone = first && !(await deps.rows.any(SUMMARY_PREFIX));
  return {
    named: await namedHosts(deps, role === 'session' ? stored : []),
    exposure: alone ? 'nothing' : 'local',
  };
}

/** A command that would run without a sandbox that holds it. */
async function isUnconfined({ config }: TaskDeps, risks: Risk[]): Promise<boolean> {
  if (!risks.includes('exec') && !risks.includes('destructive')) return false;
  if (config.tools.shell.sandbox === 'off') return true;
  const { available, network } = await sandboxStatus();
  return !(available && network);
}

/** Who is asked is told what this very call would do, rather than what kind it is. */
const explained = (gated: Gate, why: string | undefined): Gate =>
  gated.decision === 'ask' && why ? { ...gated, reason: why } : gated;

/** Validates, assesses and gates one call. */
export async function judge(
  deps: TaskDeps,
  call: ParsedCall,
  n: number,
  { named, exposure }: Circumstances,
): Promise<JudgedCall> {
  const base = { id: call.id, name: call.name };
  const refuse = (why: string): JudgedCall => {
    const refusal: Message = {
      role: 'tool',
      tool_call_id: call.id,
      name: call.name,
      content: `Error: ${why}`,
    };
    return {
      ...base,
      digest: {
        n,
        tool: call.name.slice(0, 100),
        valid: false,
        risks: ['read'],
        subject: '',
        shell_network: false,
        mutates: false,
        effect: 'repeatable',
        signature: '',
        gate: { decision: 'run', reason: '' },
      },
      stored: null,
      refusal,
      refusalTokens: estimateTokens(why) + 8,
      rawArguments: '{}',
    };
  };
  if ('invalid' in call) return refuse(call.invalid);
  const valid = await deps.registry.validate(call.name, call.arguments);
  if (!valid.ok) return refuse(valid.failure.message);
  const { given, args, via } = valid;
  const { name } = valid.tool;
  const repaired = [...new Set([...call.repaired, ...valid.repaired])];
  const assessment = await deps.registry.assess(name, given, deps.workspace);
  // Read as it stands it may be half a file or half a command.
  if (assessment.mutates && repaired.includes('unclosed_text'))
    return refuse(
      `the arguments of ${call.name} end in the middle of a text, so nothing was done. Send the whole call again, with a shorter text if need be.`,
    );
  const subject = assessment.subject.slice(0, MAX_SUBJECT);
  const shell_network = runsCommands(name) && assessment.risks.includes('network');
  const gated: GatedCall = {
    tool: name,
    risks: assessment.risks,
    subject,
    shell_network,
    unconfined: await isUnconfined(deps, assessment.risks),
    unnamed: name === 'web_fetch' && !named(subject),
  };
  const decision = explained(gate(deps.policy, gated, exposure), assessment.why);
  const wary = explained(gate(deps.policy, gated, 'outside'), assessment.why);
  const text = JSON.stringify(via ? { name, arguments: given } : given);
  return {
    ...base,
    digest: {
      n,
      tool: name,
      valid: true,
      risks: assessment.risks,
      subject,
      shell_network,
      mutates: assessment.mutates,
      effect: assessment.effect,
      // With its defaults: what is left out and what is spelt out are one call.
      signature: callSignature(name, args),
      gate: decision,
      ...(wary.decision === decision.decision ? {} : { wary }),
    },
    stored: { id: call.id, name, arguments: given, repaired, ...(via ? { via } : {}) },
    refusal: null,
    refusalTokens: 0,
    rawArguments: text,
  };
}
