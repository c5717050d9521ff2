/** Fits a call to the tools that were offered: names and types that nearly match are mended when there is one reading. */
import type { WireTool } from '../wire.ts';
import { isObject, parseLoose } from './json-repair.ts';

type Fitted<Value> = { value: Value; repaired: string[] } | { refused: string; field: string };

/** `readFile`, `Read-File` and `read_file` are one name. */
const plain = (name: string): string => name.toLowerCase().replace(/[^a-z0-9]/g, '');

const words = (name: string): string[] =>
  name
    .replace(/([a-z0-9])([A-Z])/g, '$1_$2')
    .toLowerCase()
    .split(/[^a-z0-9]+/)
    .filter(Boolean)
    .map(word => (word.length > 3 ? word.replace(/s$/, '') : word));

const within = (inner: string[], outer: string[]): boolean => inner.every(word => outer.includes(word));

/** The offered tools a written name can mean: the name itself, its spelling variants, else names that contain it or are contained. */
export function toolsNamed(written: string, tools: WireTool[]): WireTool[] {
  const exact = tools.filter(tool => tool.name === written);
  if (exact.length > 0) return exact;
  const bare = written.replace(/^(functions?|tools?|default_api)[.:/]/i, '').trim();
  const spelled = tools.filter(tool => plain(tool.name) === plain(bare));
  if (spelled.length > 0 || plain(bare) === '') return spelled;
  const given = words(bare);
  const meant = tools.filter(tool => {
    const offered = words(tool.name);
    // The first word is what it does: without it in common, two names are two things.
    return offered[0] === given[0] && (within(given, offered) || within(offered, given));
  });
  // A word that another tool has too, in another place, is a second reading.
  const rivals = tools.filter(tool => !meant.includes(tool) && within(given, words(tool.name)));
  return meant.length > 0 ? [...meant, ...rivals] : [];
}

/** The tool a written name means. */
export function fitName(written: string, tools: WireTool[]): Fitted<WireTool> {
  const found = toolsNamed(written, tools);
  const [tool] = found;
  if (tool && found.length === 1)
    return { value: tool, repaired: tool.name === written ? [] : [`name:${written}->${tool.name}`] };
  const names = (list: WireTool[]) => list.map(({ name }) => name).join(', ');
  if (found.length > 1)
    return {
      refused: `there is no tool "${written}"; it could be one of ${names(found)}: use the exact name`,
      field: 'name',
    };
  return { refused: `there is no tool "${written}"; available: ${names(tools)}`, field: 'name' };
}

type Schema = Record<string, unknown>;

const typesOf = (schema: Schema): string[] => {
  const { type } = schema;
  const either = schema['anyOf'] ?? schema['oneOf'];
  if (type === undefined && Array.isArray(either))
    return either.flatMap(one => (isObject(one) ? typesOf(one) : []));
  return Array.isArray(type) ? type.map(String) : typeof type === 'string' ? [type] : [];
};

function isOf(value: unknown, type: string): boolean {
  if (type === 'integer') return Number.isInteger(value);
  if (type === 'array') return Array.isArray(value);
  if (type === 'object') return isObject(value);
  if (type === 'null') return value === null;
  return typeof value === type;
}

/** The values a wrong one can mean under one type; [] when there is none. */
function readings(value: unknown, type: string, schema: Schema): unknown[] {
  const text = typeof value === 'string' ? value.trim() : null;
  switch (type) {
    case 'integer':
    case 'number': {
      if (text === null || !/^[-+]?(\d+\.?\d*|\.\d+)([eE][-+]?\d+)?$/.test(text)) return [];
      const number = Number(text);
      // What JSON cannot carry would be another number.
      if (!Number.isFinite(number) || (Number.isInteger(number) && !Number.isSafeInteger(number))) return [];
      return type === 'number' || Number.isInteger(number) ? [number] : [];
    }
    case 'boolean':
      return text !== null && /^(true|false)$/i.test(text) ? [text.toLowerCase() === 'true'] : [];
    case 'string':
      if (typeof value === 'number' || typeof value === 'boolean') return [String(value)];
      return value !== null && typeof value === 'object' ? [JSON.stringify(value, null, 2)] : [];
    case 'null':
      return text !== null && /^(null|none)$/i.test(text) ? [null] : [];
    case 'array': {
      const parsed = text?.startsWith('[') ? parsedJson(text) : undefined;
      if (Array.isArray(parsed)) return [parsed];
      const items = isObject(schema['items']) ? typesOf(schema['items']) : [];
      const fits = items.length === 0 || items.some(item => isOf(value, item));
      return fits && value !== null && !Array.isArray(value) ? [[value]] : [];
    }
    case 'object': {
      const parsed = text?.startsWith('{') ? parsedJson(text) : undefined;
      return isObject(parsed) ? [parsed] : [];
    }
    default:
      return [];
  }
}

