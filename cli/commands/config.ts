/** `loom config show · check · schema` */
import type { ConfigReport, OpenOptions } from '../../actors/loom.ts';
import { type Context, print } from '../context.ts';
import { EXIT, UsageError } from '../failure.ts';
import { nearest } from '../nearest.ts';
import { oneLine, pad } from '../render/width.ts';
import { count, mark } from '../render/words.ts';
import type { Run } from '../run-command.ts';

const ACTIONS = ['show', 'check', 'schema'];

export const command: Run = async (context, [action = ''], values) => {
  const { configSchema, examineConfig } = await import('../../actors/engine.ts');
  if (action === 'schema') {
    const schema = await configSchema();
    print(context, schema, () => JSON.stringify(schema, null, 2));
    return EXIT.ok;
  }
  if (!ACTIONS.includes(action)) {
    const near = nearest(action, ACTIONS);
    throw new UsageError(
      `loom config knows ${ACTIONS.join(', ')}, not "${action}"${near ? `; did you mean ${near}?` : ''}`,
    );
  }
  const report = await examineConfig(options(context, values.text('config')));
  if (action === 'show') print(context, report, () => settings(context, report));
  else print(context, checked(report), () => findings(context, report));
  // What `check` prints as its result is a side remark of `show`.
  if (action === 'show' && context.output === 'text')
    for (const problem of report.problems)
      context.notices.told(`${place(report, problem)}: ${problem.message}`);
  return report.problems.length > 0 ? EXIT.usage : EXIT.ok;
};

const options = ({ io, workspace }: Context, config: string | undefined): OpenOptions => ({
  workspace: workspace ?? io.cwd,
  env: io.env,
  ...(config === undefined ? {} : { config }),
});

const checked = ({ source, problems, warnings }: ConfigReport) => ({
  source,
  ok: problems.length === 0,
  problems: problems.map(problem => ({ file: source, ...problem })),
  warnings: warnings.map(warning => ({ file: source, ...warning })),
});

const place = ({ source }: ConfigReport, { line }: { line: number | null }): string =>
  line === null ? (source ?? 'defaults') : `${source}:${line}`;

function settings({ paint: { out: paint } }: Context, report: ConfigReport): string {
  const widest = Math.max(...report.settings.map(({ key }) => key.length));
  return report.settings
    .map(({ key, value, source, line, replaced_by }) => {
      const from = line === null ? source : `${source}:${line}`;
      const effect = replaced_by === undefined ? '' : `, no effect: ${replaced_by}`;
      return `${pad(key, widest)}  ${oneLine(JSON.stringify(value))}  ${paint.dim(oneLine(from + effect))}`;
    })
    .join('\n');
}

function findings({ paint: { out: paint } }: Context, report: ConfigReport): string {
  const { source, problems, warnings } = report;
  const lines = (found: ConfigReport['problems']): string[] =>
    found.map(finding => `  ${oneLine(`${place(report, finding)}: ${finding.message}`)}`);
  const good = problems.length === 0;
  const told = warnings.length > 0 ? `, ${count(warnings.length, 'warning')}` : '';
  return [
    `${mark(good ? 'done' : 'failed', paint)} ${oneLine(source ?? 'no loom.toml found, defaults hold')}: ${good ? 'no problems' : count(problems.length, 'problem')}${told}`,
    ...lines(problems),
    ...(problems.length > 0 && warnings.length > 0 ? ['warnings:'] : []),
    ...lines(warnings),
  ].join('\n');
}
