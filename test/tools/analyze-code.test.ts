import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { analyzeCode } from '../../tools/analyze-code.ts';
import { languageOf } from '../../tools/code/languages.ts';
import { mapDirectory } from '../../tools/code/map.ts';
import { outlineOf } from '../../tools/code/outline.ts';
import { syntaxProblems } from '../../tools/code/syntax.ts';
import { editFile } from '../../tools/files/edit-file.ts';
import { writeFile as writeTool } from '../../tools/files/write-file.ts';
import { bench, failureOf } from './support.ts';

/** Symbols as indented lines: kind, name, lines. */
async function outline(
  path: string,
  text: string,
): Promise<{ imports: string[]; lines: string[]; broken: boolean }> {
  const found = await outlineOf(text, languageOf(path)!);
  const lines: string[] = [];
  const add = (symbols: typeof found.symbols, indent: string) => {
    for (const { kind, name, start, end, exported, children } of symbols) {
      lines.push(`${indent}${exported ? '+' : '-'}${kind} ${name} ${start}-${end}`);
      add(children, `${indent} `);
    }
  };
  add(found.symbols, '');
  return { imports: found.imports, lines, broken: found.broken };
}

const SOURCES: Record<string, { text: string; imports: string[]; lines: string[] }> = {
  'a.ts': {
    text: `import a, { b } from './x';
import type { C } from "y";
export interface Shape { area: number; scale(by: number): void }
type Id = string;
export enum Color { Red }
export abstract class Box<T> extends Base implements Shape {
  private size = 1;
  constructor(readonly a: string) { super(); }
  async go(n: number): Promise<void> {
    const local = 1;
    function inner() {}
  }
  handler = (q: string) => q;
}
export function f(a: string, b = 2): number { return b; }
export const g = (x: number) => x, LIMIT = 3;
const { q } = a;
namespace N { export function nested() {} }
export { other } from './z';
const fs = require('fs');
`,
    imports: ['./x', 'y', './z', 'fs'],
    lines: [
      '+interface Shape 3-3',
      ' -property area 3-3',
      ' -method scale 3-3',
      '-type Id 4-4',
      '+enum Color 5-5',
      '+class Box 6-14',
      ' -property size 7-7',
      ' -method constructor 8-8',
      ' -method go 9-12',
      '  -function inner 11-11',
      ' -method handler 13-13',
      '+function f 15-15',
      '+function g 16-16',
      '+constant LIMIT 16-16',
      '-namespace N 18-18',
      ' +function nested 18-18',
      '-constant fs 20-20',
    ],
  },
  'b.tsx': {
    text: 'import React from "react";\nexport const App = ({ name }: { name: string }) => <div>{name}</div>;\n',
    imports: ['react'],
    lines: ['+function App 2-2'],
  },
  'c.js': {
    text: 'const x = require("x");\nclass A { #p = 1; m() {} static s() {} }\nmodule.exports = { A };\nfunction* gen() {}\nawait import("./lazy.js");\n',
    imports: ['x', './lazy.js'],
    lines: [
      '-constant x 1-1',
      '-class A 2-2',
      ' -property #p 2-2',
      ' -method m 2-2',
      ' -method s 2-2',
      '-function gen 4-4',
    ],
  },
  'd.py': {
    text: `import os, sys as s
from a.b import c as d
from . import e
LIMIT = 1
@dec
def f(a, *b) -> int:
    x = 1
    def g(): pass
class A(Base):
    size: int = 3
    @property
    def p(self): pass
    async def _q(self): pass
`,
    imports: ['os', 'sys', 'a.b', '.'],
    lines: [
      '+variable LIMIT 4-4',
      '+function f 6-8',
      ' +function g 8-8',
      '+class A 9-13',
      ' +variable size 10-10',
      ' +method p 12-12',
      ' -method _q 13-13',
    ],
  },
  'e.go': {
    text: `package p
import (
	"fmt"
	x "a/b"
)
type S struct { a int }
type I interface { M() error }
func (s *S) M(a int) error { return nil }
func helper() { fmt.Println("not an import") }
const Limit = 1
`,
    imports: ['fmt', 'a/b'],
    lines: [
      '+struct S 6-6',
      '+interface I 7-7',
      ' +method M 7-7',
      '+method M 8-8',
      '-function helper 9-9',
      '+constant Limit 10-10',
    ],
  },
  'f.rs': {
    text: `use std::io::{self, Read};
pub struct S { a: i32 }
enum E { A }
pub trait T { fn m(&self); }
impl T for S { fn m(&self) {} }
pub fn f<T>(a: T) -> i32 { 1 }
mod inner { pub const C: i32 = 1; }
`,
    imports: ['std::io::{self, Read}'],
    lines: [
      '+struct S 2-2',
      '-enum E 3-3',
      '+trait T 4-4',
      ' -method m 4-4',
      '-impl T for S 5-5',
      ' -method m 5-5',
      '+function f 6-6',
      '-namespace inner 7-7',
      ' +constant C 7-7',
    ],
  },
  'G.java': {
    text: `package p;
import java.util.*;
import static a.B.c;
public class G extends B {
  private int x;
  public G() {}
  void m(int a) throws E { int local = 1; }
  enum Color { RED }
}
interface I { void q(); }
`,
    imports: ['java.util.*', 'a.B.c'],
    lines: [
      '+class G 4-9',
      ' -property x 5-5',
      ' +method G 6-6',
      ' -method m 7-7',
      ' -enum Color 8-8',
      '-interface I 10-10',
      ' -method q 10-10',
    ],
  },
  'h.sh': {
    text: 'source ./a.sh\n. "b.sh"\nfoo() {\n  echo hi\n}\nfunction bar { :; }\n',
    imports: ['./a.sh', 'b.sh'],
    lines: ['+function foo 3-5', '+function bar 6-6'],
  },
};

