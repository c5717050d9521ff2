/** The pages of `docs/charts/`: one per machine and one that lists them. Generated; a test fails when they are stale. */
import { chartOf, machineNames, machinesStartedBy, sentenceOf } from './machines.ts';
import { mermaid } from './mermaid.ts';

const capital = (text: string): string => `${text[0]?.toUpperCase() ?? ''}${text.slice(1)}`;
const NOTE = 'Drawn by `npm run charts` from the machine itself; do not edit.';

function page(name: string): string {
  const chart = chartOf(name)!;
  const inside = machinesStartedBy(chart).map(other => `[${other}](${other}.md)`);
  return [
    `# ${capital(name)}`,
    `${capital(sentenceOf(name))}.${inside.length > 0 ? ` It starts ${inside.join(' and ')}.` : ''}`,
    `\`\`\`mermaid\n${mermaid([{ title: name, chart }])}\`\`\``,
    `Code: [machines/${name}.ts](../../machines/${name}.ts). In a terminal: \`loom chart ${name}\`. ${NOTE}`,
  ].join('\n\n');
}

/** File name → text. */
export function chartDocuments(): Record<string, string> {
  const names = machineNames();
  const list = names.map(name => `- [${name}](${name}.md): ${sentenceOf(name)}.`);
  const index = [
    '# Charts',
    'Every decision of Loom is a transition of one of these machines.',
    list.join('\n'),
    `On an arrow stand its event, its [guard] and its / actions; \`⚙\` is work that runs while the state is active. \`loom chart ID --active\` shows where a run stands. ${NOTE}`,
  ].join('\n\n');
  return {
    'README.md': `${index}\n`,
    ...Object.fromEntries(names.map(name => [`${name}.md`, `${page(name)}\n`])),
  };
}
