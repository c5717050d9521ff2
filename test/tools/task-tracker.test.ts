import { describe, expect, it } from 'vitest';
import { openLoom } from '../../actors/engine.ts';
import { createRegistry } from '../../tools/registry.ts';
import { bench, tempFolder } from './support.ts';

describe('task_tracker', () => {
  const tracker = async () => {
    const { context } = await bench();
    const registry = createRegistry();
    return (args: Record<string, unknown>) => registry.run('task_tracker', args, context);
  };

  it('adds, updates, lists and clears', async () => {
    const call = await tracker();
    expect((await call({ action: 'list' })).output).toBe('No tasks.');
    expect(await call({ action: 'add', content: 'Task 1' })).toMatchObject({
      output: 'Task #1 added: Task 1',
      data: { id: 1, content: 'Task 1', status: 'pending' },
    });
    await call({ action: 'add', content: 'Task 2', status: 'in_progress' });
    expect((await call({ action: 'update', task_id: 1, status: 'completed' })).output).toBe(
      'Task #1 -> completed: Task 1',
    );
    expect((await call({ action: 'update', task_id: 2, content: 'Other' })).output).toBe(
      'Task #2 -> in_progress: Other',
    );
    expect((await call({ action: 'list' })).output).toBe(
      '#1 [x] Task 1\n#2 [~] Other\n(0 pending, 1 in_progress, 1 completed)',
    );
    expect((await call({ action: 'clear' })).output).toBe('Cleared 2 task(s).');
  });

  it('refuses what it cannot do, naming the field', async () => {
    const call = await tracker();
    const fields = async (args: Record<string, unknown>) => (await call(args)).error?.detail?.['fields'];
    expect(await fields({ action: 'add', content: ' ' })).toEqual(['content']);
    expect(await fields({ action: 'update', status: 'completed' })).toEqual(['task_id']);
    expect(await fields({ action: 'update', task_id: 99, status: 'completed' })).toEqual(['task_id']);
    await call({ action: 'add', content: 'x' });
    expect(await fields({ action: 'update', task_id: 1 })).toEqual(['status']);
    expect((await call({ action: 'remove' })).success).toBe(false);
  });

  it('shows the lists of others without letting them be changed', async () => {
    const { context } = await bench();
    const list = { tasks: [{ id: 7, content: 'theirs', status: 'pending' as const }], next: 8 };
    const others = { ...context.tracker, others: async () => [{ subtask: 'b', list }] };
    const call = (args: Record<string, unknown>) =>
      createRegistry().run('task_tracker', args, { ...context, tracker: others });
    expect((await call({ action: 'list' })).output).toBe(
      'No tasks.\nOf b (not yours to change):\n#7 [ ] theirs',
    );
    expect((await call({ action: 'update', task_id: 7, status: 'completed' })).success).toBe(false);
  });

  it('is kept by the home: another process goes on with it', async () => {
    const [home, workspace] = [await tempFolder(), await tempFolder()];
    for (const content of ['first', 'second']) {
      const loom = await openLoom({ home, workspace });
      await loom.tools.call('task_tracker', { action: 'add', content }, { workspace });
      await loom.close();
    }
    const loom = await openLoom({ home, workspace });
    const { output } = await loom.tools.call('task_tracker', { action: 'list' }, { workspace });
    await loom.close();
    expect(output).toContain('#1 [ ] first\n#2 [ ] second');
  });
});
