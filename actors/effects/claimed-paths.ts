/** Which files an answer claims to have written and which files criteria speak of. Pure text work, cautious both ways:
 *  a token counts as a path only when it looks like one, a sentence as a claim only when it says so in the past tense. */

/** `src/a.ts`, `report.md`, `./x/y.json`; no URLs, no version numbers, no `e.g.`. */
const PATH =
  /(?<![\w/:.@-])(?:\.{0,2}\/)?(?:[\w@-][\w@.-]*\/)*[\w@-][\w@.-]*\.[A-Za-z][A-Za-z0-9]{0,7}(?![\w/(])/g;
const WRITING =
  /\b(?:wrote|written|created|saved|generated|produced|added|updated|edited|modified|changed|fixed|implemented|refactored|renamed|rewrote|replaced|appended|put|stored)\b/i;
const DELETING = /\b(?:deleted|removed|dropped)\b/i;
const NEGATED = /\b(?:not|never|no|without|could ?n[o']t|unable|failed to|instead of)\b/i;
const GONE = /\b(?:removed|deleted|no longer|must not exist|does not exist|is gone|absent|not exist)\b/i;
/** Names that end like a file but are not one in prose. */
const NOT_FILES = new Set([
  'e.g',
  'i.e',
  'node.js',
  'next.js',
  'vue.js',
  'react.js',
  'three.js',
  'd3.js',
  'asp.net',
  'etc.',
  'socket.io',
  'vs.code',
]);

export function pathsIn(text: string): string[] {
  const withoutUrls = text.replace(/\b[a-z][a-z0-9+.-]*:\/\/\S+/gi, ' ');
  const found = withoutUrls.match(PATH) ?? [];
  return [...new Set(found.map(path => path.replace(/^\.\//, '').replace(/^\/+/, '')))].filter(
    path => !NOT_FILES.has(path.toLowerCase()) && !path.startsWith('..'),
  );
}

const sentences = (text: string): string[] => text.split(/(?<=[.!?])\s+|\n+/);

/** Files that have to be there, and files that have to be gone, by the acceptance criteria. */
export function criteriaPaths(criteria: string): { wanted: string[]; unwanted: string[] } {
  const wanted = new Set<string>();
  const unwanted = new Set<string>();
  for (const sentence of sentences(criteria)) {
    const clauses = sentence.split(/;|,?\s+(?:and|but)\s+/i);
    for (const clause of clauses)
      for (const path of pathsIn(clause)) (GONE.test(clause) ? unwanted : wanted).add(path);
  }
  for (const path of unwanted) wanted.delete(path);
  return { wanted: [...wanted], unwanted: [...unwanted] };
}

export interface ClaimedPaths {
  /** Files the answer says it wrote or changed. */
  touched: string[];
  /** The answer says that something was written, whether or not it names files. */
  claimsWriting: boolean;
}

/** `listed`: `deliverables_touched` of the answer's JSON. */
export function claimedPaths(answer: string, listed: string[]): ClaimedPaths {
  const prose = answer.replace(/```[\s\S]*?```/g, ' ').replace(/\{[\s\S]*\}\s*$/, ' ');
  const touched = new Set(listed.map(path => path.replace(/^\.\//, '')));
  let claimsWriting = touched.size > 0;
  for (const sentence of sentences(prose)) {
    if (!WRITING.test(sentence) || NEGATED.test(sentence) || DELETING.test(sentence)) continue;
    const paths = pathsIn(sentence);
    for (const path of paths) touched.add(path);
    if (paths.length > 0) claimsWriting = true;
  }
  return { touched: [...touched], claimsWriting };
}
