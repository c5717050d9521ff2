/** Claims without work never pass by checks alone, and honest work of the same looks always does. */
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { DEFAULT_RULES } from '../../actors/effects/checks/check.ts';
import { judgement, runChecks } from '../../actors/effects/checks/run.ts';
import type { ChangelogEntry, ToolTrace } from '../../actors/effects/rows.ts';
import type { ScenarioCall } from '../../actors/models/scenario.ts';
import { singleNodePlan } from '../../machines/plan.ts';
import type { BlobRef } from '../../store/blobs-port.ts';
import { type Lab, ofType, scriptedLab } from '../support/lab.ts';
import { LIARS, type Liar, type Step } from '../support/liars.ts';
import { type Sandbox, sandbox } from '../support/loom-process.ts';
import { always, call, calls, done, plan, script, verdict } from '../support/script.ts';

const boxes: Sandbox[] = [];
const labs: Lab[] = [];
afterEach(async () => {
  for (const box of boxes.splice(0)) box.remove();
  for (const lab of labs.splice(0)) await lab.end();
});

/** What the steps leave: files, changelog and traces, as a run would have written them. */
function played(liar: Liar, steps: Step[]) {
  const box = sandbox();
  boxes.push(box);
  const files = new Map<string, string>(Object.entries(liar.before ?? {}));
  const blobs = new Map<string, Buffer>();
  const keep = (text: string): BlobRef => {
    const ref = { sha256: `${blobs.size}`, size: text.length };
    blobs.set(ref.sha256, bytesOf(text));
    return ref as BlobRef;
  };
  const put = (path: string, text: string): void => {
    mkdirSync(dirname(join(box.workspace, path)), { recursive: true });
    writeFileSync(join(box.workspace, path), bytesOf(text));
  };
  for (const [path, text] of files) put(path, text);
  const changelog: ChangelogEntry[] = [];
  const traces: ToolTrace[] = [];
  const trace = (tool: string, subject: string, more: Partial<ToolTrace> = {}): void => {
    const base = { tool, subject, success: true, files_changed: [], destructive: false };
    traces.push({ ...base, mutates: tool !== 'read_file', ...more });
  };
  const change = (path: string, text: string | null): void => {
    const old = files.get(path);
    trace(text === null ? 'delete_file' : 'write_file', path, { files_changed: old === text ? [] : [path] });
    if (old === text) return;
    changelog.push({
      id: `c${changelog.length}`,
      key: `x|${changelog.length}|0`,
      subtask: 'work',
      tool: text === null ? 'delete_file' : 'write_file',
      at: '',
      changes: [
        {
          operation: text === null ? 'delete' : old === undefined ? 'create' : 'modify',
          path,
          before: old === undefined ? null : keep(old),
          after: text === null ? null : `hash of ${text}`,
          mode_before: null,
          mode_after: null,
          undoable: true,
        },
      ],
    });
    if (text === null) {
      files.delete(path);
      rmSync(join(box.workspace, path));
    } else {
      files.set(path, text);
      put(path, text);
    }
  };
  for (const step of steps) {
    if ('write' in step) change(step.write, step.text);
    else if ('remove' in step) change(step.remove, null);
    else if ('read' in step) trace('read_file', step.read, { success: files.has(step.read) });
    else
      trace('shell_execute', step.run, {
        success: step.exit === 0,
        exit_code: step.exit,
        output: step.prints ?? '',
      });
  }
  return { root: box.workspace, changelog, traces, blobs };
}

/** One byte a character, so that the table can hold an image. */
const bytesOf = (text: string): Buffer => Buffer.from(text, text.startsWith('\u0089') ? 'latin1' : 'utf8');

const answerOf = ({ says, lists }: Liar['fake']): string =>
  lists
    ? `${says}\n${JSON.stringify({ status: 'success', summary: says, deliverables_touched: lists })}`
    : says;

const nodeOf = (liar: Liar) => ({
  ...singleNodePlan('x').subtasks[0]!,
  id: 'work',
  description: liar.asks ?? 'Do what was agreed.',
  acceptance_criteria: liar.criteria ?? '',
  deliverables: liar.files ?? [],
});

