/** A refusal says which parameter it is about, so that a model knows what to send differently. */

import type { Failure } from '../machines/failure.ts';
import type { Args, Tool } from './tool.ts';

/** News of the world, about no parameter. */
const NEWS = new Set([
  'aborted',
  'disk_full',
  'exit_code',
  'needs_person',
  'no_permission',
  'timeout',
  'too_many_files',
  'tool_error',
]);
/** Longer values are not repeated in a message. */
const MAX_VALUE = 500;

const saysWord = (message: string, word: string): boolean =>
  new RegExp(`(?<![A-Za-z0-9_])${word}(?![A-Za-z0-9_])`).test(message);

/** Whether a message repeats a value, as it stands or quoted. */
function saysValue(message: string, value: unknown): boolean {
  if (typeof value !== 'string' || value.length < 3 || value.length > MAX_VALUE) return false;
  return message.includes(value) || message.includes(JSON.stringify(value).slice(1, -1));
}

/** The failure with `detail.fields`. Where its words name neither a parameter nor a value that was given, they begin with the
 *  name of the one that the call is known by. */
export function namingField(failure: Failure, { parameters, paths, subject }: Tool, args: Args): Failure {
  if (failure.kind === 'uncertain' || NEWS.has(failure.code)) return failure;
  const { message, detail } = failure;
  const names = Object.keys(parameters.properties);
  const said = names.filter(name => saysWord(message, name) || saysValue(message, args[name]));
  const known = [...(paths ?? []), subject, ...(parameters.required ?? []), ...names];
  const fallback = known.find(name => name !== undefined && name in args);
  const own = (detail?.['fields'] ?? []) as string[];
  const fields = own.length > 0 ? own : said.length > 0 ? said : fallback ? [fallback] : [];
  if (fields.length === 0) return failure;
  const words = said.length > 0 || fields.some(field => message.includes(field));
  return { ...failure, message: words ? message : `${fields[0]}: ${message}`, detail: { ...detail, fields } };
}
