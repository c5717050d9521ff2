/** Which tools the requests of a conversation carry. Chosen once, with its first message, and stored: a conversation keeps its
 *  tools, whatever window or configuration it is taken up with. */
import type { Role } from '../../store/config.ts';
import { offer, wireTools } from '../../tools/offer.ts';
import type { WireTool } from '../../tools/wire.ts';
import type { TaskDeps } from './deps.ts';
import { roomFor } from './room.ts';
import { offeredKey } from './rows.ts';

/** Part of the window beside the answer that schemas may take. */
const SHARE = 0.25;

type Worker = 'executor' | 'session';

/** @param text what the work is about
 *  @returns names, for the row `to/<thread>` */
export async function chooseTools(
  deps: Pick<TaskDeps, 'registry' | 'router'>,
  role: Worker,
  tier: number,
  text: string,
  signal: AbortSignal,
): Promise<string[]> {
  const room = await roomFor(deps, role, tier, SHARE, signal);
  return offer(deps.registry.list(), { role, text, room });
}

/** The tools of a conversation; the usual ones where none were chosen for it. */
export async function offeredTools(
  deps: Pick<TaskDeps, 'registry' | 'rows'>,
  role: Role,
  thread: string,
): Promise<WireTool[]> {
  const tools = deps.registry.list();
  const chosen = await deps.rows.get<string[]>(offeredKey(thread));
  const worker: Worker = (role as string) === 'session' ? 'session' : 'executor';
  return wireTools(tools, chosen ?? offer(tools, { role: worker, text: '', room: Number.POSITIVE_INFINITY }));
}
