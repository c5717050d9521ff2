/** Which files an answer claims to have written and which files criteria speak of. Pure text work, cautious both ways:
 *  a token counts as a path only when it looks like one, a sentence as a claim only when it says so in the past tense. */

/** `src/a.ts`, `report.md`, `./x/y.json`; no URLs, no version numbers, no `e.g.`. */
const PATH =
  /(?<![\w/:.@-])(?:\.{0,2}\/)?(?:[\w@-][\w@.-]*\/)*[\w@-][\w@.-]*\.[A-Za-z][A-Za-z0-9]{0,7}(?![\w/(])/g;
const WRITING =
  /\b(?:wrote|written|created|saved|generated|produced|added|updated|edited|modified|changed|fixed|implemented|refactored|renamed|rewrote|replaced|appended|put|stored)\b/i;
const PASSIVE =
  /\b(?:is|are|was|were|be|been|being|already|previously)\s+(?:\w+ly\s+)?(?:written|created|saved|generated|produced|added|updated|edited|modified|changed|fixed|implemented|refactored|renamed|replaced|appended|put|stored)\b/i;
const DELETING = /\b(?:deleted|removed|dropped)\b/i;
const NEGATED = /\b(?:not|never|no|without|could ?n[o']t|unable|failed to|instead of)\b|n['’]t\b/i;
/** Without a folder before it, a word with one of these ends is a file; `console.log` and `example.com` are not. */
const EXTENSIONS = new Set(
  'md,txt,rst,json,jsonl,ndjson,yaml,yml,toml,csv,tsv,xml,html,htm,css,scss,less,svg,png,jpg,jpeg,gif,webp,bmp,ico,pdf,docx,xlsx,pptx,odt,ods,zip,gz,tgz,tar,py,ipynb,js,mjs,cjs,ts,mts,cts,tsx,jsx,vue,svelte,sh,bash,zsh,ps1,bat,rb,go,rs,java,kt,swift,c,h,cc,cpp,hpp,cs,php,sql,lua,pl,r,ini,cfg,conf,config,env,lock,log,tex,proto,graphql,tf,gradle,sqlite,db,wasm,mmd,dot,patch,diff'.split(
    ',',
  ),
);
/** Names that end like a file but are not one in prose. */
const NOT_FILES =
  /^(?:(?:node|next|vue|react|three|d3|express|nuxt|nest|angular|ember|backbone|chart|discord|p5|alpine)\.js|e\.g|i\.e|asp\.net|socket\.io|vs\.code|(?:console|math|logger|np|torch)\.log|(?:res|resp|response|req|request|this|self|app)\.(?:json|db|config|env)|process\.env)$/i;
const HOST = /\.(?:com|org|net|io|dev|app|ai|co|edu|gov)$/i;

export function pathsIn(text: string): string[] {
  const withoutUrls = text.replace(/\b[a-z][a-z0-9+.-]*:\/\/\S+/gi, ' ');
  const found = withoutUrls.match(PATH) ?? [];
  return [...new Set(found.map(path => path.replace(/^\.\//, '').replace(/^\/+/, '')))].filter(isPath);
}

function isPath(path: string): boolean {
  if (path.startsWith('..') || NOT_FILES.test(path) || HOST.test(path.split('/')[0]!)) return false;
  return path.includes('/') || EXTENSIONS.has(path.slice(path.lastIndexOf('.') + 1).toLowerCase());
}

export const sentences = (text: string): string[] => text.split(/(?<=[.!?])\s+|\n+/);

/** The parts of criteria that stand for themselves. */
export const clausesOf = (criteria: string): string[] =>
  sentences(criteria).flatMap(sentence => sentence.split(/;|,?\s+(?:and|but)\s+/i));

const escaped = (text: string): string => text.replace(/[.*+?^${}()|[\]\\]/g, '\\$&');

/** The clause asks that the file itself be gone, not something in it. */
function asksGone(clause: string, path: string): boolean {
  const name = `[\`'"]?${escaped(path)}[\`'"]?`;
  const after = new RegExp(
    `${name}\\s+(?:file\\s+)?(?:(?:is|was|has been|have been|must be|should be|are|gets?)\\s+(?:removed|deleted|gone|absent)\\b(?!\\s+from)|(?:no longer|does not|must not|should not|doesn['’]t)\\s+exists?\\b)`,
    'i',
  );
  const before = new RegExp(
    `\\b(?:remove|delete|removes|deletes|removed|deleted)\\s+(?:the\\s+)?(?:file\\s+)?${name}`,
    'i',
  );
  return after.test(clause) || before.test(clause);
}

/** The clause is about the file: it begins with it, or says that it is there. */
function asksThere(clause: string, path: string): boolean {
  const start = clause.trim().replace(/^(?:[-*]\s+|the\s+|file\s+|a\s+|new\s+|[`'"])+/gi, '');
  return (
    start.startsWith(path) ||
    /\b(?:exists?|is created|is written|is there|present|saved (?:as|to|in)|written to)\b/i.test(clause)
  );
}

export interface CriteriaPaths {
  wanted: string[];
  unwanted: string[];
  /** Named, but not so that its absence alone would be wrong. */
  mentioned: string[];
}

/** Files that have to be there, and files that have to be gone, by the acceptance criteria. */
export function criteriaPaths(criteria: string): CriteriaPaths {
  const wanted = new Set<string>();
  const unwanted = new Set<string>();
  const mentioned = new Set<string>();
  for (const clause of clausesOf(criteria))
    for (const path of pathsIn(clause)) {
      if (asksGone(clause, path)) unwanted.add(path);
      else if (NEGATED.test(clause) || !asksThere(clause, path)) mentioned.add(path);
      else wanted.add(path);
    }
  for (const path of unwanted) wanted.delete(path);
  for (const path of [...wanted, ...unwanted]) mentioned.delete(path);
  return { wanted: [...wanted], unwanted: [...unwanted], mentioned: [...mentioned] };
}

/** One sentence that says that something was written. */
export interface ProseClaim {
  paths: string[];
  /** Those that a verb of writing is followed by: `created report.md`, not `fixed what is said of report.md`. */
  objects: string[];
  /** `was updated`: somebody did it, not necessarily this subtask. */
  passive: boolean;
}

export interface ClaimedPaths {
  /** Files of the answer's own list. */
  listed: string[];
  prose: ProseClaim[];
  /** The answer says that something was written, whether or not it names files. */
  saysWork: boolean;
}

const DID =
  /^\W*(?:(?:i|we)(?:['’]ve| have)?\s+(?:\w+ly\s+|also\s+)?)?(?:wrote|created|saved|added|updated|edited|modified|changed|fixed|implemented|refactored|renamed|rewrote|replaced|appended)\b/i;

const isObject = (sentence: string, path: string): boolean =>
  new RegExp(
    `${WRITING.source}\\s+(?:(?:the|a|an|new|also|both|existing|file|files|it|to|as|in|into)\\s+|[\`'"*])*${escaped(path)}`,
    'i',
  ).test(sentence);

/** `listed`: `deliverables_touched` of the answer's JSON. `root`: absolute paths below it are read as relative. */
export function claimedPaths(answer: string, listed: string[], root = ''): ClaimedPaths {
  const relative = (text: string): string => (root === '' ? text : text.replaceAll(`${root}/`, ''));
  const own = [...new Set(listed.map(entry => listedPath(relative(entry))))].filter(path => path !== '');
  const text = relative(answer)
    .replace(/```[\s\S]*?```/g, ' ')
    .replace(/\{[\s\S]*\}\s*$/, ' ');
  const prose: ProseClaim[] = [];
  let saysWork = own.length > 0;
  for (const sentence of sentences(text)) {
    if (!WRITING.test(sentence) || NEGATED.test(sentence) || DELETING.test(sentence)) continue;
    // What is left of absolute paths lies outside the workspace, or is a route.
    const paths = pathsIn(sentence.replace(/(?<![\w.])\/[\w@./-]+/g, ' '));
    if (paths.length > 0)
      prose.push({
        paths,
        objects: paths.filter(path => isObject(sentence, path)),
        passive: PASSIVE.test(sentence),
      });
    if (paths.length > 0 || DID.test(sentence)) saysWork = true;
  }
  return { listed: own, prose, saysWork };
}

/** `report.md (new)` is report.md; patterns and descriptions are not paths. */
function listedPath(entry: string): string {
  const path = entry.trim().replace(/^`|`$/g, '').replace(/^\.\//, '');
  if (/[*{]/.test(path) || path.startsWith('/')) return '';
  if (!/\s/.test(path)) return path;
  const named = pathsIn(path);
  return named.length === 1 ? named[0]! : path.includes('/') || /\.\w{1,8}$/.test(path) ? path : '';
}
