/** The one place that loads tree-sitter grammars: WebAssembly, each once, when its first text is parsed. */

import { createRequire } from 'node:module';
import type { Language, Parser } from 'web-tree-sitter';

/** File in `@vscode/tree-sitter-wasm`; another language is one more name. */
export const GRAMMARS = ['bash', 'go', 'java', 'javascript', 'python', 'rust', 'tsx', 'typescript'] as const;

export type Grammar = (typeof GRAMMARS)[number];

type Runtime = typeof import('web-tree-sitter');

const runtimes = new Map<'wasm', Promise<Runtime>>();
const languages = new Map<Grammar, Promise<Language>>();
const parsers = new Map<Grammar, Promise<Parser>>();

/** What failed to load (a file that is not there, no memory) is tried again by the next caller. */
function once<K, V>(made: Map<K, Promise<V>>, key: K, make: () => Promise<V>): Promise<V> {
  const known = made.get(key);
  if (known) return known;
  const making = make();
  made.set(key, making);
  making.catch(() => made.delete(key));
  return making;
}

const runtime = (): Promise<Runtime> =>
  once(runtimes, 'wasm', async () => {
    const module = await import('web-tree-sitter');
    await module.Parser.init();
    return module;
  });

/**
 * The grammar of a language; 10 to 40 ms the first time.
 * @throws Error when its file cannot be read
 */
export function loadGrammar(name: Grammar): Promise<Language> {
  return once(languages, name, async () => {
    const { Language } = await runtime();
    const file = createRequire(import.meta.url).resolve(
      `@vscode/tree-sitter-wasm/wasm/tree-sitter-${name}.wasm`,
    );
    return Language.load(file);
  });
}

/**
 * A parser for the language, shared by all callers: `parse()` is synchronous, so they cannot meet in it.
 * Every tree that it returns must be given back with `tree.delete()`; its memory is not garbage-collected.
 * @throws Error when the grammar cannot be loaded
 */
export function parserFor(name: Grammar): Promise<Parser> {
  return once(parsers, name, async () => {
    const language = await loadGrammar(name);
    const { Parser } = await runtime();
    const made = new Parser();
    made.setLanguage(language);
    return made;
  });
}
