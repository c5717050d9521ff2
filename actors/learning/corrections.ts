/** What a person's words teach about how they want things done: a correction, or something they had to ask for after the work
 *  was said to be finished. Read from forms of speech; what has none of them is left to a model that was given that job.
 *
 *  One correction or gap gives one rule, a sentence that tells a model what to do. */
import type { JournalLine } from '../../machines/react.ts';
import { lessonRow, type RuleObservation, ruleWords } from '../../store/lessons.ts';
import type { Row } from '../../store/port.ts';
import type { TaskDeps } from '../effects/deps.ts';
import type { StoredMessage } from '../effects/rows.ts';

export interface Correction {
  type: RuleObservation['type'];
  rule: string;
}

const MOST_SENTENCES = 8;
const MOST_SENTENCE = 240;
const MOST_RULE = 200;
/** A follow-up longer than this is a task of its own. */
const MOST_FOLLOW_UP = 160;

/** Standing wishes: they count in a first message, too. */
const STANDING: [RegExp, (found: RegExpExecArray) => string][] = [
  [/\b(?:from now on|going forward|in (?:the )?future|next time)[,:]?\s+(.{4,})$/i, found => found[1]!],
  [/^(?:please\s+)?(always|never)\s+(.{3,})$/i, found => `${found[1]} ${found[2]}`],
];
/** Corrections: only of something that was done before. */
const CORRECTING: [RegExp, (found: RegExpExecArray) => string][] = [
  [
    /\buse\s+(.+?),?\s+(?:instead of|rather than|and not|not)\s+(.+)$/i,
    found => `use ${found[1]}, not ${found[2]}`,
  ],
  [
    /\bi\s+(?:prefer|want|like)\s+(.+?),?\s+(?:over|instead of|rather than|not)\s+(.+)$/i,
    found => `use ${found[1]}, not ${found[2]}`,
  ],
  [/^(?:please\s+)?(?:do not|don['’]t|dont)\s+(.{3,})$/i, found => `do not ${found[1]}`],
  [/^(?:please\s+)?stop\s+(.{3,})$/i, found => `stop ${found[1]}`],
  [/\bi\s+(?:told you|asked you|said)\s+(?:to\s+)?(.{3,})$/i, found => found[1]!],
];
/** Something that should have been done without being asked for. */
const FORGOTTEN = /\byou\s+(?:forgot|were supposed|should have remembered)\s+to\s+(.{3,})$/i;
const NOT_DONE =
  /\byou\s+(?:didn['’]t|did not|haven['’]t)\s+(run|test|lint|format|update|add|check|document|commit)\b(.*)$/i;
const FOLLOW_UP =
  /^(?:(?:ok(?:ay)?|good|great|nice|now|and|also|then|but)[,!\s]+)*(?:please\s+|can you\s+|could you\s+)?(?:also\s+)?((?:run|test|lint|format|type-?check|build|commit|document|verify)\b.*|(?:add|write|update)\s+(?:a |an |some |the )?(?:unit |regression )?(?:tests?|docs|documentation|readme|changelog)\b.*)$/i;

/** Words that say no to what was done; what follows says what instead. */
const REFUSAL =
  /^(?:no|nope|wrong|not like that|that['’]?s (?:wrong|not right|not what i (?:asked(?: for)?|meant|wanted)))\b[\s,.:;!–—-]*/i;
const INSTEAD = /^(?:use|make|write|put|keep|call|name|leave|return|show|answer|it should|they should)\b/i;
/** Nothing above fits, but somebody is not content. */
const DISCONTENT =
  /^(?:no|nope|wrong|actually|hmm|that['’]?s not|why did you|not what)\b|\b(?:instead|again)\b[.!]?$/i;

/** @param before whether something was answered before @param worked whether files were changed by then */
export function correctionIn(text: string, before: boolean, worked: boolean): Correction | null {
  const sentences = text
    .split(/(?<=[.!?])\s+|\n+|;\s+/)
    .map(sentence => sentence.replace(/\s+/g, ' ').trim())
    .filter(sentence => sentence !== '' && sentence.length <= MOST_SENTENCE)
    .slice(0, MOST_SENTENCES);
  for (const sentence of sentences) {
    const plain = ended(sentence);
    const standing = first(STANDING, plain);
    if (standing !== null) return { type: 'behavioral_correction', rule: imperative(standing) };
    if (!before) continue;
    const instead = plain.replace(REFUSAL, '');
    const correcting = first(CORRECTING, instead);
    if (correcting !== null) return { type: 'behavioral_correction', rule: imperative(correcting) };
    if (instead !== plain && INSTEAD.test(instead))
      return { type: 'behavioral_correction', rule: imperative(instead) };
    const forgotten = FORGOTTEN.exec(plain)?.[1] ?? missed(NOT_DONE.exec(plain));
    if (forgotten) return { type: 'behavioral_gap', rule: imperative(`remember to ${forgotten}`) };
  }
  const whole = ended(text.replace(/\s+/g, ' ').trim());
  const followUp = worked && whole.length <= MOST_FOLLOW_UP ? FOLLOW_UP.exec(whole)?.[1] : undefined;
  return followUp
    ? { type: 'behavioral_gap', rule: imperative(`after changing files, ${lower(followUp)}`) }
    : null;
}

const first = (forms: [RegExp, (found: RegExpExecArray) => string][], text: string): string | null => {
  for (const [form, said] of forms) {
    const found = form.exec(text);
    if (found) return said(found);
  }
  return null;
};
const missed = (found: RegExpExecArray | null): string | null => (found ? `${found[1]}${found[2]}` : null);
const ended = (text: string): string => text.replace(/[\s.!?…]+$/, '');
const lower = (text: string): string => text.charAt(0).toLowerCase() + text.slice(1);

function imperative(text: string): string {
  const said = text.trim().replace(/^(?:please|you (?:should|must)|it should|they should)\s+/i, '');
  const short = said.length > MOST_RULE ? `${said.slice(0, MOST_RULE - 1)}…` : said;
  return short.charAt(0).toUpperCase() + short.slice(1);
}

interface Taught {
  rows: Row[];
  journal: JournalLine[];
  /** A model has to put it into words. */
  reflect: boolean;
}

/** A model that was given the role is asked; a stand-in would cost a call that nobody wanted. */
const hasExtractor = ({ config: { models } }: Pick<TaskDeps, 'config'>): boolean =>
  Object.keys(models).length > 1 && Object.values(models).some(model => model.roles.includes('extractor'));

/** What a text of a session teaches, as rows for the commit that stores it. */
export async function lessonOf(
  deps: TaskDeps,
  { thread, previous, text }: { thread: string; previous: string; text: string },
): Promise<Taught> {
  const earlier = await deps.store.range<StoredMessage>(deps.run, `m/${previous}/`);
  const before = earlier.some(({ value }) => value.message.role === 'assistant');
  const worked = earlier.some(
    ({ value: { message } }) =>
      message.role === 'tool' && /^(write_file|edit_file|move_file|delete_file)$/.test(message.name),
  );
  const found = correctionIn(text, before, worked);
  if (!found)
    return { rows: [], journal: [], reflect: before && DISCONTENT.test(text.trim()) && hasExtractor(deps) };
  return { ...taught(thread, found, deps.now()), reflect: false };
}

/** Row and journal line of one rule. */
export const taught = (what: string, { type, rule }: Correction, now: number): Omit<Taught, 'reflect'> => ({
  rows: [lessonRow(what, [{ type, rule, words: ruleWords(rule) }], now)],
  journal: [{ event_type: 'pattern_learned', data: { type, rule } }],
});
