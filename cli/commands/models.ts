/** `loom models [--check]` */
import type { ModelReport } from '../../actors/loom.ts';
import { type Context, print } from '../context.ts';
import { EXIT } from '../failure.ts';
import { oneLine } from '../render/width.ts';
import { mark } from '../render/words.ts';
import type { Run } from '../run-command.ts';

export const command: Run = async (context, _args, values) => {
  const loom = await context.loom();
  const models = await loom.models(values.flag('check') ? { check: true } : {});
  print(context, models, () =>
    models.length > 0
      ? models.map(model => text(context, model)).join('\n')
      : 'No models. Add one to loom.toml (see README), or start Ollama.',
  );
  const bad = models.filter(model => model.ok === false);
  if (bad.length === 0) return EXIT.ok;
  return bad.some(model => model.error?.code === 'auth') ? EXIT.auth : EXIT.no_model;
};

function text({ paint: { out: paint } }: Context, model: ModelReport): string {
  const sign = model.ok === undefined ? ' ' : mark(model.ok ? 'done' : 'failed', paint);
  const checked = [
    ...(model.window ? [`window ${model.window}`] : []),
    ...(model.latency_ms === undefined ? [] : [`${Math.round(model.latency_ms)} ms`]),
  ];
  const lines = [
    `${sign} ${paint.bold(oneLine(model.alias))}  ${oneLine(model.model)}  ${paint.dim(`${model.provider} ${oneLine(model.base_url)}`)}`,
    `    ${[`roles ${model.roles.join(', ') || 'none'}`, `tier ${model.tier}`, ...checked].join(' · ')}`,
    ...(model.error ? [`    ${paint.red(oneLine(model.error.message))}`] : []),
  ];
  return lines.join('\n');
}
