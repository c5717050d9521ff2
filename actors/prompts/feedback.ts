/** What an attempt is told about the ones before it: newest first, within a bound, with advice by the kind of failure. */
import type { FailureClass } from '../../machines/ladder.ts';
import type { EarlierAttempt } from '../effects/earlier.ts';
import { fitParts } from './fit-parts.ts';

/** Characters of the whole section, advice and list of files not counted. */
const MAX_FEEDBACK = 6_000;
const MAX_ATTEMPTS = 3;
const MAX_ISSUES = 8;
const MAX_FILES = 24;

const ADVICE: Record<FailureClass, string> = {
  generic: 'Repair exactly what is named below in the files as they are now; keep what was right.',
  rate_limit: 'A server was busy; nothing was wrong with the work. Go on where the files stand.',
  verifier_parse: 'The result could not be judged. Make it plain what was done and where it can be seen.',
  evidence_gap:
    'It could not be seen that the work is done. Run the command or write the file that shows it, and name it.',
  unconfirmed_data:
    'Something was stated that nothing supports. Look it up with tools and say where it stands, or take it out.',
  loop: 'You went round in circles. Do not make those calls again: decide with what you know and take another way.',
  budget:
    'The attempt ran out of room before it was finished. Go straight to what is missing, with as few calls as you can.',
  conflict:
    'Somebody else changed a file at the same time. Read it again before every edit, and keep what they wrote.',
};

/** `touched`: files that this subtask's earlier attempts changed. `fix`: what was advised after the newest one. Both are
 *  empty when nothing has failed yet. */
export function feedbackOf(earlier: EarlierAttempt[], touched: string[]): { told: string; fix: string } {
  const newest = earlier.at(-1);
  if (!newest) return { told: '', fix: '' };
  const told = [...earlier].reverse().slice(0, MAX_ATTEMPTS);
  // The newest counts most: what matters is what was wrong just now.
  const fitted = fitParts(
    told.map((attempt, at) => ({ text: attemptLines(attempt), weight: MAX_ATTEMPTS - at })),
    MAX_FEEDBACK,
  );
  const files =
    touched.length > 0
      ? [`Files you already changed: ${touched.slice(0, MAX_FILES).join(', ')}. Continue from them.`]
      : [];
  const left = earlier.length - told.length;
  const older = left > 0 ? [`(${left} earlier ${left === 1 ? 'attempt' : 'attempts'} not shown)`] : [];
  return { told: [ADVICE[newest.failure_class], ...fitted, ...older, ...files].join('\n'), fix: newest.fix };
}

function attemptLines({ attempt, reason, feedback, issues, conflicts }: EarlierAttempt): string {
  const listed = issues.filter(issue => !feedback.includes(issue)).slice(0, MAX_ISSUES);
  const changed =
    conflicts.length > 0
      ? [
          `Changed by somebody else meanwhile, so that its own change was refused: ${conflicts.slice(0, MAX_FILES).join(', ')}. Read it first.`,
        ]
      : [];
  return [
    `Attempt ${attempt} failed (${reason}): ${feedback}`,
    ...listed.map(issue => `- ${issue}`),
    ...changed,
  ].join('\n');
}
