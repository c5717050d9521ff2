/** A running task listens: instructions reach it at its next step, a pause lets it end its step and nothing more. */
import { afterEach, expect, test } from 'vitest';
import type { JournalEvent } from '../../actors/loom.ts';
import { type Lab, ofType, servedLab, wordsOf } from '../support/lab.ts';
import { done, plan, script, writes } from '../support/script.ts';

const labs: Lab[] = [];
afterEach(async () => {
  for (const made of labs.splice(0)) await made.end();
});

const approval = { passed: true, outcome: 'pass', confidence: 0.9, feedback: 'fine', issues: [] };
const scenario = script(
  plan(
    { id: 'first', files: ['first.md'], tier: 2 },
    { id: 'second', needs: ['first'], files: ['second.md'] },
  ),
  { ...writes('first', 'first.md'), step: 0 },
  { ...done('first', ['first.md']), step: 1 },
  { role: 'verifier', subtask: 'first', reply: approval },
  { ...writes('second', 'second.md'), step: 0 },
  { ...done('second', ['second.md']), step: 1 },
);

async function started(): Promise<Lab> {
  const here = await servedLab('openai', scenario);
  labs.push(here);
  await here.reopen();
  return here;
}

const INSTRUCTION = `Use British spelling everywhere. ${'It matters to the reader. '.repeat(20)}And never mention colour without a u.`;

test('an instruction reaches the running subtask at its next step, and every later prompt, whole', async () => {
  const here = await started();
  const seen: Promise<unknown>[] = [];
  const { result, events } = await here.go('Two files', {
    onEvent: (event: JournalEvent) => {
      if (event.event_type === 'tool_call_started' && seen.length === 0)
        seen.push(here.loom.steer(event.task_id, INSTRUCTION));
    },
  });
  await Promise.all(seen);
  expect(result).toMatchObject({ status: 'completed', exit_code: 0 });
  const journal = [];
  for await (const event of here.loom.events(result.task_id, { follow: false })) journal.push(event);
  expect(ofType(journal, 'steer_instruction').map(event => event.data['instruction'])).toEqual([INSTRUCTION]);
  expect(events.length).toBeLessThanOrEqual(journal.length);
  const words = (here.servers[0]?.requests ?? [])
    .filter(request => request.path.includes('chat'))
    .map(wordsOf);
  const of = (role: string, subtask: string) =>
    words.filter(text => text.includes(`# Loom ${role}`) && text.includes(`Subtask: ${subtask}`));
  expect(of('executor', 'first')[0]).not.toContain('British');
  for (const text of [of('verifier', 'first')[0], ...of('executor', 'second')]) {
    expect(text).toContain('British');
    expect(text).toContain('without a u');
    expect(text!.split('British').length).toBe(2);
  }
});

test('a pause lets the step end, starts nothing new, and resume goes on without repeating anything', async () => {
  const here = await started();
  const told: Promise<unknown>[] = [];
  const { result } = await here.go('Two files', {
    onEvent: (event: JournalEvent) => {
      if (event.event_type === 'tool_call_started' && told.length === 0)
        told.push(here.loom.pause(event.task_id));
    },
  });
  await Promise.all(told);
  expect(result).toMatchObject({ status: 'paused', exit_code: 3, error: { code: 'paused' } });
  expect(result.subtasks.find(subtask => subtask.id === 'second')?.status).toBe('pending');
  const { result: after } = await here.goOn(result.task_id);
  expect(after).toMatchObject({ status: 'completed', exit_code: 0 });
  const journal = [];
  for await (const event of here.loom.events(result.task_id, { follow: false })) journal.push(event);
  expect(ofType(journal, 'task_paused')).toHaveLength(1);
  expect(ofType(journal, 'tool_call_completed')).toHaveLength(2);
  expect(here.tree()).toEqual({ 'first.md': 'first.md\n', 'second.md': 'second.md\n' });
});

test('an instruction for a run that stands still waits for it; one for a finished run is refused', async () => {
  const here = await started();
  const stop = new AbortController();
  const { result } = await here.go('Two files', {
    signal: stop.signal,
    onEvent: event => {
      if (event.event_type === 'tool_call_completed') stop.abort();
    },
  });
  expect(result.exit_code).toBe(130);
  await here.loom.steer(result.task_id, 'Write in capitals.');
  const { result: after } = await here.goOn(result.task_id);
  expect(after.exit_code).toBe(0);
  const last = (here.servers[0]?.requests ?? [])
    .map(wordsOf)
    .filter(text => text.includes('Subtask: second'));
  expect(last[0]).toContain('Write in capitals.');
  await expect(here.loom.steer(result.task_id, 'Too late')).rejects.toThrow(/over already/);
  await expect(here.loom.steer(result.task_id, '  ')).rejects.toThrow(/empty/);
});
