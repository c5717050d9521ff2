/** The configuration as a person or an editor sees it: every value in effect with the place it comes from, everything
 *  that is wrong at once, and the JSON Schema of the file. Secrets appear as their place only. */

import { LoomError } from '../machines/failure.ts';
import { type Checked, type Finding, lineOf } from './config-check.ts';
import { KEYS } from './config-keys.ts';
import { MODEL_KEYS } from './config-keys-models.ts';
import { type Environment, fillRoles, modelFrom } from './config-models.ts';
import type { Rule, Rules } from './config-rules.ts';
import { type LoadOptions, readConfig } from './load-config.ts';

interface Setting {
  key: string;
  value: unknown;
  /** Path of the file, `default`, or `environment`. */
  source: string;
  line: number | null;
  /** Set, but without effect: what does the job now. */
  replaced_by?: string;
}

export interface ConfigReport {
  /** null: no loom.toml was found. */
  source: string | null;
  settings: Setting[];
  problems: Finding[];
  warnings: Finding[];
}

/** @throws LoomError `config` when the file cannot be read or is no TOML */
export async function reportConfig(options: Omit<LoadOptions, 'model'>): Promise<ConfigReport> {
  const { source, text, checked } = await readConfig(options);
  const place = (key: string): Pick<Setting, 'source' | 'line'> =>
    source === null ? { source: 'default', line: null } : { source, line: lineOf(text, key.split('.')) };
  const { settings, problems } = modelSettings(checked, options.env, place);
  return {
    source,
    settings: [...rowsOf(KEYS, checked.values, '', place), ...settings],
    problems: [...checked.problems, ...problems].sort((a, b) => (a.line ?? 0) - (b.line ?? 0)),
    warnings: checked.warnings,
  };
}

type Place = (key: string) => Pick<Setting, 'source' | 'line'>;

function rowsOf(rules: Rules, values: Map<string, unknown>, prefix: string, place: Place): Setting[] {
  return Object.entries(rules).flatMap(([key, rule]): Setting[] => {
    const full = prefix + key;
    if (values.has(key)) {
      const row = { key: full, value: values.get(key), ...place(full) };
      return [rule.replaced_by === undefined ? row : { ...row, replaced_by: rule.replaced_by }];
    }
    const shown = rule.replaced_by === undefined && rule.fallback !== null;
    return shown ? [{ key: full, value: rule.fallback, source: 'default', line: null }] : [];
  });
}

function modelSettings(
  { models, wrong }: Checked,
  env: Environment,
  place: Place,
): Pick<ConfigReport, 'settings' | 'problems'> {
  const problems: Finding[] = [];
  const resolved = [...models].flatMap(([alias, values]) => {
    try {
      return [[alias, modelFrom(alias, values, env, path => path)] as const];
    } catch (error) {
      if (!(error instanceof LoomError)) throw error;
      const key = `models.${alias}.api_key`;
      problems.push({ line: place(key).line, key, message: error.message });
      return [];
    }
  });
  const known = fillRoles(Object.fromEntries(resolved));
  const settings = [...models].flatMap(([alias, values]) => {
    const prefix = `models.${alias}.`;
    return rowsOf(MODEL_KEYS, values, prefix, place)
      .filter(({ key }) => !wrong.has(key))
      .map((row): Setting => {
        const model = known[alias];
        if (row.key === `${prefix}roles` && model) return { ...row, value: model.roles };
        return row.key === `${prefix}api_key` ? hidden(row, model?.api_key_source) : row;
      });
  });
  return { settings, problems };
}

/** Where a key is, never the key. */
function hidden(row: Setting, place: string | undefined): Setting {
  const fromEnvironment = row.source === 'default' && place !== undefined && place !== '';
  return { ...row, value: place ?? '(not set)', ...(fromEnvironment ? { source: 'environment' } : {}) };
}

interface ObjectSchema extends Record<string, unknown> {
  type: 'object';
  properties: Record<string, unknown>;
  additionalProperties: unknown;
}

const object = (more: object = {}): ObjectSchema => ({
  type: 'object',
  properties: {},
  additionalProperties: false,
  ...more,
});

function schemaOf({ schema, description, fallback, replaced_by }: Rule): Record<string, unknown> {
  return {
    ...schema,
    description: replaced_by === undefined ? description : `${description} No effect: ${replaced_by}.`,
    ...(replaced_by === undefined ? {} : { deprecated: true }),
    ...(fallback === null ? {} : { default: fallback }),
  };
}

function nested(rules: Rules): ObjectSchema {
  const root = object();
  for (const [key, rule] of Object.entries(rules)) {
    const parts = key.split('.');
    const name = parts.pop()!;
    let at = root;
    for (const part of parts) at = (at.properties[part] ??= object()) as ObjectSchema;
    at.properties[name] = schemaOf(rule);
  }
  return root;
}

/** For editors: `loom config schema > loom.schema.json`. */
export function configSchema(): Record<string, unknown> {
  const root = nested(KEYS);
  root.properties['models'] = object({
    description: 'Models by alias: [models.NAME].',
    additionalProperties: { ...nested(MODEL_KEYS), required: ['provider'] },
  });
  root.properties['mcp'] = { type: 'object', description: 'Servers of tools; read elsewhere.' };
  return { $schema: 'https://json-schema.org/draft/2020-12/schema', title: 'loom.toml', ...root };
}
