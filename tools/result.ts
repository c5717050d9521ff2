/** How tools answer: a result from what they did, or a failure as data. */

import { type Failure, LoomError } from '../machines/failure.ts';
import type { BlobRef, Blobs } from '../store/blobs-port.ts';
import { isParsable } from './code/languages.ts';
import { changeReport } from './diff.ts';
import { decodeText } from './text.ts';
import type { Assessment, ChangeRecord, ToolContext, ToolResult } from './tool.ts';

export const success = (output: string, extra: Partial<ToolResult> = {}): ToolResult => ({
  success: true,
  output,
  error: null,
  data: {},
  files_changed: [],
  ...extra,
});

export const failed = (error: Failure, extra: Partial<ToolResult> = {}): ToolResult => ({
  success: false,
  output: error.message,
  error,
  data: {},
  files_changed: [],
  ...extra,
});

/** A refusal that another try will not change. */
export const refusal = (code: string, message: string, detail?: Record<string, unknown>): LoomError =>
  new LoomError('terminal', code, message, detail);

const BROKEN = 'This change brought in syntax errors; correct them:';
/** Errors told of one change. */
const MAX_PROBLEMS = 5;
/** Files looked at after one change. */
const MAX_PARSED = 10;

type FileProblem = { path: string; line: number; message: string; text: string };

/** Syntax errors that the new contents have and the old ones had not. */
async function syntaxErrorsOf(records: ChangeRecord[], blobs: Blobs): Promise<FileProblem[]> {
  const files = records.filter(
    ({ kind, operation, after_ref }) => !kind && after_ref && /^(create|modify)$/.test(operation),
  );
  const found: FileProblem[] = [];
  for (const { path, before, after_ref } of files.slice(0, MAX_PARSED)) {
    if (!isParsable(path) || found.length >= MAX_PROBLEMS) continue;
    const { introducedProblems } = await import('./code/syntax.ts');
    const look = async () => {
      const now = await textOf(after_ref!, blobs);
      return now === null ? [] : introducedProblems(path, before && (await textOf(before, blobs)), now);
    };
    // Contents that are not kept, or a grammar that cannot be loaded, tell nothing of the file.
    const problems = await look().catch(() => []);
    found.push(...problems.map(problem => ({ path, ...problem })));
  }
  return found.slice(0, MAX_PROBLEMS);
}

const textOf = async (ref: BlobRef, blobs: Blobs): Promise<string | null> =>
  (await decodeText(await blobs.get(ref)))?.text ?? null;

/** Result of a tool that changed files: message, diff, records, and what the subtask now knows of them. */
export async function changed(
  message: string,
  records: ChangeRecord[],
  context: Pick<ToolContext, 'blobs' | 'lastRead'>,
  data: Record<string, unknown> = {},
): Promise<ToolResult> {
  const { diff, files_changed, changes, artifact } = await changeReport(records, context.blobs);
  const reads: Record<string, string> = {};
  for (const record of records) {
    const known = record.operation !== 'rename' || context.lastRead(record.from!) === record.after;
    if (record.after !== null && !record.kind && known) reads[record.path] = record.after;
  }
  const problems = await syntaxErrorsOf(records, context.blobs);
  const broken = problems.map(({ path, line, message: what, text }) => `  ${path}:${line}: ${what}: ${text}`);
  const parts = [message, ...(broken.length > 0 ? [BROKEN, ...broken] : []), ...(diff === '' ? [] : [diff])];
  return success(parts.join('\n'), {
    data: { ...data, diff, ...(problems.length > 0 ? { syntax_errors: problems } : {}) },
    files_changed,
    changes,
    reads,
    ...(artifact ? { artifact } : {}),
  });
}

/** Files that hold keys and passwords by custom. */
const SECRET_FILE =
  /(^|\/)(\.env(\.(?!example$|sample$|template$|dist$)[^/]*)?|\.netrc|\.npmrc|\.pypirc|\.pgpass|id_(rsa|dsa|ecdsa|ed25519)|credentials(\.json)?|auth\.toml|[^/]*\.(pem|p12|pfx|keystore))$|(^|\/)\.(ssh|aws|gnupg|kube)(\/|$)|(^|\/)\.docker\/config\.json$/i;

export const isSecretPath = (path: string): boolean => SECRET_FILE.test(path);

/** Of a call that `run` refuses before anything happens, whoever would allow it: a person need not be asked. */
export const refusedCall = (subject: string): Assessment => ({
  risks: ['read'],
  effect: 'repeatable',
  mutates: false,
  subject: subject.slice(0, 2000),
});
