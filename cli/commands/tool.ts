/** `loom tool list · call NAME JSON · parse [--tools FILE]` */
import { readFile } from 'node:fs/promises';
import type { Loom } from '../../actors/loom.ts';
import { type Context, print } from '../context.ts';
import { EXIT, UsageError } from '../failure.ts';
import { nearest } from '../nearest.ts';
import { diffLines } from '../render/diff.ts';
import { oneLine, pad, safe } from '../render/width.ts';
import type { Run } from '../run-command.ts';

const ACTIONS = ['list', 'call', 'parse'];
/** A model's answer is never larger; more is a mistake. */
const MAX_STDIN = 4_000_000;

export const command: Run = async (context, [action = '', name, json], values) => {
  if (action === 'list') return list(context, await context.loom());
  if (action === 'call') return call(context, name, json);
  if (action === 'parse') return parse(context, values.text('tools'));
  const near = nearest(action, ACTIONS);
  throw new UsageError(
    `loom tool knows ${ACTIONS.join(', ')}, not "${action}"${near ? `; did you mean ${near}?` : ''}`,
  );
};

function list(context: Context, loom: Loom): number {
  const tools = loom.tools.list();
  const widest = Math.max(0, ...tools.map(tool => tool.name.length));
  print(context, tools, () =>
    tools
      .map(tool => `${pad(tool.name, widest)}  ${oneLine(tool.description.split(/\.\s+(?=[A-Z])/)[0] ?? '')}`)
      .join('\n'),
  );
  return EXIT.ok;
}

function argumentsOf(json: string): Record<string, unknown> {
  let value: unknown;
  try {
    value = JSON.parse(json);
  } catch (error) {
    throw new UsageError(`the arguments are not JSON: ${(error as Error).message}`);
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    throw new UsageError(`the arguments must be a JSON object, e.g. '{"path": "README.md"}'`);
  return value as Record<string, unknown>;
}

async function call(context: Context, name: string | undefined, json: string | undefined): Promise<number> {
  if (!name) throw new UsageError(`which tool? loom tool call NAME '{"key": "value"}'; loom tool list`);
  const args = argumentsOf(json ?? '{}');
  const loom = await context.loom();
  const names = loom.tools.list().map(tool => tool.name);
  if (!names.includes(name)) {
    const near = nearest(name, names);
    throw new UsageError(
      `there is no tool "${name}"${near ? `; did you mean ${near}?` : '; see loom tool list'}`,
    );
  }
  const result = await loom.tools.call(name, args, context.workspace ? { workspace: context.workspace } : {});
  print(context, result, () => safe(result.output));
  const diff = result.data['diff'];
  if (context.output === 'text' && typeof diff === 'string' && diff)
    context.io.err(`${diffLines(diff, context.paint.err).join('\n')}\n`);
  if (result.success) return EXIT.ok;
  if (context.output === 'text' && result.error) context.io.err(`loom: ${safe(result.error.message)}\n`);
  return EXIT.failed;
}

async function parse(context: Context, file: string | undefined): Promise<number> {
  if (context.io.tty.in) throw new UsageError('pipe a model answer in: loom tool parse < answer.txt');
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of context.io.stdin) {
    const buffer = Buffer.from(chunk as Uint8Array);
    size += buffer.length;
    if (size > MAX_STDIN) throw new UsageError(`the answer is longer than ${MAX_STDIN} bytes`);
    chunks.push(buffer);
  }
  const tools = file === undefined ? undefined : await offeredTools(file);
  const loom = await context.loom();
  const parsed = loom.tools.parse(Buffer.concat(chunks).toString('utf8'), tools ? { tools } : {});
  print(context, parsed, () => JSON.stringify(parsed, null, 2));
  return EXIT.ok;
}

interface OfferedTool {
  name: string;
  parameters: Record<string, unknown>;
}

const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/** One tool as Loom, OpenAI, Anthropic or MCP write it. */
function offeredTool(value: unknown): OfferedTool | null {
  if (!isObject(value)) return null;
  if (isObject(value['function'])) return offeredTool(value['function']);
  const { name } = value;
  const schema = value['parameters'] ?? value['input_schema'] ?? value['inputSchema'] ?? {};
  return typeof name === 'string' && name !== '' && isObject(schema) ? { name, parameters: schema } : null;
}

/** The tools in a file: a JSON list, alone or under `tools`, as in a request. */
async function offeredTools(file: string): Promise<OfferedTool[]> {
  const text = await readFile(file, 'utf8').catch((error: NodeJS.ErrnoException) => {
    throw new UsageError(`--tools ${file} cannot be read: ${error.code ?? error.message}`);
  });
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    throw new UsageError(`--tools ${file} is not JSON: ${(error as Error).message}`);
  }
  const list = isObject(value) && 'tools' in value ? value['tools'] : value;
  if (!Array.isArray(list)) throw new UsageError(`--tools ${file} must hold a list of tools`);
  return list.map((one, n) => {
    const tool = offeredTool(one);
    if (!tool) throw new UsageError(`--tools ${file}: entry ${n + 1} is not {"name": …, "parameters": {…}}`);
    return tool;
  });
}
