/** A call that waits for a decision: the whole of it is shown, then yes, no, always, or all of this turn. */
import type { Answer, Question } from '../../actors/loom.ts';
import type { Ask, Choice } from '../ask.ts';
import { diffLines } from '../render/diff.ts';
import { oneLine, safe } from '../render/width.ts';
import type { Paint } from '../render/words.ts';

/** What the person decided, beside the answer itself. */
export interface Decision {
  answer: Answer;
  /** A rule to keep, and for how long. */
  rule?: { text: string; scope: 'session' | 'workspace' };
  /** The person changes the call first. */
  edit?: true;
  /** The rest of this turn is not asked about. */
  turn?: true;
}

/** Lines of a command or a diff that are shown before the question. */
const MOST_LINES = 60;

/** What it is about, in full. */
export function questionLines(question: Question, paint: Paint): string[] {
  const { kind, risk, prompt, detail } = question;
  const head =
    kind === 'ask_user'
      ? paint.yellow(`? ${safe(prompt)}`)
      : paint.yellow(`? ${safe(prompt)}${risk ? paint.dim(` (${oneLine(risk)})`) : ''}`);
  if (detail === '' || prompt.includes(detail)) return head.split('\n');
  const body = /^[+-]/m.test(detail)
    ? diffLines(detail, paint, MOST_LINES)
    : safe(detail).split('\n').slice(0, MOST_LINES);
  return [...head.split('\n'), ...body.map(line => `    ${line}`)];
}

/** Rules that a person may mean by "always": this very call, its kind, the whole tool. Widest last. */
export function rulesFor({ rule }: Question): string[] {
  const [, tool = '', subject = ''] = /^([\w.-]+)\(([\s\S]*)\)$/.exec(rule) ?? [];
  if (!tool) return rule === '' ? [] : [rule];
  if (tool === 'shell_execute' || tool === 'git_command') {
    const [program = '', word = ''] = subject.trim().split(/\s+/);
    // `npm test` says more than `npm`; an option or a path as second word says nothing.
    const prefix = /^[a-z][\w:-]*$/i.test(word) ? `${program} ${word}` : program;
    return [...new Set([rule, `${tool}(${prefix}*)`])];
  }
  const folder = subject.includes('/') ? subject.slice(0, subject.lastIndexOf('/')) : '';
  return [...new Set([rule, ...(folder ? [`${tool}(${folder}/**)`] : []), tool])];
}

/** null: the person pressed Esc or Ctrl+C; the question stays open. */
export async function decide(question: Question, ask: Ask): Promise<Decision | null> {
  if (question.choices.length === 0) {
    const text = await ask.text('Your answer');
    return text ? { answer: { answer: text } } : null;
  }
  if (question.kind !== 'approval') return other(question, ask);
  const rules = rulesFor(question);
  const chosen = await ask.choose('Let it?', [
    { name: 'yes', message: 'yes' },
    { name: 'no', message: 'no, and say why' },
    { name: 'edit', message: 'edit it first' },
    ...(rules.length > 0 ? [{ name: 'always', message: 'always …' }] : []),
    { name: 'turn', message: 'yes, and everything else of this turn' },
  ]);
  if (chosen === null) return null;
  if (chosen === 'edit') return { answer: { answer: 'approve' }, edit: true };
  if (chosen === 'always') return always(rules, ask);
  if (chosen === 'turn') return { answer: { answer: 'approve' }, turn: true };
  if (chosen === 'yes') return { answer: { answer: 'approve' } };
  const reason = await ask.text('Why not? (the model reads it; may be empty)');
  return reason === null ? null : { answer: reason ? { answer: 'reject', reason } : { answer: 'reject' } };
}

async function always(rules: string[], ask: Ask): Promise<Decision | null> {
  const choices: Choice[] = rules.flatMap(rule => [
    { name: `session ${rule}`, message: `${rule}  in this session` },
    { name: `workspace ${rule}`, message: `${rule}  in this folder, from now on` },
  ]);
  const chosen = await ask.choose('What is always fine?', choices);
  if (chosen === null) return null;
  const scope = chosen.startsWith('session ') ? 'session' : 'workspace';
  return { answer: { answer: 'approve' }, rule: { text: chosen.slice(scope.length + 1), scope } };
}

const WORDS: Record<string, string> = {
  approve: 'yes',
  reject: 'no',
  retry: 'retry: do it again',
  skip: 'skip: go on without it',
  done: 'done: it did happen',
};

const FREE = '\u0000';

async function other({ kind, choices }: Question, ask: Ask): Promise<Decision | null> {
  const listed = choices.map(name => ({ name, message: WORDS[name] ?? oneLine(name) }));
  const chosen = await ask.choose('What now?', [
    ...listed,
    ...(kind === 'ask_user' ? [{ name: FREE, message: 'something else' }] : []),
  ]);
  if (chosen === null) return null;
  if (chosen !== FREE) return { answer: { answer: chosen } };
  const text = await ask.text('Your answer');
  return text ? { answer: { answer: text } } : null;
}
