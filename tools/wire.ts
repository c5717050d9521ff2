/** Tools as models see them: what helps to write a call, without the bounds that only its validation needs, and without the
 *  parameters marked `rare`, which are accepted but not worth their room in every request. */
import type { Tool } from './tool.ts';

export interface WireTool {
  name: string;
  description: string;
  parameters: Record<string, unknown>;
}

/** Bounds that no honest call meets; sent along they only cost room, and grammars built from them grow out of hand. */
const SILENT = new Set(['maxLength', 'minLength', 'maxItems', 'minItems', 'maxProperties', 'pattern']);
/** A number so large that nobody would write a larger one. */
const NO_BOUND = 1_000_000;

const isRare = (schema: unknown): boolean =>
  typeof schema === 'object' && schema !== null && 'rare' in schema;

/** Names of parameters are no keywords. */
const slimProperties = (properties: object): object =>
  Object.fromEntries(
    Object.entries(properties)
      .filter(([, schema]) => !isRare(schema))
      .map(([name, schema]) => [name, slim(schema)]),
  );

function slim(schema: unknown): unknown {
  if (Array.isArray(schema)) return schema.map(slim);
  if (typeof schema !== 'object' || schema === null) return schema;
  return Object.fromEntries(
    Object.entries(schema).flatMap(([key, value]) => {
      if (SILENT.has(key) || (key === 'maximum' && Number(value) >= NO_BOUND)) return [];
      if (key === 'minimum' && Number(value) <= -NO_BOUND) return [];
      if (key === 'properties') return [[key, slimProperties(value as object)]];
      return [[key, key === 'default' || key === 'enum' ? value : slim(value)]];
    }),
  );
}

const known = new WeakMap<Tool, WireTool>();

/** The schema of a tool as it is sent with a request; always the same object. */
export function wireTool(tool: Tool): WireTool {
  const { name, description, parameters } = tool;
  const wire = known.get(tool) ?? {
    name,
    description,
    parameters: slim(parameters) as Record<string, unknown>,
  };
  known.set(tool, wire);
  return wire;
}
