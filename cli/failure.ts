/** Errors as the command line shows them, and the exit codes they end in. */

/** See DESIGN of the exit codes in README.md; stable, scripts rely on them. */
export const EXIT = {
  ok: 0,
  failed: 1,
  usage: 2,
  decision: 3,
  auth: 4,
  no_model: 5,
  budget: 6,
  cancelled: 7,
  interrupted: 130,
} as const;

/** Wrong words on the command line; ends in exit code 2. */
export class UsageError extends Error {}

export interface Shown {
  code: string;
  message: string;
  exit_code: number;
  /** Nobody expected it: a bug in Loom, worth a report. */
  bug: boolean;
}

const EXIT_OF: Record<string, number> = {
  usage: EXIT.usage,
  config: EXIT.usage,
  workspace_missing: EXIT.usage,
  goal: EXIT.usage,
  ambiguous_id: EXIT.usage,
  auth: EXIT.auth,
  no_model: EXIT.no_model,
  connection: EXIT.no_model,
  budget: EXIT.budget,
  cancelled: EXIT.cancelled,
  aborted: EXIT.interrupted,
  interrupted: EXIT.interrupted,
};

/** What an error means for the person and the shell. Errors of the engine carry a `failure` with a stable code. */
export function shown(error: unknown): Shown {
  if (error instanceof UsageError)
    return { code: 'usage', message: error.message, exit_code: EXIT.usage, bug: false };
  const failure = (error as { failure?: { code?: unknown; message?: unknown } } | null)?.failure;
  if (failure && typeof failure.code === 'string' && typeof failure.message === 'string')
    return {
      code: failure.code,
      message: failure.message,
      exit_code: EXIT_OF[failure.code] ?? EXIT.failed,
      bug: false,
    };
  if (error instanceof Error && error.name === 'AbortError')
    return { code: 'interrupted', message: 'interrupted', exit_code: EXIT.interrupted, bug: false };
  const message = error instanceof Error ? error.message : String(error);
  return { code: 'bug', message, exit_code: EXIT.failed, bug: true };
}
