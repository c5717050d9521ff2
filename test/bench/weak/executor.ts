/** The simulated worker: it knows how each task is done, looks, changes file by file, and ends; but at each decision it errs
 *  with a set probability, and it believes in what it did: a call that went through counts as done, however wrong it was. */
import type { ScenarioTurn } from '../../../actors/models/scenario.ts';
import { type Conversation, digests, type Said } from './conversation.ts';
import type { Aim, Files, Job, JobNode } from './jobs.ts';
import { type Luck, luck } from './luck.ts';
import { asText, type Call, malformed, otherPath, smallestEdit } from './mistakes.ts';

export interface Temper {
  seed: number;
  /** Probability of an error at each decision, 0..1. */
  rate: number;
}

type Mistake = 'claim' | 'stop' | 'malformed' | 'loop' | 'text' | 'wrong file' | 'drift' | 'lookalike';

/** A model that has begun to repeat itself goes on with this probability, until it is told so. */
const STICKY = 0.8;

interface Decision {
  text: string;
  calls: { name: string; arguments: string }[];
  /** What it means to have done when its call goes through. */
  aim: Aim | null;
  looping: boolean;
}

/** What the worker knows and believes at one point of the conversation. */
interface Mind {
  /** Contents as last read; null: not there. */
  known: Map<string, string | null>;
  looked: boolean;
  /** Paths of aims it takes for reached. */
  believed: Set<string>;
  /** A file to be read again, because a call said so. */
  again: string | null;
  last: Decision | null;
  nudged: boolean;
}

interface Work {
  aims: Aim[];
  decoys: string[];
  /** As the description tells it. */
  before: Files;
}

export function executorTurn(conversation: Conversation, job: Job, temper: Temper): ScenarioTurn {
  const work = workOf(conversation, job);
  const marks = digests(conversation);
  const decideAt = (mind: Mind, at: number): Decision =>
    decide(mind, work, luck('decision', temper.seed, marks[at]!), temper.rate);
  let mind: Mind = {
    known: new Map(),
    looked: false,
    believed: new Set(),
    again: null,
    last: null,
    nudged: false,
  };
  for (const [at, said] of conversation.rest.entries()) {
    if (said.role === 'assistant') mind = { ...mind, last: decideAt(mind, at), again: null };
    else if (said.role === 'user') mind = { ...mind, nudged: true };
    else learn(mind, said, conversation.rest);
  }
  const { text, calls } = decideAt(mind, conversation.rest.length);
  return { text, calls, reasoning: '', finish: calls.length > 0 ? 'tool_calls' : 'stop', delay_ms: 0 };
}

/** The aims of the subtask, and setting right what earlier attempts touched besides. */
function workOf({ subtask, prompt }: Conversation, job: Job): Work {
  const nodes = job.nodes.filter(node => subtask === '' || baseOf(subtask) === node.id);
  const aims = nodes.flatMap((node: JobNode) => node.aims);
  const lists = [
    ...prompt.matchAll(/(?:Files you already changed|that they changed are still so): (.*?)\. [A-Z]/g),
  ];
  const touched = new Set(lists.flatMap(([, list]) => list!.split(', ')));
  const strays = [...touched].filter(path => !aims.some(aim => aim.path === path));
  return {
    aims: [...aims, ...strays.map(path => ({ path, text: job.truth[path] ?? null, lookalikes: [] }))],
    decoys: nodes.flatMap(node => node.decoys),
    before: job.before,
  };
}

/** A replanned subtask has the id of the one it replaces and a number. */
export const baseOf = (subtask: string): string => subtask.replace(/-again-\d+$/, '');

function learn(mind: Mind, result: Said, all: Said[]): void {
  const call = all.flatMap(said => said.calls).find(({ id }) => id === result.of);
  const path = /"(?:path|source)":"([^"]*)"/.exec(call?.arguments ?? '')?.[1] ?? '';
  const failed = result.text.startsWith('Error');
  if (call?.name === 'read_file') {
    if (!failed) mind.known.set(path, result.text === '(empty file)' ? '' : `${result.text}\n`);
    else if (/does not exist/.test(result.text)) mind.known.set(path, null);
    mind.looked = true;
  } else if (call?.name === 'list_directory') mind.looked = true;
  else if (failed) mind.again = path === '' || mind.known.get(path) === null ? null : path;
  else if (mind.last?.aim) mind.believed.add(mind.last.aim.path);
}

/** As the worker knows it, or else as it was told. */
const contents = (mind: Mind, work: Work, path: string): string | null =>
  mind.known.has(path) ? mind.known.get(path)! : (work.before[path] ?? null);

const acting = (call: Call, aim: Aim | null): Decision => ({
  text: '',
  calls: [{ name: call.name, arguments: JSON.stringify(call.arguments) }],
  aim,
  looping: false,
});
const saying = (text: string): Decision => ({ text, calls: [], aim: null, looping: false });

function decide(mind: Mind, work: Work, luck: Luck, rate: number): Decision {
  if (mind.last?.looping && luck.chance(mind.nudged ? rate : STICKY)) return mind.last;
  const aim = work.aims.find(
    each => !mind.believed.has(each.path) && contents(mind, work, each.path) !== each.text,
  );
  const right = rightDecision(mind, work, aim ?? null);
  return luck.chance(rate) ? wrongDecision(mind, work, right, luck) : right;
}

