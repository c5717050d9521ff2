/** The plan in force: the newest version stored. */
import type { Plan } from '../../machines/plan.ts';
import type { TaskDeps } from './deps.ts';

export async function currentPlan(deps: Pick<TaskDeps, 'store' | 'run'>): Promise<Plan> {
  const [newest] = await deps.store.range<Plan>(deps.run, 'plan/', { reverse: true, limit: 1 });
  if (!newest) throw new Error('no plan is stored');
  return newest.value;
}
