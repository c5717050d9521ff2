/** The configuration in force: loaded once, completed by what is found on this machine when it names no model. */
import { LoomError } from '../machines/failure.ts';
import type { Config } from '../store/config.ts';
import { defaultConfig, loadConfig } from '../store/load-config.ts';
import { homePath } from './home.ts';
import type { ConfigReport, OpenOptions } from './loom.ts';

interface Present {
  env: NodeJS.ProcessEnv;
  notice: (line: string) => void;
}

export interface Settings {
  /** For what acts by them. Throws the LoomError that made a file unreadable. */
  needed(): Config;
  /** For what only looks at stored runs or sends them commands: an unreadable file is told once, and the defaults count. */
  known(): Config;
  /** Why the file that was found cannot be used; null when it can. */
  readonly problem: LoomError | null;
  replace(config: Config): void;
}

/** Throws LoomError `config` only for a file that was named; one that was found must not keep anybody from their runs. */
export async function openSettings(options: OpenOptions & Present & { home: string }): Promise<Settings> {
  if (typeof options.config === 'object') return settingsOf(options.config, null, options.notice);
  try {
    const { config, warnings } = await loadConfig({
      cwd: options.workspace ?? process.cwd(),
      home: options.home,
      env: options.env,
      ...(options.config === undefined ? {} : { config: options.config }),
      ...(options.model === undefined ? {} : { model: options.model }),
    });
    for (const warning of warnings) options.notice(warning);
    return settingsOf(config, null, options.notice);
  } catch (error) {
    if (!(error instanceof LoomError) || options.config !== undefined) throw error;
    return settingsOf(defaultConfig(options.env), error, options.notice);
  }
}

function settingsOf(loaded: Config, problem: LoomError | null, notice: (line: string) => void): Settings {
  let config = loaded;
  let told = problem === null;
  return {
    problem,
    needed() {
      if (problem) throw problem;
      return config;
    },
    known() {
      if (problem && !told) notice(`${problem.message.split('\n')[0]} Going on with the defaults.`);
      told = true;
      return config;
    },
    replace(next) {
      config = next;
    },
  };
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
    `No model is configured${model ? ` (and so none is called "${model}")` : ''}, and ${found.lines[0] ?? 'none was found on this machine'}. Start Ollama (ollama serve) and pull a model, or write [models.main] into loom.toml; \`loom setup\` does that for you.`,
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
