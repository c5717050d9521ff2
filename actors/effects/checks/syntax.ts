/** Syntax of changed files and deliverables, by the name of the file. What a reader of the format would accept is right. */
import { basename, extname } from 'node:path';
import { type Check, failed, passed, unsure } from './check.ts';
import { PARSERS, type Parser } from './parsers.ts';
import type { World } from './world.ts';

export async function syntax(world: World): Promise<Check[]> {
  const paths = [...new Set([...world.changed, ...world.node.deliverables])];
  const found = await Promise.all(paths.map(path => parses(world, path)));
  return found.filter(check => check !== null);
}

/** Comments and commas at the end are part of these. */
const JSON_WITH_COMMENTS =
  /^(?:[tj]sconfig(?:\.[\w-]+)?\.json|devcontainer\.json|\.(?:eslintrc|babelrc|swcrc)(?:\.json)?|settings\.json|launch\.json|tasks\.json|extensions\.json|biome\.json|.*\.jsonc|.*\.code-workspace)$/;

function parserOf(path: string): Parser | undefined {
  const name = basename(path).toLowerCase();
  if (JSON_WITH_COMMENTS.test(name)) return PARSERS['.jsonc'];
  return PARSERS[extname(name)];
}

/** Samples of what is broken, and files that become right only when a template is filled in. */
const BROKEN_ON_PURPOSE = /fixture|invalid|broken|malformed|corrupt/i;
const TEMPLATE = /\{\{|\{%|<%/;

async function parses(world: World, path: string): Promise<Check | null> {
  const parse = parserOf(path);
  const text = parse ? ((await world.see(path))?.text ?? null) : null;
  if (!parse || text === null || text.trim() === '') return null;
  const name = `syntax_${path}`;
  const problem = await parse(text, path);
  if (!problem) return passed(name, `${path} parses.`);
  const detail = `${path} does not parse: ${problem.message}`;
  const onPurpose = BROKEN_ON_PURPOSE.test(path) || /\b(?:invalid|broken|malformed)\b/i.test(world.asked);
  const mayBeFine = problem.sure === false || onPurpose || TEMPLATE.test(text);
  return mayBeFine ? unsure(name, detail) : failed(name, detail);
}