describe('outline', () => {
  it.each(Object.entries(SOURCES))(
    '%s: imports, kinds, lines, nesting',
    async (path, { text, imports, lines }) => {
      expect(await outline(path, text)).toEqual({ imports, lines, broken: false });
    },
  );

  it('gives signatures in one line, without bodies', async () => {
    const { symbols } = await outlineOf(SOURCES['a.ts']!.text, languageOf('a.ts')!);
    const box = symbols.find(symbol => symbol.name === 'Box')!;
    expect(box.signature).toBe('abstract class Box<T> extends Base implements Shape');
    expect(box.children.map(child => child.signature)).toEqual([
      'private size = 1',
      'constructor(readonly a: string)',
      'async go(n: number): Promise<void>',
      'handler = (q: string)',
    ]);
    const python = await outlineOf('def f(\n    a,\n    b=1,\n) -> int:\n    pass\n', languageOf('a.py')!);
    expect(python.symbols[0]!.signature).toBe('def f( a, b=1, ) -> int');
  });

  it('counts lines right behind characters of every width', async () => {
    const { lines } = await outline('a.py', '# ünï 😀 漢字\ns = "😀"\ndef after(): pass\n');
    expect(lines).toEqual(['+variable s 2-2', '+function after 3-3']);
  });

  it('reads what it can of a broken file', async () => {
    const found = await outline('a.py', 'def ok(): pass\nclass (:\ndef also(): pass\n');
    expect(found.broken).toBe(true);
    expect(found.lines.join()).toContain('function ok');
  });
});

