/** What kind of work a subtask is, from its plan node alone: an area and whether something is made or changed. The same
 *  node always has the same kind, so that what one run learned is found by the next.
 *
 *  Area: of the deliverables; without any, of the files that the description and criteria name; without these, of the
 *  first keywords that match; else `general`. Of several areas the most frequent one counts, the first of `AREAS` when
 *  they are level. Action: `change` when the description speaks of changing before it speaks of making, else `create`;
 *  areas without files have none. */
import type { PlanNode } from '../../machines/plan.ts';

interface Area {
  name: string;
  /** Of a path. */
  path?: RegExp;
  /** Of the description. */
  words: RegExp;
}

const CODE =
  /\.(js|mjs|cjs|jsx|ts|mts|cts|tsx|py|rb|go|rs|java|kt|kts|c|h|cc|cpp|hpp|cs|php|swift|scala|lua|r|jl|ex|exs|erl|hs|clj|sql|sh|bash|zsh|ps1|vue|svelte)$/i;

/** In order of precedence. */
const AREAS: Area[] = [
  {
    name: 'tests',
    path: /(^|\/)(tests?|specs?|__tests__)\/|[._-](test|spec)s?\.\w+$|(^|\/)test_[^/]*\.py$/i,
    words: /\b(unit|regression|integration)?[ -]?tests?\b|\bcoverage\b/i,
  },
  { name: 'code', path: CODE, words: /\b(code|function|class|module|bug|refactor|implement|compile|api)\b/i },
  {
    name: 'web',
    path: /\.(html?|css|scss|less|svg)$/i,
    words: /\b(web ?page|html|css|layout|stylesheet)\b/i,
  },
  {
    name: 'docs',
    path: /\.(md|mdx|rst|txt|adoc|tex|docx?|pdf)$/i,
    words: /\b(document\w*|readme|report|article|notes?|summary|changelog|guide|letter|text)\b/i,
  },
  {
    name: 'data',
    path: /\.(csv|tsv|jsonl?|ndjson|xml|parquet|xlsx?|ipynb)$/i,
    words: /\b(data(set)?|csv|json|table|spreadsheet|rows|columns)\b/i,
  },
  {
    name: 'config',
    path: /\.(ya?ml|toml|ini|cfg|conf|env|properties|lock)$|(^|\/)(dockerfile|makefile)$/i,
    words: /\b(configur\w*|settings?|deploy\w*|docker\w*|pipeline)\b/i,
  },
  { name: 'command', words: /\b(run|execute|install|build|start|launch|command)\b/i },
  {
    name: 'analysis',
    words: /\b(analy[sz]\w*|review|inspect|explain|find|investigat\w*|compare|research|look)\b/i,
  },
];

/** Areas whose work is files. */
const WITH_FILES = new Set(AREAS.filter(area => area.path).map(area => area.name));

const CHANGE =
  /\b(fix|change|edit|update|refactor|rename|repair|correct|extend|improve|modify|adapt|migrate|replace|remove|delete|adjust|convert)\w*/i;
const CREATE = /\b(create|write|add|make|generate|draft|implement|build|produce|compose|new)\b/i;
const FILE_NAME = /[\w@./-]*[\w-]\.[a-z][a-z0-9]{0,5}\b|\b(?:dockerfile|makefile)\b/gi;

const areaOfPath = (path: string): string | undefined => AREAS.find(area => area.path?.test(path))?.name;

/** The most frequent of these, in the order of `AREAS` when they are level. */
function mostFrequent(names: string[]): string | undefined {
  const count = (name: string): number => names.filter(other => other === name).length;
  return AREAS.map(area => area.name)
    .filter(name => names.includes(name))
    .sort((a, b) => count(b) - count(a))[0];
}

const areasOf = (paths: string[]): string[] => paths.flatMap(path => areaOfPath(path) ?? []);

/** Where a pattern first matches; infinity where it does not. */
const firstAt = (text: string, pattern: RegExp): number => {
  const at = text.search(pattern);
  return at < 0 ? Number.POSITIVE_INFINITY : at;
};

/** `<area>/<create|change>`, or the area alone where work leaves no files. */
export function kindOf(node: Pick<PlanNode, 'description' | 'acceptance_criteria' | 'deliverables'>): string {
  const { description, acceptance_criteria, deliverables } = node;
  const named = `${description}\n${acceptance_criteria}`.match(FILE_NAME) ?? [];
  const area =
    mostFrequent(areasOf(deliverables)) ??
    mostFrequent(areasOf(named)) ??
    AREAS.find(({ words }) => words.test(description))?.name ??
    'general';
  if (!WITH_FILES.has(area)) return area;
  return `${area}/${firstAt(description, CHANGE) < firstAt(description, CREATE) ? 'change' : 'create'}`;
}
