/** Puts into a rule what a person was not content with, where their words alone do not say it: one question to the extractor. */
import type { EffectOutputs } from '../../machines/effects.ts';
import type { MendInput } from '../../machines/session-context.ts';
import type { Effect } from '../effect.ts';
import { callModel } from '../effects/call-model.ts';
import { costOf, type TaskDeps } from '../effects/deps.ts';
import type { StoredMessage } from '../effects/rows.ts';
import { taught } from '../learning/corrections.ts';
import { messageText } from '../models/estimate.ts';
import { reflectorMessages } from '../prompts/reflector.ts';
import { lastAnswer } from './effects.ts';

const MOST_TOKENS = 120;
const RULE = /^[\s"'*-]*([A-Z][^\n]{8,200}?)["'.\s]*$/m;

export function reflectEffect(deps: TaskDeps): Effect {
  return async (intent, context) => {
    const { thread } = intent.input as MendInput;
    const said = await deps.rows.get<StoredMessage>(`m/${thread}/0000.b000`);
    const turn = Number(thread.slice(1));
    const before = await lastAnswer(deps, `t${String(turn - 1).padStart(7, '0')}`);
    const called = await callModel(deps, context, 'extractor', {
      history: reflectorMessages(before, said ? messageText(said.message) : ''),
      tier: 1,
      subtask: null,
      max_tokens: MOST_TOKENS,
    });
    const { response } = called.routed;
    const rule = /\bNONE\b/.test(response.content) ? undefined : RULE.exec(response.content)?.[1];
    const learned = rule
      ? taught(`${thread}.reflected`, { type: 'behavioral_correction', rule }, deps.now())
      : { rows: [], journal: [] };
    return {
      output: { ok: true } satisfies EffectOutputs['reflect'],
      rows: learned.rows,
      journal: [...called.journal, ...learned.journal],
      used: costOf(deps.config, called.routed),
    };
  };
}
