/** Asks a model for the one rule that a person's discontent teaches. */
import type { Message } from '../models/model.ts';

const REFLECTOR_SYSTEM = `# Loom extractor
A person answered an assistant. Decide whether their words say how they want things done in general, in later work, too.
If so, answer with exactly one line: an imperative sentence of at most 20 words, beginning with a capital letter, without names of files of this one task.
If they only correct this one task, or you are not sure, answer: NONE`;

const MOST = 2_000;

export const reflectorMessages = (answer: string, said: string): Message[] => [
  { role: 'system', content: REFLECTOR_SYSTEM },
  {
    role: 'user',
    content: `The assistant said:\n${answer.slice(-MOST)}\n\nThe person answered:\n${said.slice(0, MOST)}`,
  },
];
