/** How much of a role's window is there for one thing: a prompt, a tool result. */
import type { Role } from '../../store/config.ts';
import { ANSWER_SHARE } from '../window-gauge.ts';
import type { TaskDeps } from './deps.ts';

/** Fewer characters than four to a token, so that code and other alphabets fit as well. */
const CHARS_PER_TOKEN = 3;

/** Characters of the given share of what the window of the role's model leaves beside an answer. Without a model that answers
 *  there is no limit: the call itself says so, in words that can be acted on. */
export async function roomFor(
  deps: Pick<TaskDeps, 'router'>,
  role: Role,
  tier: number,
  share: number,
  signal: AbortSignal,
): Promise<number> {
  try {
    const window = await deps.router.pick(role, { tier }).window(signal);
    return Math.floor(window * (1 - ANSWER_SHARE) * share * CHARS_PER_TOKEN);
  } catch {
    return Number.POSITIVE_INFINITY;
  }
}
