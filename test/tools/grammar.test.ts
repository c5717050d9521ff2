import { describe, expect, it } from 'vitest';
import { GRAMMARS, type Grammar, loadGrammar, parserFor } from '../../tools/code/grammar.ts';

const SOURCES: Record<Grammar, { right: string; root: string; wrong: string }> = {
  bash: { right: 'ls -l | wc', root: 'program', wrong: 'if true; then' },
  go: { right: 'package a\nfunc f() {}', root: 'source_file', wrong: 'func (' },
  java: { right: 'class A { int f() { return 1; } }', root: 'program', wrong: 'class A {' },
  javascript: { right: 'const a = () => 1;', root: 'program', wrong: 'const = ;' },
  python: { right: 'def f(x):\n    return x', root: 'module', wrong: 'def f(:' },
  rust: { right: 'fn f() -> u8 { 1 }', root: 'source_file', wrong: 'fn f( {' },
  tsx: { right: 'const a = <b c="d">{e}</b>;', root: 'program', wrong: 'const a = <b>;' },
  typescript: {
    right: 'interface A<T> { b: T }\nlet c = d as A<string>;',
    root: 'program',
    wrong: 'let c: = 1',
  },
};

describe('grammars', () => {
  it.each(GRAMMARS)('%s reads its language', async name => {
    const parser = await parserFor(name);
    const { right, root, wrong } = SOURCES[name];
    const tree = parser.parse(right);
    expect([tree?.rootNode.type, tree?.rootNode.hasError]).toEqual([root, false]);
    tree?.delete();
    const broken = parser.parse(wrong);
    expect(broken?.rootNode.hasError).toBe(true);
    broken?.delete();
  });

  it('are loaded once, and one that cannot be loaded is tried again', async () => {
    expect(await parserFor('go')).toBe(await parserFor('go'));
    expect(await loadGrammar('go')).toBe(await loadGrammar('go'));
    const unknown = 'klingon' as Grammar;
    const first = loadGrammar(unknown);
    await expect(first).rejects.toThrow('tree-sitter-klingon.wasm');
    const second = loadGrammar(unknown);
    expect(second).not.toBe(first);
    await expect(second).rejects.toThrow('klingon');
  });
});
