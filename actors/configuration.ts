/** The configuration in force: loaded once, completed by what is found on this machine when it names no model. */
import { LoomError } from '../machines/failure.ts';
import type { Config } from '../store/config.ts';
import { loadConfig } from '../store/load-config.ts';
import { homePath } from './home.ts';
import type { ConfigReport, OpenOptions } from './loom.ts';

interface Present {
  env: NodeJS.ProcessEnv;
  notice: (line: string) => void;
}

export async function loadPresentConfig(options: OpenOptions & Present & { home: string }): Promise<Config> {
  if (typeof options.config === 'object') return options.config;
  const { config, warnings } = await loadConfig({
    cwd: options.workspace ?? process.cwd(),
    home: options.home,
    env: options.env,
    ...(options.config === undefined ? {} : { config: options.config }),
    ...(options.model === undefined ? {} : { model: options.model }),
  });
  for (const warning of warnings) options.notice(warning);
  return config;
}

/** A configuration with at least one model: as it is, or with what answers on this machine. Throws LoomError `no_model`. */
export async function needModels(
  config: Config,
  { env, notice, signal, model }: Present & { signal: AbortSignal; model?: string },
): Promise<Config> {
  if (Object.keys(config.models).length > 0) return config;
  const { detectModels } = await import('./models/detect.ts');
  const found = await detectModels({ env, signal });
  if (found.models.length > 0 || found.cloud.length > 0) for (const line of found.lines) notice(line);
  if (found.models.length > 0)
    return { ...config, models: Object.fromEntries(found.models.map(entry => [entry.alias, entry])) };
  const [cloud] = found.cloud;
  if (cloud) {
    notice(
      `No local model answers; using ${cloud.provider} (${cloud.model}) with the key from ${cloud.api_key_source.replace('env:', '')}. What you give Loom is sent there.`,
    );
    return { ...config, models: { [cloud.alias]: cloud } };
  }
  throw new LoomError(
    'terminal',
    'no_model',
    `No model is configured${model ? ` (and so none is called "${model}")` : ''}, and ${found.lines[0] ?? 'none was found on this machine'}. Start Ollama (ollama serve) and pull a model, or write [models.main] into loom.toml.`,
  );
}

/** The configuration as it would be read, with everything that is wrong at once. Throws LoomError `config` when the file
 *  cannot be read or is no TOML. */
export async function examineConfig(options: OpenOptions = {}): Promise<ConfigReport> {
  const { reportConfig } = await import('../store/config-report.ts');
  const env = options.env ?? process.env;
  return reportConfig({
    cwd: options.workspace ?? process.cwd(),
    home: homePath(options.home, env),
    env,
    ...(typeof options.config === 'string' ? { config: options.config } : {}),
  });
}

/** JSON Schema of loom.toml, for editors. */
export async function configSchema(): Promise<Record<string, unknown>> {
  const report = await import('../store/config-report.ts');
  return report.configSchema();
}