const read = (path: string): Call => ({ name: 'read_file', arguments: { path } });

function rightDecision(mind: Mind, work: Work, aim: Aim | null): Decision {
  if (!mind.looked) {
    const paths = work.aims.map(({ path }) => path).filter(path => path in work.before);
    const strays = work.aims.filter(({ path }) => !(path in work.before)).map(({ path }) => path);
    const looks = [...paths, ...strays].map(read);
    const calls = looks.length > 0 ? looks : [{ name: 'list_directory', arguments: { path: '.' } }];
    return { ...acting(calls[0]!, null), calls: calls.map(wired) };
  }
  if (mind.again !== null) return acting(read(mind.again), null);
  return aim ? acting(callFor(aim, contents(mind, work, aim.path)), aim) : saying(report(work));
}

const wired = (call: Call): Decision['calls'][number] => ({
  name: call.name,
  arguments: JSON.stringify(call.arguments),
});

function callFor({ path, text }: Aim, now: string | null): Call {
  if (text === null) return { name: 'delete_file', arguments: { path } };
  if (now === null || now === '') return { name: 'write_file', arguments: { path, content: text } };
  return { name: 'edit_file', arguments: { path, ...smallestEdit(now, text) } };
}

function report({ aims }: Work): string {
  const files = aims.filter(aim => aim.text !== null).map(aim => aim.path);
  const status = {
    status: 'success',
    summary: `Done: ${aims.map(aim => aim.path).join(', ')}.`,
    deliverables_touched: files,
    verification_notes: 'Looked at the results.',
  };
  return `The work is done.\n${JSON.stringify(status)}`;
}

function wrongDecision(mind: Mind, work: Work, right: Decision, luck: Luck): Decision {
  const [wire] = right.calls;
  const call: Call | null = wire ? { name: wire.name, arguments: JSON.parse(wire.arguments) } : null;
  const { aim } = right;
  // Where the work can look right and be wrong, half of the errors are of that kind.
  if (aim && aim.lookalikes.length > 0 && luck.chance(0.5)) return spoiled('lookalike');
  const possible: Mistake[] = ['claim', 'stop', 'loop', ...(call ? (['malformed', 'text'] as const) : [])];
  if (aim) possible.push('wrong file', 'drift');
  return spoiled(luck.pick(possible));

  function spoiled(mistake: Mistake): Decision {
    if (mistake === 'claim') return saying(report(work));
    if (mistake === 'stop') return saying(luck.pick(STOPS));
    if (mistake === 'loop') return { ...loop(mind, work, right), looping: true };
    if (mistake === 'malformed')
      return { ...right, calls: [{ name: call!.name, arguments: malformed(call!, luck) }] };
    if (mistake === 'text') return { ...right, text: asText(call!, luck), calls: [] };
    if (mistake === 'lookalike') {
      const wrong = { ...aim!, text: luck.pick(aim!.lookalikes) };
      return acting(callFor(wrong, contents(mind, work, aim!.path)), aim);
    }
    if (mistake === 'wrong file') return wrongFile(mind, work, aim!, luck);
    return drifted(mind, work, aim!, luck);
  }
}

const STOPS = [
  'I have looked at the files. Next I will make the change.',
  'Let me now write the file as described.',
  'Half of it is there.\n{"status":"partial","summary":"Began.","reason":"the rest is still to be done"}',
];

/** The call before once more, or looking at the same thing again and again. */
function loop(mind: Mind, work: Work, right: Decision): Decision {
  const before = mind.last?.calls.length ? mind.last : right.calls.length > 0 ? right : null;
  return before ?? acting(read(work.aims[0]?.path ?? 'readme.md'), null);
}

function wrongFile(mind: Mind, work: Work, aim: Aim, luck: Luck): Decision {
  const decoy = work.decoys[0];
  if (aim.text === null) return acting({ name: 'delete_file', arguments: { path: decoy ?? aim.path } }, aim);
  const now = contents(mind, work, aim.path);
  // Two files that look alike: the same edit fits both.
  if (decoy !== undefined && now !== null && luck.chance(0.5))
    return acting({ name: 'edit_file', arguments: { path: decoy, ...smallestEdit(now, aim.text) } }, aim);
  return acting(
    { name: 'write_file', arguments: { path: otherPath(aim.path, luck), content: aim.text } },
    aim,
  );
}

/** An edit of text that is not there, of the wrong place, or one that leaves the old text standing or takes too much. */
function drifted(mind: Mind, work: Work, aim: Aim, luck: Luck): Decision {
  const now = contents(mind, work, aim.path);
  if (now === null || now === '' || aim.text === null) {
    const args = { path: aim.path, old_str: 'as it was', new_str: aim.text ?? '' };
    return acting({ name: 'edit_file', arguments: args }, aim);
  }
  const { old_str, new_str } = smallestEdit(now, aim.text);
  const lines = now.split('\n').filter(line => line.trim() !== '' && !old_str.includes(line));
  const elsewhere = lines.length > 0 ? luck.pick(lines) : old_str;
  const edits = [
    { old_str: `${old_str.split('').reverse().join('')}!`, new_str },
    { old_str: elsewhere, new_str },
    { old_str, new_str: `${old_str}\n${new_str}` },
    { old_str: `${old_str.slice(0, -2)}99`, new_str },
  ];
  return acting({ name: 'edit_file', arguments: { path: aim.path, ...luck.pick(edits) } }, aim);
}
