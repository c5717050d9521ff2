/** Regular expressions that users write, run in this process without ever hanging it: by RE2 in linear time; those that look
 *  around or back, which RE2 does not know, by the engine of JavaScript under a time limit. */

import { runInNewContext } from 'node:vm';

/** ms for one search of a pattern that may backtrack. */
const TIME_LIMIT = 300;

export interface SafePattern {
  /** What it first matches, null for nothing; `too_slow` when the time was up, so that nobody knows. */
  find(text: string): { match: string } | null | 'too_slow';
}

const cleaned = (flags: string): string => [...new Set(flags.replace(/[^imsuv]/g, ''))].join('');

function backtracking(source: string, flags: string): SafePattern {
  return {
    find(text) {
      try {
        const script = 'const found = new RegExp(source, flags).exec(text); found && found[0]';
        const match = runInNewContext(script, { source, flags, text }, { timeout: TIME_LIMIT }) as
          | string
          | null;
        return match === null ? null : { match };
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code === 'ERR_SCRIPT_EXECUTION_TIMEOUT') return 'too_slow';
        throw error;
      }
    },
  };
}

/**
 * @param source in JavaScript's syntax
 * @param flags `i`, `m`, `s`, `u`, `v`; others have no meaning here and are passed over
 * @returns null when it is no regular expression
 */
export async function safePattern(source: string, flags = ''): Promise<SafePattern | null> {
  const kept = cleaned(flags);
  try {
    new RegExp(source, kept);
  } catch {
    return null;
  }
  // A back reference would be read as a letter.
  if (/\\(k<|[1-9])/.test(source)) return backtracking(source, kept);
  const { RE2JS } = await import('re2js');
  const options =
    (kept.includes('i') ? RE2JS.CASE_INSENSITIVE : 0) |
    (kept.includes('m') ? RE2JS.MULTILINE : 0) |
    (kept.includes('s') ? RE2JS.DOTALL : 0);
  try {
    const compiled = RE2JS.compile(RE2JS.translateRegExp(source), options);
    return {
      find(text) {
        const matcher = compiled.matcher(text);
        return matcher.find() ? { match: matcher.group() ?? '' } : null;
      },
    };
  } catch {
    return backtracking(source, kept);
  }
}
