/** All simulated roles behind one server: the worker errs, the reviewer is unreliable, the planner is right. */
import type { ScenarioMessage, ScenarioTurn } from '../../../actors/models/scenario.ts';
import type { Player } from '../../support/fake-http.ts';
import { type Conversation, readConversation } from './conversation.ts';
import { baseOf, executorTurn, type Temper } from './executor.ts';
import { type Job, plannedNode } from './jobs.ts';
import { reviewerTurn } from './reviewer.ts';

export class SimulatedModels implements Player {
  readonly #jobs = new Map<string, { job: Job; temper: Temper }>();

  /** Requests whose goal names one of these jobs are answered from now on. */
  add(jobs: Job[], temper: Temper): void {
    for (const job of jobs) this.#jobs.set(job.key, { job, temper });
  }

  forget(jobs: Job[]): void {
    for (const job of jobs) this.#jobs.delete(job.key);
  }

  next(_: ScenarioMessage[], body: Record<string, unknown>): ScenarioTurn {
    const conversation = readConversation(body);
    const known = this.#jobs.get(conversation.job);
    if (!known) throw new Error(`no job ${conversation.job || '(none)'} for a ${conversation.role}`);
    const { job, temper } = known;
    switch (conversation.role) {
      case 'planner':
        return saying({ subtasks: job.nodes.map(node => plannedNode(node, job.tier)) });
      case 'replanner':
        return saying({ subtasks: replanned(job, conversation) });
      case 'verifier':
        return reviewerTurn(conversation, temper.seed);
      case 'executor':
      case 'worker':
        return executorTurn(conversation, job, temper);
      default:
        return saying({});
    }
  }
}

const saying = (value: unknown): ScenarioTurn => ({
  text: JSON.stringify(value),
  calls: [],
  reasoning: '',
  finish: 'stop',
  delay_ms: 0,
});

/** What is not completed once more, under new ids. */
function replanned(job: Job, { prompt }: Conversation): object[] {
  const listed = [...prompt.matchAll(/^\[(\w+)\] (\S+?): /gm)].map(match => ({
    completed: match[1] === 'completed',
    id: match[2]!,
  }));
  const round = 1 + Math.max(0, ...listed.map(({ id }) => Number(/-again-(\d+)$/.exec(id)?.[1] ?? 0)));
  const done = new Map(listed.filter(each => each.completed).map(({ id }) => [baseOf(id), id]));
  const nameOf = (id: string): string => done.get(id) ?? `${id}-again-${round}`;
  return job.nodes
    .filter(node => !done.has(node.id))
    .map(node => ({
      ...plannedNode(node, job.tier),
      id: nameOf(node.id),
      depends_on: node.needs.map(nameOf),
    }));
}
