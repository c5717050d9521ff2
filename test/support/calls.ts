/** Short forms for requests and failures in tests of models. */
import type { CallOptions, Message, ModelRequest } from '../../actors/models/model.ts';
import { ModelError } from '../../actors/models/model.ts';

export const ask = (
  role: string,
  messages: Message[] = [],
  rest: Partial<ModelRequest> = {},
): ModelRequest => ({
  messages: [{ role: 'system', content: `# Loom ${role}\nBe brief.` }, ...messages],
  max_tokens: 512,
  stream: false,
  ...rest,
});

export const user = (content: string): Message => ({ role: 'user', content });

export const options = (rest: Partial<CallOptions> = {}): CallOptions => ({
  signal: new AbortController().signal,
  ...rest,
});

/** The ModelError a promise fails with; fails itself when there is none. */
export async function failureOf(promise: Promise<unknown>): Promise<ModelError> {
  try {
    await promise;
  } catch (error) {
    if (error instanceof ModelError) return error;
    throw error;
  }
  throw new Error('the call was expected to fail');
}

/** Collects what a preview would show, resets included. */
export function screen() {
  let text = '';
  let resets = 0;
  const onDelta: NonNullable<CallOptions['onDelta']> = delta => {
    if ('reset' in delta) {
      text = '';
      resets++;
    } else {
      if (delta.offset !== text.length) throw new Error(`delta at ${delta.offset}, expected ${text.length}`);
      text += delta.text;
    }
  };
  return { onDelta, text: () => text, resets: () => resets };
}

export const WRITE_FILE = {
  name: 'write_file',
  description: 'Writes a file.',
  parameters: {
    type: 'object',
    properties: { path: { type: 'string' }, content: { type: 'string' } },
    required: ['path', 'content'],
    additionalProperties: false,
  },
};
