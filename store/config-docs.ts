/** docs/CONFIG.md, written from the key tables. `npm run docs` writes it; a test fails when it is stale. */

import { KEYS } from './config-keys.ts';
import { MODEL_KEYS } from './config-keys-models.ts';
import type { Rule, Rules } from './config-rules.ts';

const HEAD = `# Settings

Loom reads one file: \`--config FILE\`, else \`./loom.toml\`, else \`$LOOM_HOME/loom.toml\`; layers are not merged. Without a file everything below has its default. \`loom config show\` prints what is in effect and where it comes from, \`loom config check\` names everything that is wrong, \`loom config schema\` prints a JSON Schema for editors.

A value of the wrong type or out of bounds is refused with file, line and key; an unknown key is a warning with the nearest known one. This page is generated from the tables in \`store/config-keys*.ts\`: \`npm run docs\`.
`;

const cell = (text: string): string => text.replace(/\|/g, '\\|').replace(/</g, '&lt;');

const defaultOf = ({ fallback }: Rule): string => {
  if (fallback === null) return 'unset';
  return fallback === '' ? '' : `\`${JSON.stringify(fallback)}\``;
};

const table = (head: string[], rows: string[][]): string =>
  [head, head.map(() => '---'), ...rows].map(row => `| ${row.join(' | ')} |`).join('\n');

function section(title: string, rules: [string, Rule][]): string {
  const rows = rules.map(([key, rule]) => [
    `\`${key}\``,
    cell(rule.wanted),
    defaultOf(rule),
    cell(rule.description),
  ]);
  return `## ${title}\n\n${table(['key', 'value', 'default', 'meaning'], rows)}\n`;
}

/** Keys by the section they stand in, without its name. */
function grouped(rules: Rules): Map<string, [string, Rule][]> {
  const groups = new Map<string, [string, Rule][]>();
  for (const [key, rule] of Object.entries(rules)) {
    if (rule.replaced_by !== undefined) continue;
    const at = key.lastIndexOf('.');
    const group = groups.get(key.slice(0, at)) ?? [];
    group.push([key.slice(at + 1), rule]);
    groups.set(key.slice(0, at), group);
  }
  return groups;
}

const live = (rules: Rules): [string, Rule][] =>
  Object.entries(rules).filter(([, rule]) => rule.replaced_by === undefined);

const gone = (rules: Rules, prefix = ''): string[][] =>
  Object.entries(rules)
    .filter(([, rule]) => rule.replaced_by !== undefined)
    .map(([key, rule]) => [`\`${prefix}${key}\``, cell(rule.replaced_by!)]);

export function configDocs(): string {
  const sections = [...grouped(KEYS)].map(([name, rules]) => section(`\`[${name}]\``, rules));
  return [
    HEAD,
    section('`[models.NAME]`', live(MODEL_KEYS)),
    ...sections,
    `## Keys without effect\n\nKnown from other files and checked, so that such a file goes on working; each is mentioned once when it is read.\n\n${table(['key', 'instead'], [...gone(KEYS), ...gone(MODEL_KEYS, 'models.NAME.')])}\n`,
  ].join('\n');
}
