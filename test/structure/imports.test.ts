/** Imports go one way: machines know nothing of the rest, the command line knows only the façade. Real import lines. */
import { describe, expect, it } from 'vitest';
import { FOLDERS, folderOf, type Import, importsOf, type Source, sources } from './sources.ts';

/** What each folder may import from besides itself. */
const ALLOWED: Record<(typeof FOLDERS)[number], string[]> = {
  machines: [],
  store: ['machines'],
  tools: ['store', 'machines'],
  processes: ['store', 'machines'],
  actors: ['machines', 'store', 'tools', 'processes'],
  visualizations: ['machines', 'store'],
  server: ['visualizations'],
  cli: ['visualizations'],
};
const FACADE = ['actors/engine.ts', 'actors/loom.ts'];
const USES_FACADE = ['cli', 'server'];

function forbidden(source: Source, { target, typeOnly }: Import): boolean {
  const from = folderOf(source.path) as (typeof FOLDERS)[number];
  const to = folderOf(target);
  if (from === to || ALLOWED[from].includes(to)) return false;
  // Types of the folders below may pass through the façade's callers; they are gone after compilation.
  if (USES_FACADE.includes(from))
    return !(FACADE.includes(target) || (typeOnly && to !== 'cli' && to !== 'server'));
  return true;
}

const own = sources.flatMap(source =>
  source.imports.filter(line => line.own).map(line => ({ source, line })),
);

/** The first cycle found among the modules, as a path. */
function cycle(modules: Source[]): string[] | null {
  const byPath = new Map(modules.map(source => [source.path, source]));
  const done = new Set<string>();
  const visit = (path: string, above: string[]): string[] | null => {
    if (above.includes(path)) return [...above.slice(above.indexOf(path)), path];
    if (done.has(path)) return null;
    for (const { target } of byPath.get(path)?.imports ?? []) {
      const found = byPath.has(target) ? visit(target, [...above, path]) : null;
      if (found) return found;
    }
    done.add(path);
    return null;
  };
  for (const { path } of modules) {
    const found = visit(path, []);
    if (found) return found;
  }
  return null;
}

describe('import lines', () => {
  it('are seen at all', () => {
    expect(sources.length).toBeGreaterThan(15);
    expect(own.length).toBeGreaterThan(30);
    expect(own.some(({ line }) => line.target === 'machines/failure.ts')).toBe(true);
  });

  it('are read in every form they take', () => {
    const text = `import { a,
  type B } from '../store/a.ts';
import type { C } from "./c.ts";
import { type D } from './d.ts';
import * as e from 'xstate';
import './f.ts';
export { g } from './g.ts';
export type { H } from './h.ts';
// import './no.ts';
/* import './neither.ts'; */
const i = await import('./i.ts');`;
    expect(importsOf('tools/x.ts', text).map(line => [line.target, line.typeOnly, line.dynamic])).toEqual([
      ['store/a.ts', false, false],
      ['tools/c.ts', true, false],
      ['tools/d.ts', true, false],
      ['xstate', false, false],
      ['tools/g.ts', false, false],
      ['tools/h.ts', true, false],
      ['tools/f.ts', false, false],
      ['tools/i.ts', false, true],
    ]);
  });

  it('name modules that exist', () => {
    const known = new Set(sources.map(source => source.path));
    const broken = own.filter(({ line }) => /\.(ts|mjs|js)$/.test(line.target) && !known.has(line.target));
    const outside = broken.filter(({ line }) => FOLDERS.includes(folderOf(line.target) as 'cli'));
    expect(outside.map(({ source, line }) => `${source.path} → ${line.target}`)).toEqual([]);
  });

  it('go one way', () => {
    const wrong = own.filter(({ source, line }) => forbidden(source, line));
    expect(wrong.map(({ source, line }) => `${source.path} → ${line.target}`)).toEqual([]);
  });

  it('stay within the project', () => {
    const wrong = own.filter(({ line }) => line.target.startsWith('..') || folderOf(line.target) === 'test');
    expect(wrong.map(({ source, line }) => `${source.path} → ${line.target}`)).toEqual([]);
  });

  it('form no cycles', () => {
    expect(cycle(sources)).toBeNull();
    const module = (path: string, ...targets: string[]): Source => ({
      path,
      text: '',
      imports: targets.map(target => ({ target, own: true, typeOnly: false, dynamic: false })),
    });
    expect(cycle([module('a', 'b'), module('b', 'c'), module('c', 'b')])).toEqual(['b', 'c', 'b']);
  });

  it('leave the machines nothing but xstate', () => {
    const packages = sources
      .filter(source => folderOf(source.path) === 'machines')
      .flatMap(source => source.imports.filter(line => !line.own).map(line => line.target));
    expect([...new Set(packages)]).toEqual(['xstate']);
  });

  it('load heavy packages only when they are needed', () => {
    const heavy =
      /^(openai|@anthropic-ai\/sdk|ollama|undici|lmdb|yaml|ajv|web-tree-sitter|jschardet|enquirer)(\/|$)/;
    // A module that is itself only ever loaded by import() may name them statically.
    const loaded = new Set(
      sources
        .flatMap(source => source.imports.filter(line => line.own && !line.typeOnly && !line.dynamic))
        .map(line => line.target),
    );
    const deferred = new Set(
      sources
        .flatMap(source => source.imports.filter(line => line.own && line.dynamic))
        .map(line => line.target)
        .filter(target => !loaded.has(target)),
    );
    const eager = sources
      .filter(source => !deferred.has(source.path))
      .flatMap(source =>
        source.imports
          .filter(line => heavy.test(line.target) && !line.typeOnly && !line.dynamic)
          .map(line => `${source.path} → ${line.target}`),
      );
    expect(eager).toEqual([]);
  });
});
