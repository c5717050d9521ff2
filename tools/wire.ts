/** Tools as models see them: what helps to write a call, without the bounds that only its validation needs. */
import type { Tool } from './tool.ts';

export interface WireTool {
  name: string;
  description: string;
  parameters: Record<string, unknown>;
}

/** Bounds that no honest call meets; sent along they only cost room, and grammars built from them grow out of hand. */
const SILENT = new Set(['maxLength', 'minLength', 'maxItems', 'minItems', 'pattern']);

function slim(schema: unknown): unknown {
  if (Array.isArray(schema)) return schema.map(slim);
  if (typeof schema !== 'object' || schema === null) return schema;
  return Object.fromEntries(
    Object.entries(schema).flatMap(([key, value]) => {
      if (SILENT.has(key)) return [];
      // Names of parameters are no keywords.
      if (key === 'properties')
        return [
          [key, Object.fromEntries(Object.entries(value as object).map(([name, one]) => [name, slim(one)]))],
        ];
      return [[key, key === 'default' || key === 'enum' ? value : slim(value)]];
    }),
  );
}

/** The schema of a tool as it is sent with a request. */
export const wireTool = ({ name, description, parameters }: Tool): WireTool => ({
  name,
  description,
  parameters: slim(parameters) as Record<string, unknown>,
});

/** Tools whose schemas a first request has no room for: `loom tool call` and the library know them all. */
const ON_DEMAND = new Set([
  'calculator',
  'task_tracker',
  'search_files',
  'document_write',
  'spreadsheet',
  'analyze_code',
]);

/** The tools that are sent along with every request. */
export const offeredTools = (tools: Tool[]): Tool[] => tools.filter(tool => !ON_DEMAND.has(tool.name));
