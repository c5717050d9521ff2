/** Holds a parsed loom.toml against the known keys: what is wrong is an error with file, line and what would be valid;
 *  what is unknown is a warning with the nearest key. */

import distance from 'damerau-levenshtein';
import { FOREIGN, KEYS } from './config-keys.ts';
import { MODEL_KEYS } from './config-keys-models.ts';
import type { Rule, Rules } from './config-rules.ts';

export type Table = Record<string, unknown>;

export interface Checked {
  /** Values that were set, by full key. */
  values: Map<string, unknown>;
  /** Per alias, by key inside `[models.<alias>]`. */
  models: Map<string, Map<string, unknown>>;
  /** Full keys whose value is wrong; they count neither as set nor as missing. */
  wrong: Set<string>;
  problems: Finding[];
  warnings: Finding[];
}

/** One thing to say about a file. */
export interface Finding {
  /** From 1; null when it cannot be told. */
  line: number | null;
  /** Full key or section. */
  key: string;
  message: string;
}

/** As one line: `loom.toml:3: approval.mode must be …`. */
export const findingText = (where: string, { line, message }: Finding): string =>
  `${line === null ? where : `${where}:${line}`}: ${message}`;

export const nothingSet = (): Checked => ({
  values: new Map(),
  models: new Map(),
  wrong: new Set(),
  problems: [],
  warnings: [],
});

const isTable = (value: unknown): value is Table =>
  typeof value === 'object' && value !== null && !Array.isArray(value) && !(value instanceof Date);

/** @param text the file, to find line numbers in */
export function checkConfig(parsed: Table, text: string): Checked {
  const checked = nothingSet();
  const finding = (path: string[], message: string): Finding => {
    const key = path.join('.');
    return { line: lineOf(text, path), key, message: `${key} ${message}` };
  };
  const problem = (path: string[], message: string): void => {
    checked.problems.push(finding(path, message));
    checked.wrong.add(path.join('.'));
  };

  function take(rule: Rule, full: string[], value: unknown, set: () => unknown): void {
    if (!rule.accepts(value)) {
      problem(full, `must be ${rule.wanted}${found(full.at(-1)!, value)}`);
      return;
    }
    set();
    if (rule.replaced_by !== undefined)
      checked.warnings.push(finding(full, `has no effect: ${rule.replaced_by}`));
  }

  function walk(table: Table, keys: Rules, root: string[], path: string[], into: Map<string, unknown>) {
    for (const [name, value] of Object.entries(table)) {
      const own = [...path, name];
      const key = own.join('.');
      const full = [...root, ...own];
      const rule = Object.hasOwn(keys, key) ? keys[key] : undefined;
      if (rule) {
        take(rule, full, value, () => into.set(key, value));
      } else if (Object.keys(keys).some(known => known.startsWith(`${key}.`))) {
        if (isTable(value)) walk(value, keys, root, own, into);
        else problem(full, `must be a section, [${full.join('.')}]`);
      } else {
        checked.warnings.push(finding(full, `is not a known key${suggestion(key, root, keys)}`));
      }
    }
  }

  const rest: Table = { ...parsed };
  for (const section of FOREIGN) delete rest[section];
  delete rest['models'];
  walk(rest, KEYS, [], [], checked.values);

  const models = parsed['models'] ?? {};
  if (!isTable(models)) problem(['models'], 'must be sections, [models.NAME]');
  else {
    for (const [alias, model] of Object.entries(models)) {
      const values = new Map<string, unknown>();
      checked.models.set(alias, values);
      if (isTable(model)) walk(model, MODEL_KEYS, ['models', alias], [], values);
      else problem(['models', alias], `must be a section, [models.${alias}]`);
    }
  }
  return checked;
}

/** Never repeats what may be a secret. */
function found(name: string, value: unknown): string {
  if (name === 'api_key') return '';
  const shown = JSON.stringify(value);
  return `, not ${shown.length > 60 ? `${shown.slice(0, 57)}...` : shown}`;
}

function suggestion(key: string, root: string[], keys: Rules): string {
  // a section nobody knows is compared with sections, a key with keys
  const known = new Set(Object.keys(keys));
  for (const full of Object.keys(keys)) {
    const parts = full.split('.');
    for (let i = 1; i < parts.length; i++) known.add(parts.slice(0, i).join('.'));
  }
  if (root.length === 0) known.add('models');
  const best = nearest(key, [...known]);
  return best === null ? '' : `; did you mean ${[...root, best].join('.')}?`;
}

/** The closest word by edit distance, null when none is close enough to be meant. */
function nearest(word: string, known: string[]): string | null {
  const ranked = known
    .map(candidate => ({ candidate, edits: distance(word, candidate).steps }))
    .sort((a, b) => a.edits - b.edits);
  const best = ranked[0];
  return best && best.edits <= Math.max(2, Math.ceil(word.length / 3)) ? best.candidate : null;
}

/** Line (from 1) on which a key stands; the parser does not keep it. Reads headers and `key =` at line starts, and
 *  takes the deepest match, so a key inside an inline table is found on the line of the table. */
export function lineOf(text: string, path: string[]): number | null {
  let header: string[] = [];
  let best: { line: number; depth: number } | null = null;
  for (const [i, line] of text.split('\n').entries()) {
    const table = /^\s*\[\[?\s*([^\]]+?)\s*\]/.exec(line);
    const key = /^\s*((?:"[^"]*"|'[^']*'|[\w-]+)(?:\s*\.\s*(?:"[^"]*"|'[^']*'|[\w-]+))*)\s*=/.exec(line);
    if (table) header = parts(table[1]!);
    const here = table ? header : key ? [...header, ...parts(key[1]!)] : null;
    if (!here || here.length <= (best?.depth ?? 0)) continue;
    if (here.length <= path.length && here.every((part, n) => part === path[n])) {
      best = { line: i + 1, depth: here.length };
    }
  }
  return best?.line ?? null;
}

const parts = (dotted: string): string[] =>
  [...dotted.matchAll(/"([^"]*)"|'([^']*)'|([\w-]+)/g)].map(found => found[1] ?? found[2] ?? found[3] ?? '');
