/** What a setting may be: the kinds of rules the key tables are written in, each with its words for people and its JSON
 *  Schema, so that both always say what the check does. */

export interface Rule {
  /** One sentence; for a key without a job, what it used to be. */
  description: string;
  /** Completes "must be …". */
  wanted: string;
  fallback: unknown;
  accepts(value: unknown): boolean;
  /** JSON Schema of a value. */
  schema: Record<string, unknown>;
  /** The job does not exist any more; completes "it has no effect: …". */
  replaced_by?: string;
}

export type Rules = Record<string, Rule>;

const MOST = Number.MAX_SAFE_INTEGER;

const isNumber = (value: unknown, min: number, max: number): value is number =>
  typeof value === 'number' && Number.isFinite(value) && value >= min && value <= max;

const span = (min: number, max: number): string =>
  max === MOST ? `${min} or more` : `from ${min} to ${max}`;

const bounds = (min: number, max: number): Record<string, unknown> => ({
  minimum: min,
  ...(max === MOST ? {} : { maximum: max }),
});

export const int = (description: string, fallback: number | null, min: number, max = MOST): Rule => ({
  description,
  wanted: `a whole number ${span(min, max)}`,
  fallback,
  accepts: value => isNumber(value, min, max) && Number.isInteger(value),
  schema: { type: 'integer', ...bounds(min, max) },
});

export const num = (description: string, fallback: number | null, min: number, max = MOST): Rule => ({
  description,
  wanted: `a number ${span(min, max)}`,
  fallback,
  accepts: value => isNumber(value, min, max),
  schema: { type: 'number', ...bounds(min, max) },
});

export const flag = (description: string, fallback: boolean | null): Rule => ({
  description,
  wanted: 'true or false',
  fallback,
  accepts: value => typeof value === 'boolean',
  schema: { type: 'boolean' },
});

export const text = (description: string, fallback = ''): Rule => ({
  description,
  wanted: 'a text in quotes',
  fallback,
  accepts: value => typeof value === 'string',
  schema: { type: 'string' },
});

export const choice = (description: string, fallback: string, ...choices: string[]): Rule => ({
  description,
  wanted: `one of ${choices.map(word => `"${word}"`).join(', ')}`,
  fallback,
  accepts: value => typeof value === 'string' && choices.includes(value),
  schema: { enum: choices },
});

const isTexts = (value: unknown): value is string[] =>
  Array.isArray(value) && value.every(item => typeof item === 'string');

const TEXTS = { type: 'array', items: { type: 'string' } };

export const textOrTexts = (description: string): Rule => ({
  description,
  wanted: 'a text or a list of texts',
  fallback: [],
  accepts: value => typeof value === 'string' || isTexts(value),
  schema: { anyOf: [{ type: 'string' }, TEXTS] },
});

/** One of the words or a list of them. */
export const words = (
  description: string,
  fallback: string[],
  what: string,
  known: readonly string[],
): Rule => ({
  description,
  wanted: `a list of ${what} out of ${known.map(word => `"${word}"`).join(', ')}`,
  fallback,
  accepts: value => {
    const list = typeof value === 'string' ? [value] : value;
    return isTexts(list) && list.every(word => known.includes(word));
  },
  schema: { anyOf: [{ enum: [...known] }, { type: 'array', items: { enum: [...known] } }] },
});

const CALL_RULE = '^\\s*[A-Za-z_*][\\w.]*\\s*(\\([\\s\\S]*\\))?\\s*$';

/** `shell_execute(npm test*)`, `write_file(src/**)`, `web_fetch`. */
export const callRules = (description: string): Rule => ({
  description,
  wanted: 'a list of rules such as "shell_execute(npm test*)" or "write_file(src/**)"',
  fallback: [],
  accepts: value => isTexts(value) && value.every(rule => new RegExp(CALL_RULE).test(rule)),
  schema: { type: 'array', items: { type: 'string', pattern: CALL_RULE } },
});

const ADDRESS = '^([hH][tT][tT][pP][sS]?://[^\\s/]+.*)?$';

export const address = (description: string): Rule => ({
  description,
  wanted: 'an address such as "http://localhost:11434"',
  fallback: '',
  accepts: value => typeof value === 'string' && new RegExp(ADDRESS, 's').test(value),
  schema: { type: 'string', pattern: ADDRESS },
});

const VARIABLE = '^(env:[A-Za-z_][A-Za-z0-9_]*|\\$\\{[A-Za-z_][A-Za-z0-9_]*\\})?$';

/** A secret by the name of the environment variable that holds it; the secret itself stands in no file. */
export const variable = (description: string, fallback: string): Rule => ({
  description,
  wanted: 'the name of an environment variable such as "env:NAME", or "" for none',
  fallback,
  accepts: value => typeof value === 'string' && new RegExp(VARIABLE).test(value),
  schema: { type: 'string', pattern: VARIABLE },
});

/** A key of existing files whose job Loom does not have: known, checked, without effect.
 *  @param replaced_by what does the job now, or why there is none */
export const gone = (replaced_by: string, rule: Rule): Rule => ({ ...rule, replaced_by });

/** The same keys inside a section. */
export const under = (section: string, keys: Rules): Rules =>
  Object.fromEntries(Object.entries(keys).map(([key, rule]) => [`${section}.${key}`, rule]));

/** The same keys, none of which has a job. */
export const allGone = (replaced_by: string, keys: Rules): Rules =>
  Object.fromEntries(Object.entries(keys).map(([key, rule]) => [key, gone(replaced_by, rule)]));
