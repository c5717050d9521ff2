/** What a person's words teach, by the forms of speech alone. */
import { describe, expect, it } from 'vitest';
import { correctionIn } from '../../../actors/learning/corrections.ts';

/** Behind an answer whose turn changed files. */
const learned = (text: string) => {
  const found = correctionIn(text, true, true);
  return found && `${found.type.replace('behavioral_', '')}: ${found.rule}`;
};

describe('a correction', () => {
  it.each([
    ['No, use YAML instead of JSON.', 'correction: Use YAML, not JSON'],
    ['no, use tabs not spaces please', 'correction: Use tabs, not spaces please'],
    ['I prefer short answers over long ones', 'correction: Use short answers, not long ones'],
    ["Don't add comments to every line.", 'correction: Do not add comments to every line'],
    ['That’s wrong: make it British spelling', 'correction: Make it British spelling'],
    ['Please stop apologising', 'correction: Stop apologising'],
    ['I told you to keep the header.', 'correction: Keep the header'],
    ['Thanks. From now on, answer in German!', 'correction: Answer in German'],
    ['always run the linter', 'correction: Always run the linter'],
  ])('%s', (text, rule) => {
    expect(learned(text)).toBe(rule);
  });
});

describe('something that had to be asked for', () => {
  it.each([
    ['You forgot to update the changelog.', 'gap: Remember to update the changelog'],
    ["you didn't run the tests", 'gap: Remember to run the tests'],
    ['test and lint it', 'gap: After changing files, test and lint it'],
    ['Great, now also add some tests', 'gap: After changing files, add some tests'],
    ['ok, please run the tests', 'gap: After changing files, run the tests'],
  ])('%s', (text, rule) => {
    expect(learned(text)).toBe(rule);
  });

  it('is a task like any other when nothing was changed before', () => {
    expect(correctionIn('run the tests', true, false)).toBeNull();
  });
});

describe('nothing is learned from', () => {
  it.each([
    'What is in this folder?',
    'Make sure it never crashes when the file is empty.',
    'No idea why this fails, can you look?',
    'Write a function that does not use recursion, then show me.',
    'Now build a small web server that serves the files of this folder, with tests, and a readme that says how to start it, and then let us look at how fast it is under load together.',
    '',
  ])('%s', text => {
    expect(learned(text)).toBeNull();
  });

  it('a first message, unless it says how things are to be from now on', () => {
    expect(correctionIn('use tabs, not spaces', false, false)).toBeNull();
    expect(correctionIn('never touch the lock file', false, false)?.rule).toBe('Never touch the lock file');
  });
});
