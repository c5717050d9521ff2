/** Reads fields of journal data, whose values are unknown until looked at. */

export type Data = Record<string, unknown>;

export const str = (data: Data, key: string): string => {
  const value = data[key];
  return typeof value === 'string' ? value : typeof value === 'number' ? String(value) : '';
};

export const num = (data: Data, key: string): number => {
  const value = data[key];
  return typeof value === 'number' && Number.isFinite(value) ? value : 0;
};

const list = (data: Data, key: string): unknown[] => {
  const value = data[key];
  return Array.isArray(value) ? value : [];
};

export const strings = (data: Data, key: string): string[] =>
  list(data, key).filter(value => typeof value === 'string');

export const objects = (data: Data, key: string): Data[] =>
  list(data, key).filter((value): value is Data => typeof value === 'object' && value !== null);

/** The message of an error field that may be a text or `{code, message}`. */
export function errorText(data: Data): string {
  const error = data['error'];
  if (typeof error === 'string') return error;
  if (typeof error === 'object' && error !== null) return str(error as Data, 'message');
  return '';
}
