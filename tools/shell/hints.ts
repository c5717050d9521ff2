/** Why a command may have failed that runs elsewhere: what the sandbox keeps from it, told once it has hit that wall. */

import type { Ended } from './group.ts';

const NO_NETWORK =
  /could not resolve (host|hostname)|name resolution|network is unreachable|ENOTFOUND|EAI_AGAIN|ENETUNREACH|getaddrinfo|failed to connect to|connection refused|ECONNREFUSED|name or service not known|no route to host|error sending request|dial tcp|Max retries exceeded/i;
const NO_WRITING = /read-only file system|EROFS/i;
const NO_TMP =
  /\/tmp\/\S+.*(no such file|ENOENT|does not exist)|(no such file|ENOENT|does not exist).*\/tmp\/\S+/i;

export function hintsOf(
  output: string,
  root: string,
  {
    exitCode,
    reason,
    sandboxed,
    sealed,
  }: Pick<Ended, 'exitCode' | 'reason'> & { sandboxed: boolean; sealed: boolean },
): string[] {
  if (!sandboxed || (reason === 'exit' && exitCode === 0)) return [];
  // The end says why; the beginning of a long log may quote anything.
  const end = output.slice(-4_000).replaceAll(root, '.');
  return [
    ...(sealed && NO_NETWORK.test(end)
      ? ['commands have no network here unless the call says "network": true, which a person approves']
      : []),
    ...(NO_WRITING.test(end) ? ['commands can write only in the workspace and in /tmp'] : []),
    ...(NO_TMP.test(end) ? ['each command has a /tmp of its own; keep files in the workspace'] : []),
  ];
}