function parsedJson(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    // Python writes lists and dicts almost like JSON; `[ab]*.ts` is neither.
    const python = /^(\[\s*(['"{[\d-]|True|False|None)[\s\S]*\]|\{\s*['"][\s\S]*\})$/.test(text);
    return python ? parseLoose(text, { cut: true })?.value : undefined;
  }
}

/** A value as its schema wants it; unchanged where there is no reading, or more than one. */
function fitValue(value: unknown, schema: Schema, at: string, repaired: string[]): unknown {
  const types = typesOf(schema);
  const choices = Array.isArray(schema['enum']) ? (schema['enum'] as unknown[]) : null;
  if (choices && typeof value === 'string' && !choices.includes(value)) {
    const close = choices.filter(choice => typeof choice === 'string' && plain(choice) === plain(value));
    if (close.length === 1) {
      repaired.push(`value:${at}`);
      return close[0];
    }
  }
  let fitted = value;
  if (types.length > 0 && !types.some(type => isOf(value, type))) {
    const found = types.flatMap(type => readings(value, type, schema));
    if (found.length !== 1) return value;
    repaired.push(`type:${at}`);
    fitted = found[0];
  }
  if (isObject(fitted) && isObject(schema['properties']))
    return fitObject(fitted, schema, at, repaired).value;
  if (Array.isArray(fitted) && isObject(schema['items'])) {
    const items = schema['items'];
    return fitted.map((item, i) => fitValue(item, items, `${at}[${i}]`, repaired));
  }
  return fitted;
}

/** Names other programs use for the same thing; consulted only when the property itself is missing. */
const SYNONYMS: Record<string, string[]> = {
  command: ['cmd', 'script', 'bash'],
  content: ['contents', 'text', 'body', 'data', 'filecontent'],
  path: ['filepath', 'file', 'filename', 'directory', 'dir', 'folder', 'targetfile', 'absolutepath'],
  old_str: ['oldstring', 'old', 'oldtext', 'search'],
  new_str: ['newstring', 'new', 'newtext', 'replace', 'replacement'],
  pattern: ['regex', 'query', 'glob'],
  url: ['uri', 'link', 'href'],
};

/** The properties an unknown key can mean. */
function propertiesNamed(key: string, names: string[], given: Set<string>): string[] {
  const spelled = names.filter(name => plain(name) === plain(key));
  if (spelled.length > 0) return spelled;
  return names.filter(name => !given.has(name) && SYNONYMS[name]?.includes(plain(key)));
}

function fitObject(
  args: Record<string, unknown>,
  schema: Schema,
  at: string,
  repaired: string[],
): { value: Record<string, unknown>; clash?: { field: string; text: string } } {
  const properties = (isObject(schema['properties']) ? schema['properties'] : {}) as Record<string, Schema>;
  const names = Object.keys(properties);
  const required = Array.isArray(schema['required']) ? (schema['required'] as string[]) : [];
  // Own entries only: `__proto__` and `constructor` are names like any other.
  const out = new Map<string, unknown>();
  const known = (key: string): boolean => Object.hasOwn(properties, key);
  const given = new Set(Object.keys(args).filter(known));
  let clash: { field: string; text: string } | undefined;
  for (const [key, value] of Object.entries(args)) {
    const where = at ? `${at}.` : '';
    const meant = known(key) ? [key] : propertiesNamed(key, names, given);
    const name = meant.length === 1 ? meant[0]! : key;
    if (name !== key && (given.has(name) || out.has(name))) {
      if (JSON.stringify(given.has(name) ? args[name] : out.get(name)) === JSON.stringify(value)) continue;
      const text = `"${key}" and "${name}" both give ${name}, with different values: send it once`;
      clash ??= { field: where + name, text };
      // Stays, so that within a list, too, it is refused and not dropped.
      out.set(key, value);
      continue;
    }
    if (name !== key) repaired.push(`argument:${where}${key}->${name}`);
    const property = known(name) ? properties[name] : undefined;
    if (value === null && property && !required.includes(name) && !allowsNull(property)) {
      repaired.push(`null:${where}${name}`);
      continue;
    }
    out.set(name, property ? fitValue(value, property, where + name, repaired) : value);
  }
  return { value: Object.fromEntries(out), ...(clash ? { clash } : {}) };
}

const allowsNull = (schema: Schema): boolean =>
  typesOf(schema).length === 0 || typesOf(schema).includes('null');

/** `null` as the text of a value that may be null. */
function withNulls(args: Record<string, unknown>, tool: WireTool): Record<string, unknown> {
  const properties = (tool.parameters['properties'] ?? {}) as Record<string, Schema>;
  const nullable = (key: string) => typesOf(properties[key] ?? {}).includes('null');
  return Object.fromEntries(
    Object.entries(args).map(([key, value]) => [key, value === 'null' && nullable(key) ? null : value]),
  );
}

/** Arguments as the tool's schema wants them. Refused when two keys mean the same parameter.
 *  `plain`: every value was written as text, so that giving it its type is reading, not repair. */
export function fitArguments(
  args: Record<string, unknown>,
  tool: WireTool,
  plain = false,
): Fitted<Record<string, unknown>> {
  const repaired: string[] = [];
  const { value, clash } = fitObject(plain ? withNulls(args, tool) : args, tool.parameters, '', repaired);
  if (clash) return { refused: clash.text, field: clash.field };
  return { value, repaired: plain ? repaired.filter(label => !label.startsWith('type:')) : repaired };
}

const parametersOf = (tool: WireTool): { names: string[]; required: string[] } => ({
  names: Object.keys(isObject(tool.parameters['properties']) ? tool.parameters['properties'] : {}),
  required: Array.isArray(tool.parameters['required']) ? (tool.parameters['required'] as string[]) : [],
});

/** Arguments written without their names, as far as there is one reading: one value, and one parameter it can be. */
export function namedArguments(
  args: Record<string, unknown>,
  positional: unknown[],
  tool: WireTool,
): Record<string, unknown> | null {
  const { names, required } = parametersOf(tool);
  const open = (list: string[]) => list.filter(name => !(name in args));
  const wanted = open(required).length > 0 ? open(required) : open(names);
  const [name] = wanted;
  return name !== undefined && wanted.length === 1 && positional.length === 1
    ? { ...args, [name]: positional[0] }
    : null;
}

/** Whether nothing the tool needs is missing; a tool that requires nothing says nothing, so then all must be there. */
export function requiredGiven(args: Record<string, unknown>, tool: WireTool): boolean {
  const { names, required } = parametersOf(tool);
  return (required.length > 0 ? required : names).every(name => name in args);
}
