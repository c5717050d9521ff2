/** Which effect does what a machine asks for. */
import type { Effect } from '../effect.ts';
import { checksEffect } from './checks.ts';
import { compactEffect } from './compact.ts';
import type { TaskDeps } from './deps.ts';
import { extractEffect } from './extract.ts';
import { finalizeEffect } from './finalize.ts';
import { modelEffect } from './model.ts';
import { planEffect, replanEffect } from './plan.ts';
import { prepareEffect } from './prepare.ts';
import { resolveEffect } from './resolve.ts';
import { reviewEffect } from './review.ts';
import { settleEffect } from './settle.ts';
import { noteEffect, toolEffect } from './tool.ts';

export const taskEffects = (deps: TaskDeps): Record<string, Effect> => ({
  plan: planEffect(deps),
  replan: replanEffect(deps),
  prepare: prepareEffect(deps),
  model: modelEffect(deps),
  compact: compactEffect(deps),
  tool: toolEffect(deps),
  note: noteEffect(deps),
  checks: checksEffect(deps),
  review: reviewEffect(deps),
  extract: extractEffect(deps),
  resolve: resolveEffect(deps),
  settle: settleEffect(deps),
  finalize: finalizeEffect(deps),
});
