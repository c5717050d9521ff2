/** What a chart calls the parts of a transition: events, guards and actions by their names in the code. */
import type { AnyStateNode } from 'xstate';

type Transition = NonNullable<AnyStateNode['always']>[number];
type Action = Transition['actions'][number];
type Guard = NonNullable<Transition['guard']>;

/** What xstate keeps on the functions its action and guard creators return. */
interface Made {
  type?: string;
  src?: unknown;
  to?: unknown;
  id?: unknown;
  guards?: Guard[];
}

/** `xstate.done.actor.plan` is what the code writes as the `onDone` of `plan`. */
export function eventLabel(event: string): string {
  const [, kind, name] = /^xstate\.(done|error)\.(?:actor\.|state\.(?:[^.]+\.)?)(.+)$/.exec(event) ?? [];
  if (kind) return `${kind} ${name}`;
  const [, delay] = /^xstate\.after\.([^.]+)\./.exec(event) ?? [];
  return delay ? `after ${delay}` : event;
}

const WORDS: [RegExp, string][] = [
  [/\b(?:context|event)\./g, ''],
  // Tools that bundle or load modules rewrite imported names: `(0, module.name)(`, `module.name`, `name2(`.
  [/\(0,\s*[\w$]+\.(\w+)\)/g, '$1'],
  [/\b__\w+__\./g, ''],
  [/([A-Za-z])\d+\(/g, '$1('],
  [/["'`]/g, ''],
  [/\s*!==?\s*/g, ' ≠ '],
  [/\s*===?\s*/g, ' = '],
  [/\s*&&\s*/g, ' and '],
  [/\s*\|\|\s*/g, ' or '],
  [/>=/g, '≥'],
  [/<=/g, '≤'],
  [/!(?=[A-Za-z(])/g, 'not '],
];

/** A guard without a name, as the condition it is: `({event}) => event.output.ok && …` reads `output.ok and …`. */
function condition(guard: { toString(): string }): string {
  const body = guard.toString().replace(/^[\s\S]*?=>\s*/, '');
  if (body.startsWith('{')) return '…';
  return WORDS.reduce((text, [from, to]) => text.replace(from, to), body.replace(/\s+/g, ' ')).trim();
}

export function guardLabel(guard: Guard | undefined): string {
  if (guard === undefined) return '';
  if (typeof guard === 'string') return guard;
  if (typeof guard === 'object') return named(guard as { type: string; params?: unknown });
  const { guards } = guard as unknown as Made;
  if (!guards) return condition(guard);
  const parts = guards.map(part => guardLabel(part));
  return parts.length === 1 ? `not ${parts[0]}` : parts.join(/^or\d*$/.test(guard.name) ? ' or ' : ' and ');
}

/** A name with the one short word of its parameters, such as the kind of a journal line. */
function named({ type, params }: { type: string; params?: unknown }): string {
  if (typeof params === 'function') {
    const [, kind] = /event_type:\s*["'`](\w+)/.exec(params.toString()) ?? [];
    return kind ? `${type} ${kind}` : type;
  }
  const word = Object.values((params ?? {}) as object).find(
    value => typeof value === 'string' && /^[\w.-]{1,30}$/.test(value),
  );
  return word === undefined ? type : `${type} ${String(word)}`;
}

export function actionLabel(action: Action): string {
  if (typeof action === 'string') return action;
  if (typeof action === 'object') return named(action as { type: string; params?: unknown });
  const { type, src, to, id } = action as unknown as Made;
  if (type === 'xstate.spawnChild') return `⚙ ${typeof src === 'string' ? src : String(id)}`;
  if (type === 'xstate.sendTo' && typeof to === 'string') return `sendTo ${to}`;
  if (type?.startsWith('xstate.')) return type.slice('xstate.'.length);
  return action.name && action.name !== 'actions' ? action.name : 'action';
}