describe('analyze_code', () => {
  it('shows a file and leaves the guess to nobody', async () => {
    const { context } = await bench({
      'src/d.py': SOURCES['d.py']!.text,
      'x.txt': '',
      'bad.py': 'def f(:\n  pass\n',
    });
    const { output, data } = await analyzeCode.run({ path: 'src/d.py' }, context);
    expect(output).toContain('src/d.py: python, 13 lines\nImports: os, sys, a.b, .\nDefinitions, by lines:');
    expect(output).toContain('  9-13 class (exported): class A(Base)\n    10 variable');
    expect(data).toMatchObject({ language: 'python', symbol_count: 7, syntax_errors: [] });
    expect((await analyzeCode.run({ path: 'bad.py' }, context)).output).toMatch(/Syntax error in line 1: /);
    expect((await failureOf(analyzeCode.run({ path: 'x.txt' }, context))).code).toBe('unknown_language');
    expect((await failureOf(analyzeCode.run({ path: 'nope.py' }, context))).code).toBe('not_found');
    expect((await failureOf(analyzeCode.run({ path: '../x.py' }, context))).code).toBe('path_outside');
  });

  it('maps a folder within its budget: names, then what the telling files define', async () => {
    const { context, root } = await bench({
      '.gitignore': 'dist/\n',
      'src/index.ts': 'export function start() {}\nexport class App { run() {} stop() {} }\n',
      'src/deep/parser.ts': 'export const parse = () => 1;\n',
      'test/parser.test.ts': 'function check() {}\n',
      'dist/index.js': 'function built() {}\n',
      'README.md': '# x\n',
    });
    const { output, data } = await analyzeCode.run({ path: '.' }, context);
    expect(output).toBe(
      [
        'src/ (2 files)',
        '  deep/ (1 file)',
        '    parser.ts',
        '  index.ts',
        'test/ (1 file)',
        '  parser.test.ts',
        '.gitignore',
        'README.md',
        '',
        'Definitions:',
        'src/index.ts: start, class App(run, stop)',
        'src/deep/parser.ts: parse',
        'test/parser.test.ts: check',
      ].join('\n'),
    );
    expect(data).toMatchObject({ files: 5, outlined: 3 });
    const signal = new AbortController().signal;
    const small = await mapDirectory(root, { budget: 120, signal });
    expect(small.text.length).toBeLessThanOrEqual(120);
    const asked = await mapDirectory(root, { budget: 2_000, words: ['parser'], signal });
    expect(asked.text.split('Definitions:\n')[1]).toMatch(/^src\/deep\/parser\.ts/);
  });

  it('stays within its budget however large the folder', async () => {
    const { root } = await bench();
    for (let i = 0; i < 30; i++) {
      await mkdir(join(root, `package-${i}/src`), { recursive: true });
      for (let k = 0; k < 10; k++)
        await writeFile(join(root, `package-${i}/src/f${k}.ts`), `export const name${k} = ${k};\n`.repeat(5));
    }
    const signal = new AbortController().signal;
    for (const budget of [200, 1_000, 4_000]) {
      const { text, files } = await mapDirectory(root, { budget, signal });
      expect(text.length).toBeLessThanOrEqual(budget);
      expect(text.length).toBeGreaterThan(budget * 0.4);
      expect(files).toBe(300);
    }
  });
});

describe('syntax errors', () => {
  it('are found by kind and line; newer syntax and lenient files are not', async () => {
    expect(await syntaxProblems('let a = (1;\n', 'a.ts')).toMatchObject([{ line: 1 }]);
    expect(await syntaxProblems('const a = 1;\n', 'a.ts')).toEqual([]);
    expect(await syntaxProblems('{"a": 1,}', 'a.json')).toMatchObject([{ line: 1 }]);
    expect(await syntaxProblems('{"a": 1, // x\n}', 'tsconfig.json')).toBeNull();
    expect(await syntaxProblems('anything', 'a.txt')).toBeNull();
    expect(await syntaxProblems('func f( {', 'a.go')).not.toEqual([]);
    const modern =
      'const a = { b: 1 } satisfies object;\nawait using x = y();\nexport type { A } from "./a.ts";\n';
    expect(await syntaxProblems(modern, 'a.ts')).toEqual([]);
  });

  it('that a change brings in are told with its result, older ones are not', async () => {
    const at = await bench({
      'a.py': 'def f():\n    return 1\n',
      'old.py': 'def broken(:\n    pass\n\ndef g():\n    return 2\n',
    });
    const edit = (args: Record<string, unknown>) => editFile.run(args, at.context);
    const bad = await edit({ path: 'a.py', old_str: 'return 1', new_str: 'return (1' });
    expect(bad.success).toBe(true);
    expect(bad.output).toMatch(/brought in syntax errors; correct them:\n {2}a\.py:\d: /);
    expect(bad.data['syntax_errors']).toMatchObject([{ path: 'a.py' }]);
    const good = await edit({ path: 'a.py', old_str: 'return (1', new_str: 'return 3' });
    expect(good.output).not.toContain('syntax');
    expect((await edit({ path: 'old.py', old_str: 'return 2', new_str: 'return 5' })).output).not.toContain(
      'syntax',
    );
    const more = await edit({ path: 'old.py', old_str: 'return 5', new_str: 'return [5' });
    expect(more.output).toContain('brought in syntax errors');
    const written = await writeTool.run({ path: 'b.json', content: '{"a": }' }, at.context);
    expect(written.output).toContain('b.json:1:');
  });
});
