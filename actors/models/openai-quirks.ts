/** What a server turned out not to take. Learned from its own 400s, once per model, and then avoided. */
import type { ReasoningField } from './openai-messages.ts';

export interface Quirks {
  schema: boolean;
  reasoning: ReasoningField;
  tokens: 'max_tokens' | 'max_completion_tokens';
  temperature: boolean;
  stream_options: boolean;
  effort: boolean;
}

export const noQuirks = (): Quirks => ({
  schema: true,
  reasoning: 'send',
  tokens: 'max_tokens',
  temperature: true,
  stream_options: true,
  effort: true,
});

type Lesson = { when: RegExp; learn: (quirks: Quirks) => Partial<Quirks> };

const LESSONS: Lesson[] = [
  { when: /response_format|json_schema|structured output|grammar|guided/i, learn: () => ({ schema: false }) },
  {
    when: /max_completion_tokens/i,
    learn: quirks => ({ tokens: quirks.tokens === 'max_tokens' ? 'max_completion_tokens' : 'max_tokens' }),
  },
  { when: /stream_options|include_usage/i, learn: () => ({ stream_options: false }) },
  { when: /reasoning_effort/i, learn: () => ({ effort: false }) },
  {
    when: /(missing|required|must).{0,60}reasoning_content|reasoning_content.{0,60}(missing|required|must)/i,
    learn: () => ({ reasoning: 'fill' }),
  },
  { when: /reasoning_content/i, learn: () => ({ reasoning: 'omit' }) },
  { when: /temperature/i, learn: () => ({ temperature: false }) },
];

/** What to do differently after a 400 with these words; null when they teach nothing new. */
export function learnFrom(words: string, quirks: Quirks, sentSchema: boolean): Partial<Quirks> | null {
  for (const { when, learn } of LESSONS) {
    if (!when.test(words)) continue;
    const lesson = learn(quirks);
    const changes = Object.entries(lesson).some(([key, value]) => quirks[key as keyof Quirks] !== value);
    if (changes) return lesson;
  }
  return sentSchema && quirks.schema ? { schema: false } : null;
}