async function judged(liar: Liar, who: 'fake' | 'honest') {
  const { root, changelog, traces, blobs } = played(liar, liar[who].does);
  const checks = await runChecks({
    root,
    goal: '',
    node: nodeOf(liar),
    answer: answerOf(liar[who]),
    changelog,
    traces,
    everything: async () => changelog,
    blobs: { get: async ref => blobs.get(ref.sha256)! },
    rules: DEFAULT_RULES,
  });
  return judgement(checks);
}

describe('by checks alone', () => {
  it('there are at least thirty, each with a name of its own', () => {
    expect(new Set(LIARS.map(liar => liar.name)).size).toBe(LIARS.length);
    expect(LIARS.length).toBeGreaterThanOrEqual(30);
  });

  it.each(LIARS)('$name: never passes', async liar => {
    const { outcome, established, failed, unsure } = await judged(liar, 'fake');
    expect(outcome, JSON.stringify([failed, unsure])).toBe(liar.verdict);
    expect(established).toBe(liar.verdict === 'fail');
  });

  it.each(LIARS)('the honest twin of "$name" passes', async liar => {
    const { outcome, failed, unsure } = await judged(liar, 'honest');
    expect([outcome, ...failed, ...unsure]).toEqual(['pass']);
  });

  it.each(LIARS)('$name: nothing is said twice', async liar => {
    const { failed, unsure } = await judged(liar, 'fake');
    const said = [...failed, ...unsure].map(check => check.detail);
    expect(said.length).toBeGreaterThan(0);
    expect(new Set(said).size).toBe(said.length);
  });
});

const callOf = (step: Step): ScenarioCall => {
  if ('write' in step) return call('write_file', { path: step.write, content: step.text });
  if ('remove' in step) return call('delete_file', { path: step.remove });
  if ('read' in step) return call('read_file', { path: step.read });
  return call('shell_execute', { command: step.run });
};

/** Each step is an answer of its own, so that it is over before the next. */
function runOf(liar: Liar, who: 'fake' | 'honest', reviewed: boolean): Lab {
  const { does, says, lists } = liar[who];
  const work = {
    id: 'work',
    ...(liar.asks ? { description: liar.asks } : {}),
    ...(liar.files ? { files: liar.files } : {}),
    ...(liar.criteria ? { criteria: liar.criteria } : {}),
  };
  // A file has to have been read before it is written over.
  const known = Object.keys(liar.before ?? {}).filter(path =>
    does.some(step => 'write' in step && step.write === path),
  );
  const scenario = script(
    plan(work),
    known.map(path => calls('work', call('read_file', { path }))),
    does.map(step => calls('work', callOf(step))),
    lists ? done('work', lists, says) : { role: 'executor', subtask: 'work', reply: says },
    reviewed ? always(verdict('work', false, 'The reviewer saw through it.')) : [],
  );
  const lab = scriptedLab(
    scenario,
    'max_subtask_retries = 0\nmax_task_replans = 0\n[approval]\nallow = ["shell_execute", "delete_file"]\n',
  );
  labs.push(lab);
  for (const [path, text] of Object.entries(liar.before ?? {})) lab.write(path, text);
  return lab;
}

const WHOLE = LIARS.filter(liar => liar.whole);

describe('in a whole run planned at tier 1', () => {
  it.each(WHOLE)('$name: is rejected, or read by a reviewer who rejects it', async liar => {
    const { result, events } = await runOf(liar, 'fake', true).go('Do it');
    expect(result).toMatchObject({ status: 'failed', exit_code: 1 });
    const outcomes = ofType(events, 'verification_outcome').map(event => event.data);
    expect(outcomes.map(({ passed, tier }) => [passed, tier])).toEqual([
      [false, liar.verdict === 'fail' ? 1 : 2],
    ]);
    expect(ofType(events, 'verification_not_established')).toHaveLength(liar.verdict === 'fail' ? 0 : 1);
  });

  it.each(WHOLE)('the honest twin of "$name" passes without a reviewer', async liar => {
    const { result } = await runOf(liar, 'honest', false).go('Do it');
    expect(result, result.error?.message).toMatchObject({ status: 'completed', exit_code: 0 });
    expect(result.subtasks[0]).toMatchObject({ attempts: 1, verification: { outcome: 'pass' } });
  });
});
