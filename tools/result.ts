/** How tools answer: a result from what they did, or a failure as data. */

import { type Failure, LoomError } from '../machines/failure.ts';
import { changeReport } from './diff.ts';
import type { ChangeRecord, ToolContext, ToolResult } from './tool.ts';

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
  return success(diff === '' ? message : `${message}\n${diff}`, {
    data: { ...data, diff },
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
