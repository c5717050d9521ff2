/** Which tools a request carries with their schemas: those the work needs, as far as the window has room. The rest is found
 *  with `list_tools` and called with `run_tool`. The choice depends on its input alone, so that a conversation keeps its tools
 *  and prompt caches hit. */

import { LIST_TOOLS } from './list-tools.ts';
import { RUN_TOOL } from './run-tool.ts';
import type { Tool } from './tool.ts';
import { type WireTool, wireTool } from './wire.ts';

/** Most tools and most bytes of schemas, whatever the window: the first request of an executor stays below 8 KB. */
const MAX_TOOLS = 16;
const MAX_BYTES = 4_800;
/** What the wire puts around each tool, bytes. */
const WRAPPING = 36;
/** Characters of names that the description of `run_tool` holds. */
const MAX_NAMES = 400;

/** Without these hardly any work can be done; the first of them come in any window. */
const CORE = {
  executor: ['read_file', 'write_file', 'edit_file', 'shell_execute', 'ripgrep_search', 'list_directory'],
  session: [
    'read_file',
    'write_file',
    'edit_file',
    'shell_execute',
    'conversation_recall',
    'ripgrep_search',
    'delegate_task',
  ],
};
const ALWAYS = 4;
/** Where the rest of the core stands: behind a tool whose keyword the text holds. */
const NAMED = 30;
/** Wanted next, when the text says nothing of others. */
const USUAL = ['glob_find', 'ask_user', 'git_command', 'read_artifact', 'delete_file', 'move_file'];

const wordsOf = (text: string): Set<string> =>
  new Set((text.toLowerCase().match(/[a-z0-9]+/g) ?? []).map(stem));
/** `tables`, `fetched`, `searching` mean what `table`, `fetch`, `search` mean. */
const stem = (word: string): string =>
  word.length > 4 ? word.replace(/(ing|ed|es|s)$/, '').replace(/e$/, '') : word;

/** How many of a tool's own words the text holds; its keywords and name say more than its description. */
function suits(tool: Tool, words: Set<string>): number {
  const hits = (text: string): number => [...wordsOf(text)].filter(word => words.has(word)).length;
  return 3 * hits((tool.keywords ?? []).join(' ')) + 2 * hits(tool.name.replaceAll('_', ' '));
}

const sizes = new WeakMap<WireTool, number>();

function bytesOf(tool: WireTool): number {
  const bytes = sizes.get(tool) ?? Buffer.byteLength(JSON.stringify(tool)) + WRAPPING;
  sizes.set(tool, bytes);
  return bytes;
}

/** Choices made lately: the same tools by the same names are the same array, whose size is then known, too. */
const assembled = new Map<string, { tools: Tool[]; wire: WireTool[] }>();
const REMEMBERED = 64;

/** Tools by name, as requests carry them; `run_tool` says what it reaches. Names that no tool has are left out. */
export function wireTools(tools: Tool[], names: string[]): WireTool[] {
  const key = names.join();
  const known = assembled.get(key);
  if (known?.tools.length === tools.length && known.tools.every((tool, i) => tool === tools[i]))
    return known.wire;
  const wire = assemble(tools, names);
  if (assembled.size >= REMEMBERED) assembled.clear();
  assembled.set(key, { tools, wire });
  return wire;
}

function assemble(tools: Tool[], names: string[]): WireTool[] {
  const hidden = tools
    .map(tool => tool.name)
    .filter(name => !names.includes(name) && name !== RUN_TOOL && name !== LIST_TOOLS);
  let listed = hidden.join(', ');
  if (listed.length > MAX_NAMES) listed = `${listed.slice(0, listed.lastIndexOf(',', MAX_NAMES))}, …`;
  return names.flatMap(name => {
    const tool = tools.find(one => one.name === name);
    if (!tool) return [];
    const wire = wireTool(tool);
    return name === RUN_TOOL
      ? { ...wire, description: `Run another tool: ${listed}. list_tools tells their parameters.` }
      : wire;
  });
}

/** Chooses tools by name.
 *  @param tools all there are
 *  @param text what the work is about, in its own words
 *  @param room bytes of schemas that the window has room for; the least that work needs comes in any case */
export function offer(
  tools: Tool[],
  { role, text, room }: { role: keyof typeof CORE; text: string; room: number },
): string[] {
  const words = wordsOf(text);
  const core = CORE[role];
  const rank = (tool: Tool): number => {
    const place = core.indexOf(tool.name);
    if (place >= 0) return place < ALWAYS ? 1_000 - place : NAMED - place;
    const usual = USUAL.indexOf(tool.name);
    return 10 * suits(tool, words) + (usual >= 0 ? USUAL.length - usual : 0);
  };
  const others = tools
    .filter(({ name }) => name !== RUN_TOOL && name !== LIST_TOOLS)
    .map((tool, place) => ({ tool, place, rank: rank(tool), bytes: bytesOf(wireTool(tool)) }))
    .sort((a, b) => b.rank - a.rank || a.place - b.place);
  const most = Math.min(room, MAX_BYTES);
  const total = others.reduce((sum, { bytes }) => sum + bytes, 0);
  if (others.length <= MAX_TOOLS && total <= most) return others.map(({ tool }) => tool.name);
  const doors = wireTools(tools, [LIST_TOOLS, RUN_TOOL]);
  let left = most - doors.reduce((sum, tool) => sum + bytesOf(tool), 0);
  const chosen: string[] = [];
  for (const { tool, bytes } of others) {
    if (chosen.length >= MAX_TOOLS - doors.length) break;
    if (chosen.length >= ALWAYS && bytes > left) continue;
    chosen.push(tool.name);
    left -= bytes;
  }
  return [...chosen, ...doors.map(tool => tool.name)];
}
