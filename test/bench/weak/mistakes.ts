/** How a weak model spoils a call: arguments that are not JSON or not those of the tool, calls written as text, wrong paths. */
import type { Luck } from './luck.ts';

export interface Call {
  name: string;
  arguments: Record<string, string>;
}

const quote = (text: string): string =>
  `'${text.replace(/\\/g, '\\\\').replace(/'/g, "\\'").replace(/\n/g, '\\n')}'`;
const entries = (call: Call): [string, string][] => Object.entries(call.arguments);
const MISNAMED: Record<string, string> = {
  path: 'file',
  content: 'text',
  old_str: 'before',
  new_str: 'after',
};

const MALFORMED: ((call: Call) => string)[] = [
  call => JSON.stringify(call.arguments).replace(/\}$/, ',}'),
  call =>
    `{${entries(call)
      .map(([key, value]) => `${quote(key)}: ${quote(value)}`)
      .join(', ')}}`,
  call => JSON.stringify(call.arguments).slice(0, -1),
  call => `\`\`\`json\n${JSON.stringify(call.arguments)}\n\`\`\``,
  call => JSON.stringify(JSON.stringify(call.arguments)),
  // Cut off in the middle of a value.
  call => JSON.stringify(call.arguments).slice(0, -Math.ceil(JSON.stringify(call.arguments).length / 4)),
  call =>
    JSON.stringify(Object.fromEntries(entries(call).map(([key, value]) => [MISNAMED[key] ?? key, value]))),
  call => JSON.stringify(Object.fromEntries(entries(call).slice(0, -1))),
  call => JSON.stringify([...Object.values(call.arguments)]),
  () => '',
];

/** The arguments as they arrive on the wire. */
export const malformed = (call: Call, luck: Luck): string => luck.pick(MALFORMED)(call);

const AS_TEXT: ((call: Call) => string)[] = [
  call => JSON.stringify(call),
  call => `I will do that now.\n\n\`\`\`json\n${JSON.stringify(call, null, 2)}\n\`\`\``,
  call => `<tool_call>\n${JSON.stringify(call)}\n</tool_call>`,
  call =>
    `<tool_call>\n<function=${call.name}>\n${entries(call)
      .map(([key, value]) => `<parameter=${key}>\n${value}\n</parameter>`)
      .join('\n')}\n</function>\n</tool_call>`,
  call => `[TOOL_CALLS][${JSON.stringify(call)}]`,
  call => `<|python_tag|>${JSON.stringify({ name: call.name, parameters: call.arguments })}`,
];

/** The call as words of the answer, in one of the dialects of local models. */
export const asText = (call: Call, luck: Luck): string => luck.pick(AS_TEXT)(call);

/** A path that is easily written instead. */
export function otherPath(path: string, luck: Luck): string {
  const name = path.slice(path.lastIndexOf('/') + 1);
  const [, stem = name, extension = ''] = /^(.*?)(\.[^.]*)?$/.exec(name) ?? [];
  const folder = path.slice(0, path.length - name.length);
  return luck.pick([
    folder === '' ? `src/${name}` : name,
    `${folder}${stem}_new${extension}`,
    `${folder}${stem}${extension === '.txt' ? '.md' : '.txt'}`,
    `output/${name}`,
  ]);
}

/** The smallest run of whole lines that turns `from` into `to` and occurs once in `from`. */
export function smallestEdit(from: string, to: string): { old_str: string; new_str: string } {
  const [before, after] = [from.split('\n'), to.split('\n')];
  let head = 0;
  while (head < Math.min(before.length, after.length) && before[head] === after[head]) head++;
  let tail = 0;
  const most = Math.min(before.length, after.length) - head;
  while (tail < most && before.at(-1 - tail) === after.at(-1 - tail)) tail++;
  for (;;) {
    const old_str = before.slice(head, before.length - tail).join('\n');
    const whole = head === 0 && tail === 0;
    if (whole || (old_str.trim() !== '' && from.split(old_str).length === 2))
      return { old_str, new_str: after.slice(head, after.length - tail).join('\n') };
    if (head > 0) head--;
    else tail--;
  }
}
