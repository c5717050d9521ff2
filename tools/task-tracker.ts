/** task_tracker: a list of steps that the subtask (or the session) keeps for itself; stored with the run, so that it outlives a crash. */

import { refusal, success } from './result.ts';
import type { Tool } from './tool.ts';
import { STATUSES, type TrackedTask, type Tracker } from './tracker.ts';

const MAX_TASKS = 200;

const MARKS = { pending: '[ ]', in_progress: '[~]', completed: '[x]' };
const line = ({ id, content, status }: TrackedTask): string => `#${id} ${MARKS[status]} ${content}`;

const counted = (tasks: TrackedTask[]): string =>
  STATUSES.map(status => `${tasks.filter(task => task.status === status).length} ${status}`).join(', ');

async function listed(tasks: TrackedTask[], tracker: Tracker) {
  const others = (await tracker.others()).filter(({ list }) => list.tasks.length > 0);
  const lines = [
    ...(tasks.length > 0 ? [...tasks.map(line), `(${counted(tasks)})`] : ['No tasks.']),
    ...others.flatMap(({ subtask, list }) => [
      `Of ${subtask} (not yours to change):`,
      ...list.tasks.map(line),
    ]),
  ];
  return success(lines.join('\n'), { data: { tasks, count: tasks.length } });
}

export const taskTracker: Tool = {
  name: 'task_tracker',
  description: 'Keep your own list of steps: add, update, list, clear.',
  category: 'task',
  keywords: ['todo', 'steps', 'progress', 'track'],
  parameters: {
    type: 'object',
    properties: {
      action: { enum: ['add', 'update', 'list', 'clear'] },
      content: { type: 'string', maxLength: 2_000, description: 'what is to be done (add, update)' },
      task_id: {
        type: 'integer',
        minimum: 1,
        maximum: 1_000_000,
        description: 'needed by update, without effect else',
      },
      status: { enum: STATUSES, description: 'default: pending for add, unchanged for update' },
    },
    required: ['action'],
    additionalProperties: false,
  },
  effects: {
    by: 'action',
    operations: {
      // The list is Loom's own row: nothing of the user's changes, but calls must not overtake each other.
      add: { does: 'read', mutates: true },
      update: { does: 'read', mutates: true },
      clear: { does: 'read', mutates: true },
      list: 'read',
    },
  },
  timeoutMs: 10_000,

  async run(args, { tracker }) {
    const { tasks, next } = (await tracker.load()) ?? { tasks: [], next: 1 };
    const content = ((args['content'] as string | undefined) ?? '').trim();
    const status = args['status'] as TrackedTask['status'] | undefined;
    const field = (name: string) => ({ fields: [name] });
    switch (args['action']) {
      case 'add': {
        if (content === '')
          throw refusal('invalid_arguments', 'Task content is required: give content.', field('content'));
        if (tasks.length >= MAX_TASKS)
          throw refusal('too_many', `The list has ${MAX_TASKS} tasks; clear it or update one of them.`);
        const task: TrackedTask = { id: next, content, status: status ?? 'pending' };
        tracker.keep({ tasks: [...tasks, task], next: next + 1 });
        return success(`Task #${task.id} added: ${content}`, { data: { ...task } });
      }
      case 'update': {
        const id = args['task_id'] as number | undefined;
        if (id === undefined)
          throw refusal(
            'invalid_arguments',
            'task_id is required: the number of the task.',
            field('task_id'),
          );
        const known = tasks.find(task => task.id === id);
        if (!known)
          throw refusal(
            'not_found',
            `Task #${id} not found. ${tasks.length > 0 ? `There are: ${tasks.map(task => `#${task.id}`).join(', ')}.` : 'The list is empty.'}`,
            field('task_id'),
          );
        if (status === undefined && content === '')
          throw refusal('invalid_arguments', 'Nothing to update: give status or content.', field('status'));
        const task = { ...known, status: status ?? known.status, content: content || known.content };
        tracker.keep({ tasks: tasks.map(one => (one.id === id ? task : one)), next });
        return success(`Task #${id} -> ${task.status}: ${task.content}`, { data: { ...task } });
      }
      case 'clear':
        tracker.keep({ tasks: [], next: 1 });
        return success(`Cleared ${tasks.length} task(s).`, { data: { cleared: tasks.length } });
      default:
        return listed(tasks, tracker);
    }
  },
};
