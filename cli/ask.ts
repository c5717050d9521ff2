/** Questions to a person by enquirer: a choice, a text, yes or no. Ctrl+C and Esc give null. */
import type { Io } from './context.ts';

interface Prompt {
  run(): Promise<unknown>;
  cancel(error?: unknown): Promise<unknown>;
}
type PromptClass = new (options: Record<string, unknown>) => Prompt;
/** enquirer's types leave out the prompt classes, which are needed to cancel one. */
interface Prompts {
  Select: PromptClass;
  Input: PromptClass;
  Password: PromptClass;
  Confirm: PromptClass;
}

export interface Choice {
  name: string;
  /** What the person sees; default: the name. */
  message?: string;
  hint?: string;
}

export interface Ask {
  choose(message: string, choices: Choice[]): Promise<string | null>;
  text(message: string, initial?: string): Promise<string | null>;
  /** Not shown while it is typed. */
  secret(message: string): Promise<string | null>;
  yes(message: string, initial: boolean): Promise<boolean | null>;
}

/** @param signal withdraws a prompt that stands open
 *  @param cancelled told when the person, not the signal, ended a prompt */
export function createAsk({ stdin }: Pick<Io, 'stdin'>, signal?: AbortSignal, cancelled?: () => void): Ask {
  async function show(kind: keyof Prompts, options: Record<string, unknown>): Promise<unknown> {
    if (signal?.aborted) return null;
    const { default: enquirer } = await import('enquirer');
    const Kind = (enquirer as unknown as Prompts)[kind];
    const prompt = new Kind({ ...options, stdin, stdout: process.stderr });
    let withdrawn = false;
    const withdraw = () => {
      withdrawn = true;
      void prompt.cancel().catch(() => undefined);
    };
    signal?.addEventListener('abort', withdraw, { once: true });
    try {
      return await prompt.run();
    } catch {
      if (!withdrawn) cancelled?.();
      return null;
    } finally {
      signal?.removeEventListener('abort', withdraw);
    }
  }
  const words = (value: unknown): string | null => (value === null ? null : String(value).trim());
  return {
    choose: async (message, choices) => words(await show('Select', { message, choices })),
    text: async (message, initial) =>
      words(await show('Input', { message, ...(initial === undefined ? {} : { initial }) })),
    secret: async message => words(await show('Password', { message })),
    async yes(message, initial) {
      const answer = await show('Confirm', { message, initial });
      return answer === null ? null : answer === true;
    },
  };
}
