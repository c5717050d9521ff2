/** Questions a person has to decide: effects that settle when an answer arrives, here or from another process. */
import { createHash } from 'node:crypto';
import { type ApprovalPolicy, denies, parseRule, ruleMatches } from '../machines/approval.ts';
import type { QuestionInput } from '../machines/effects.ts';
import type { EffectEntry, JournalLine } from '../machines/react.ts';
import type { EffectResult } from './effect.ts';
import type { Answer, Question } from './loom.ts';

/** Stable over restarts, so that an id once printed stays good; base 36, as all ids. */
function questionId(run: string, key: string): string {
  const digest = createHash('sha256').update(`${run}\n${key}`).digest();
  return BigInt(`0x${digest.subarray(0, 8).toString('hex')}`)
    .toString(36)
    .padStart(13, '0')
    .slice(0, 8);
}

export function describeQuestion(run: string, effect: EffectEntry, asked_at: string): Question {
  const input = effect.input as QuestionInput;
  return {
    id: questionId(run, effect.key),
    task_id: run,
    kind: input.kind,
    subtask_id: input.subtask,
    prompt: input.prompt,
    choices: input.choices,
    call: input.call,
    detail: '',
    rule: input.rule,
    risk: input.risk,
    asked_at,
  };
}

export const askedLine = (question: Question): JournalLine => ({
  event_type: 'approval_requested',
  data: {
    question_id: question.id,
    kind: question.kind,
    subtask_id: question.subtask_id,
    reason: question.risk,
    proposed_action: question.prompt.slice(0, 2_000),
    risk_level: question.risk.split(':')[0] ?? '',
    rule: question.rule,
    choices: question.choices,
  },
});

export const answeredLine = (question: Question, answer: Answer): JournalLine => ({
  event_type: 'approval_received',
  data: {
    question_id: question.id,
    kind: question.kind,
    subtask_id: question.subtask_id,
    approved: answer.answer === 'approve',
    answer: answer.answer,
    reason: answer.reason ?? '',
  },
});

/** Answers that the rules of a resumed run give by themselves: an open approval that a rule now allows. */
export function answeredByRules(
  run: string,
  effects: EffectEntry[],
  policy: ApprovalPolicy,
): { effect: EffectEntry; result: EffectResult }[] {
  return effects.flatMap(effect => {
    const input = effect.input as QuestionInput;
    if (effect.source !== 'question' || effect.state !== 'open' || input.kind !== 'approval') return [];
    const call = parseRule(input.rule);
    if (!call) return [];
    const asked = { tool: call.tool, subject: call.pattern, risks: [] };
    const rule = policy.allow.find(candidate => ruleMatches(candidate, asked));
    if (!rule || policy.deny.some(candidate => denies(candidate, asked))) return [];
    const answer = { answer: 'approve', reason: `allowed by rule ${rule}` };
    const line = answeredLine(describeQuestion(run, effect, ''), answer);
    return [{ effect, result: { output: { ok: true, ...answer }, journal: [line] } }];
  });
}

/** The choice that `text` names (`yes`/`no` for approve/reject), free text where there are no choices, else null. */
export function matchChoice(question: Question, text: string): string | null {
  const wanted = text.trim();
  if (question.choices.length === 0) return wanted === '' ? null : wanted;
  const lower = wanted.toLowerCase();
  const plain: Record<string, string> = { yes: 'approve', y: 'approve', no: 'reject', n: 'reject' };
  const choice = question.choices.find(option => option.toLowerCase() === lower);
  return choice ?? (plain[lower] && question.choices.includes(plain[lower]) ? plain[lower] : null);
}
