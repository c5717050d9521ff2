/** `<invoke name="…"><parameter name="…">text</parameter></invoke>`: MiniMax-M2 (`<minimax:tool_call>`), DeepSeek V3.2 and V4
 *  (`<｜DSML｜invoke`), Step-3 and others with a prefix of their own, with or without a wrapper around the calls. */
import { brokenCall, CUT, type Dialect, matchAt, skip, type WrittenCall } from './dialect.ts';
import { xmlParameters } from './xml-parameters.ts';

const PREFIX = '(?:[a-z]+:|[｜|]DSML[｜|])?';
const WRAPPER = `<${PREFIX}(?:tool_calls?|function_calls)>`;
const INVOKE = new RegExp(`\\s*<${PREFIX}invoke\\s+name\\s*=\\s*["']?([\\w.:/-]+)["']?\\s*>`, 'y');
const WRAPPER_END = new RegExp(`\\s*</${PREFIX}(?:tool_calls?|function_calls)>`, 'y');
const INVOKE_END = new RegExp(`\\s*</${PREFIX}invoke>`, 'y');
const TAGS = {
  open: new RegExp(
    `<${PREFIX}parameter\\s+name\\s*=\\s*(?:"([^"]+)"|'([^']+)')(?:\\s+\\w+="[^"]*")*\\s*>`,
    'y',
  ),
  close: new RegExp(`</${PREFIX}parameter>`, 'y'),
  end: new RegExp(`</${PREFIX}(?:invoke|tool_calls?|function_calls)>|<${PREFIX}invoke\\s`, 'y'),
};

const MALFORMED = 'between <invoke> and </invoke> only <parameter name="…">value</parameter> may stand';

export const invokeXml: Dialect = {
  name: 'invoke-xml',
  opener: new RegExp(`(?:${WRAPPER}\\s*)?<${PREFIX}invoke\\s+name\\s*=\\s*["']?[\\w.:/-]+["']?\\s*>`),
  read(text, after, opener) {
    const calls: WrittenCall[] = [];
    let at = after - opener.length + (new RegExp(`^${WRAPPER}`).exec(opener)?.[0].length ?? 0);
    for (let open = matchAt(INVOKE, text, at); open; open = matchAt(INVOKE, text, at)) {
      const name = open[1]!;
      const from = at + open[0].length;
      const { args, at: behind, repaired, ended, broken } = xmlParameters(text, from, TAGS);
      if (broken)
        calls.push(brokenCall(name, text.slice(from, behind), behind < text.length ? MALFORMED : CUT));
      else calls.push({ name, arguments: args, plain: true, repaired, ...(ended ? {} : { unended: true }) });
      at = skip(INVOKE_END, text, behind);
    }
    return { calls, end: skip(WRAPPER_END, text, at) };
  },
};
