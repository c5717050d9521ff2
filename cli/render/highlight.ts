/** Source code in the colours of a terminal. */
import type { HLJSApi } from 'highlight.js';
import type { Paint } from './words.ts';

/** Above this many characters code stays plain: nobody reads the colours, and the terminal waits. */
const LONGEST = 20_000;

export type Highlight = (code: string, language: string) => string;

const ENTITIES: Record<string, string> = { amp: '&', lt: '<', gt: '>', quot: '"', '#x27': "'" };

/** Colours by the first word of a class; what is not listed stays plain. */
function colourOf(kind: string, paint: Paint): Paint | null {
  if (/^(keyword|selector|operator|meta)/.test(kind)) return paint.magenta;
  if (/^(string|regexp|char|template-variable|addition)/.test(kind)) return paint.green;
  if (/^(number|literal|symbol|bullet)/.test(kind)) return paint.yellow;
  if (/^(comment|quote|doctag)/.test(kind)) return paint.dim;
  if (/^(title|section|name)/.test(kind)) return paint.blue;
  if (/^(type|built_in|attr|property|params|variable|tag)/.test(kind)) return paint.cyan;
  return kind.startsWith('deletion') ? paint.red : null;
}

/** What the library marks up as HTML, in escape codes. Spans may nest; the innermost colour counts. */
function coloured(html: string, paint: Paint): string {
  const open: (Paint | null)[] = [];
  let text = '';
  for (const [part, kind, plain] of html.matchAll(/<span class="(?:hljs-)?([^"]*)">|<\/span>|([^<]+)/g)) {
    if (kind !== undefined) open.push(colourOf(kind, paint) ?? open.at(-1) ?? null);
    else if (part === '</span>') open.pop();
    else {
      const words = (plain ?? '').replace(/&(#?\w+);/g, (all, name: string) => ENTITIES[name] ?? all);
      const colour = open.at(-1);
      // line by line, so that a line can be cut off or printed alone
      text += colour
        ? words
            .split('\n')
            .map(line => (line === '' ? '' : colour(line)))
            .join('\n')
        : words;
    }
  }
  return text;
}

/** Loads the grammars once. Unknown languages and `paint` without colours give the code as it is. */
export async function highlighter(paint: Paint): Promise<Highlight> {
  if (paint.level === 0) return code => code;
  const { default: library } = (await import('highlight.js/lib/common')) as { default: HLJSApi };
  return (code, language) => {
    if (code.length > LONGEST || !library.getLanguage(language)) return code;
    return coloured(library.highlight(code, { language, ignoreIllegals: true }).value, paint);
  };
}
