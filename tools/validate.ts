/** Whether a call fits its tool: mended where there is one reading, completed with defaults, else refused by field. */

import type { ErrorObject, ValidateFunction } from 'ajv';
import { type Failure, failure } from '../machines/failure.ts';
import { fitArguments } from './calls/fit-call.ts';
import { isObject } from './calls/json-repair.ts';
import { nearest } from './nearest.ts';
import type { Args, Tool } from './tool.ts';

export type Validation =
  | {
      ok: true;
      tool: Tool;
      /** As given, mended: what goes back to the model as its own words. */
      given: Args;
      /** With every default filled in: what is judged and run. */
      args: Args;
      /** What was mended, a word each. */
      repaired: string[];
      /** The tool that was called to call this one. */
      via?: string;
    }
  | { ok: false; failure: Failure };

const compiled = new WeakMap<Tool, Promise<ValidateFunction>>();

async function compile(tool: Tool): Promise<ValidateFunction> {
  // By way of `default`: bundled CommonJS has no named exports under a dynamic import.
  const { Ajv } = (await import('ajv')).default;
  // `meta: false`: the schemas are ours and checked by a test, not once more at every start.
  const options = { allErrors: true, strict: false, verbose: true, useDefaults: true };
  return new Ajv({ ...options, meta: false, validateSchema: false }).compile(tool.parameters);
}

function validatorOf(tool: Tool): Promise<ValidateFunction> {
  const known = compiled.get(tool) ?? compile(tool);
  compiled.set(tool, known);
  return known;
}

/** Validates the arguments of a call. Never throws for what a model may send. */
export async function validateCall(tool: Tool, given: unknown): Promise<Validation> {
  const fitted = isObject(given) ? fitArguments(given, tool) : { value: given, repaired: [] };
  if ('refused' in fitted)
    return {
      ok: false,
      failure: failure('terminal', 'invalid_arguments', `${tool.name}: ${fitted.refused}.`, {
        fields: [fitted.field],
      }),
    };
  const validator = await validatorOf(tool);
  const args = structuredClone(fitted.value);
  if (!validator(args)) return { ok: false, failure: invalidArguments(tool, validator.errors ?? []) };
  return { ok: true, tool, given: fitted.value as Args, args: args as Args, repaired: fitted.repaired };
}

/** @param names of the tools there are */
export function unknownTool(name: string, names: string[]): Failure {
  const similar = nearest(name, names);
  const hint = similar.length > 0 ? ` Did you mean ${similar.join(' or ')}?` : '';
  return failure(
    'terminal',
    'unknown_tool',
    `There is no tool ${JSON.stringify(name.slice(0, 100))}.${hint} Tools: ${names.join(', ')}.`,
    { suggestions: similar, fields: ['name'] },
  );
}

const shown = (value: unknown): string => {
  const text = JSON.stringify(value) ?? 'nothing';
  return text.length > 60 ? `${text.slice(0, 60)}…` : text;
};

/** `/edits/0/old_str` → `edits[0].old_str` */
const fieldOf = (pointer: string): string =>
  pointer
    .split('/')
    .slice(1)
    .map((part, i) => (/^\d+$/.test(part) ? `[${part}]` : i === 0 ? part : `.${part}`))
    .join('');

const without = (text: string): string => text.replace('must NOT have', 'must not have');

function complaint(error: ErrorObject, tool: Tool): { field: string; text: string } {
  const field = fieldOf(error.instancePath);
  const params = error.params as Record<string, unknown>;
  if (error.keyword === 'required') {
    const missing = [field, params['missingProperty']].filter(Boolean).join('.');
    return { field: missing, text: `${missing} is missing` };
  }
  if (error.keyword === 'additionalProperties') {
    const extra = String(params['additionalProperty']).slice(0, 60);
    const allowed = Object.keys(
      (error.parentSchema?.['properties'] as object | undefined) ?? tool.parameters.properties,
    );
    const similar = nearest(extra, allowed);
    const hint =
      similar.length > 0 ? `; did you mean ${similar.join(' or ')}?` : `; it has ${allowed.join(', ')}`;
    return {
      field: [field, extra].filter(Boolean).join('.'),
      text: `${extra} is not a parameter of ${tool.name}${hint}`,
    };
  }
  const named = field === '' ? 'the arguments' : field;
  const wanted =
    error.keyword === 'type'
      ? `must be of type ${params['type']}`
      : error.keyword === 'enum'
        ? `must be one of ${(params['allowedValues'] as unknown[]).join(', ')}`
        : without(error.message ?? 'is not valid');
  return { field: field || 'arguments', text: `${named} ${wanted}, not ${shown(error.data)}` };
}

function invalidArguments(tool: Tool, errors: ErrorObject[]): Failure {
  const complaints = errors.slice(0, 5).map(error => complaint(error, tool));
  const required = tool.parameters.required?.join(', ') ?? 'nothing';
  return failure(
    'terminal',
    'invalid_arguments',
    `${tool.name}: ${complaints.map(one => one.text).join('; ')}. Required: ${required}.`,
    { fields: complaints.map(one => one.field) },
  );
}
