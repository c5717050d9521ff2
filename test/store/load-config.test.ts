/** loom.toml: where it is found, what it means, and what a person is told when it is wrong. */

import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type LoadOptions, loadConfig, preferModel } from '../../store/load-config.ts';

let root: string;
let cwd: string;
let home: string;
beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), 'loom-config-'));
  cwd = join(root, 'project');
  home = join(root, 'home');
  await mkdir(cwd);
  await mkdir(home);
});
afterEach(() => rm(root, { recursive: true, force: true }));

const load = (options: Partial<LoadOptions> = {}) => loadConfig({ cwd, home, env: {}, ...options });
async function loadText(text: string, options: Partial<LoadOptions> = {}) {
  await writeFile(join(cwd, 'loom.toml'), text);
  return load(options);
}
const refused = (promise: Promise<unknown>): Promise<{ code: string; message: string }> =>
  promise.then(
    () => ({ code: 'accepted', message: '' }),
    error => ({ code: error.failure?.code, message: error.message }),
  );
const model = (rest: string, alias = 'm') => `[models.${alias}]\nprovider = "ollama"\nmodel = "x"\n${rest}\n`;

describe('without a file', () => {
  it('every key has its default', async () => {
    const { config, warnings } = await load();
    expect(warnings).toEqual([]);
    expect(config).toEqual({
      source: null,
      models: {},
      execution: {
        max_subtask_retries: 3,
        max_loop_iterations: 50,
        max_parallel_subtasks: 3,
        max_task_replans: 3,
        max_task_wall_clock_seconds: 0,
        max_task_total_tokens: 0,
        max_task_model_invocations: 0,
        max_task_tool_calls: 0,
        max_task_cost_usd: 0,
        max_subtask_total_tokens: 0,
        max_subtask_model_invocations: 0,
        max_subtask_tool_calls: 0,
        max_subtask_cost_usd: 0,
        max_subtask_work_seconds: 0,
        delegate_task_timeout_seconds: 3600,
        planner_degraded_mode: 'allow',
        model_call_max_attempts: 5,
        model_call_retry_base_delay_seconds: 0.5,
        model_call_retry_max_delay_seconds: 8,
        model_call_retry_jitter_seconds: 0.25,
      },
      limits: {
        planning_response_max_tokens: 16_384,
        runner: {
          max_tool_iterations: 20,
          max_subtask_wall_clock_seconds: 1200,
          default_tool_result_output_chars: 4000,
          max_state_summary_chars: 480,
          extractor_timeout_guard_seconds: 20,
          extractor_tool_args_max_chars: 260,
          extractor_tool_trace_max_chars: 3600,
          extractor_prompt_max_chars: 9000,
          enable_artifact_telemetry_events: true,
          artifact_telemetry_max_metadata_chars: 1200,
          ingest_artifact_retention_max_age_days: 14,
          ingest_artifact_retention_max_files_per_scope: 96,
          ingest_artifact_retention_max_bytes_per_scope: 268_435_456,
        },
        verifier: { max_verifier_prompt_tokens: 12_000 },
      },
      verification: {
        tier1_enabled: true,
        tier2_enabled: true,
        tier3_enabled: false,
        tier3_vote_count: 3,
        allow_partial_verified: true,
        remediation_mode: 'auto',
        confirm_or_prune_max_attempts: 2,
        confirm_or_prune_backoff_seconds: 2,
        remediation_queue_max_attempts: 3,
        remediation_queue_backoff_seconds: 2,
        remediation_queue_max_backoff_seconds: 30,
        remediation_queue_ttl_seconds: 21_600,
      },
      approval: { mode: 'auto', allow: [], deny: [], confidence_threshold: 0.8 },
      tools: {
        shell: { sandbox: 'auto', timeout_seconds: 120 },
        web: { user_agent: '', timeout_seconds: 30, requests_per_second: 2, cache_seconds: 300 },
        search: {
          engine: 'auto',
          searxng_url: '',
          brave_api_key: 'env:BRAVE_API_KEY',
          tavily_api_key: 'env:TAVILY_API_KEY',
        },
      },
      store: { min_free_mb: 256 },
      retention: { days: 90, max_mb: 2048 },
    });
  });
});

describe('the search', () => {
  const set = (path: string, retries: number) =>
    writeFile(path, `[execution]\nmax_subtask_retries = ${retries}\n`);

  it('takes --config, then the current folder, then the home, and merges nothing', async () => {
    await set(join(home, 'loom.toml'), 1);
    expect((await load()).config).toMatchObject({
      source: join(home, 'loom.toml'),
      execution: { max_subtask_retries: 1 },
    });
    await writeFile(join(cwd, 'loom.toml'), '[store]\nmin_free_mb = 0\n');
    expect((await load()).config).toMatchObject({
      source: join(cwd, 'loom.toml'),
      execution: { max_subtask_retries: 3 },
      store: { min_free_mb: 0 },
    });
    await set(join(root, 'other.toml'), 7);
    expect((await load({ config: '../other.toml' })).config).toMatchObject({
      source: join(root, 'other.toml'),
      execution: { max_subtask_retries: 7 },
      store: { min_free_mb: 256 },
    });
  });

  it('refuses a named file that does not exist, and a found one that cannot be read', async () => {
    expect(await refused(load({ config: 'nope.toml' }))).toMatchObject({
      code: 'config',
      message: expect.stringContaining(join(cwd, 'nope.toml')),
    });
    await mkdir(join(cwd, 'loom.toml'));
    expect(await refused(load())).toMatchObject({
      code: 'config',
      message: expect.stringContaining('cannot be read'),
    });
  });
});

describe('what is wrong', () => {
  it.each([
    [
      'a text for a number',
      '[execution]\n\nmax_subtask_retries = "3"',
      'loom.toml:3: execution.max_subtask_retries must be a whole number from 0 to 1000, not "3"',
    ],
    [
      'a fraction for a count',
      '[execution]\nmax_parallel_subtasks = 2.5',
      'loom.toml:2: execution.max_parallel_subtasks must be a whole number from 1 to 64, not 2.5',
    ],
    ['too many', '[execution]\nmax_parallel_subtasks = 65', 'from 1 to 64, not 65'],
    ['too few', '[execution]\nmax_parallel_subtasks = 0', 'from 1 to 64, not 0'],
    ['nan', '[store]\nmin_free_mb = nan', 'loom.toml:2: store.min_free_mb must be a number 0 or more'],
    [
      'a number for a switch',
      '[verification]\ntier1_enabled = 1',
      'loom.toml:2: verification.tier1_enabled must be true or false, not 1',
    ],
    [
      'a word that is no choice',
      '[approval]\nmode = "yolo"',
      'approval.mode must be one of "auto", "manual", "confidence_threshold", not "yolo"',
    ],
    [
      'a rule that is none',
      '[approval]\nallow = ["rm -rf"]',
      'approval.allow must be a list of rules such as',
    ],
    ['a value for a section', 'execution = 3', 'loom.toml:1: execution must be a section, [execution]'],
    [
      'a dotted key',
      'limits.runner.max_tool_iterations = 1',
      'loom.toml:1: limits.runner.max_tool_iterations must be a whole number from 4 to 60',
    ],
    [
      'a key in an inline table',
      'a = 1\ntools = { shell = { sandbox = "no" } }',
      'loom.toml:2: tools.shell.sandbox must be one of',
    ],
    [
      'a bound between keys',
      '[execution]\nmodel_call_retry_base_delay_seconds = 9',
      'must be at least model_call_retry_base_delay_seconds, 9',
    ],
    [
      'models that are no sections',
      '[models]\nprimary = "ollama"',
      'loom.toml:2: models.primary must be a section, [models.primary]',
    ],
    [
      'a model without a provider',
      '\n[models.a]\nmodel = "x"',
      'loom.toml:2: models.a.provider is missing; it must be one of "ollama"',
    ],
    [
      'a model without a name',
      '[models.a]\nprovider = "anthropic"',
      'loom.toml:1: models.a.model is missing',
    ],
    ['a script without a scenario', '[models.a]\nprovider = "scripted"', 'models.a.scenario is missing'],
    [
      'an unknown provider',
      '[models.a]\nprovider = "gpt"\nmodel = "x"',
      'loom.toml:2: models.a.provider must be one of',
    ],
    [
      'an unknown role',
      model('roles = ["boss"]'),
      'loom.toml:4: models.m.roles must be a list of roles out of "planner"',
    ],
    [
      'an address that is none',
      model('base_url = "localhost:11434"'),
      'models.m.base_url must be an address such as',
    ],
    [
      'a temperature out of range',
      model('temperature = 3.0'),
      'models.m.temperature must be a number from 0 to 2, not 3',
    ],
    [
      'a capability that is no switch',
      model('capabilities = { vision = "yes" }'),
      'loom.toml:4: models.m.capabilities.vision must be true or false',
    ],
  ])('%s is refused with file, line, key and what would be valid', async (_, text, message) => {
    const error = await refused(loadText(text));
    expect(error.code).toBe('config');
    expect(error.message).toContain(message);
    expect(error.message).toContain(cwd);
  });

  it('is all named at once', async () => {
    const { message } = await refused(
      loadText(
        '[execution]\nmax_subtask_retries = -1\nmax_loop_iterations = "x"\n[models.a]\nmodel = "x"\n[models.b]\nprovider = "gpt"',
      ),
    );
    expect(message.split('\n')).toHaveLength(4);
  });

  it.each([
    ['an unclosed text', '[execution]\nplanner_degraded_mode = "allow', 2],
    ['a key twice', 'a = 1\na = 2', 2],
    ['prose', 'please use ollama', 1],
  ])('%s is refused as broken TOML with its line, in one sentence', async (_, text, line) => {
    const { code, message } = await refused(loadText(text));
    expect(code).toBe('config');
    expect(message).toContain(`loom.toml:${line}: not valid TOML`);
    expect(message).not.toContain('\n');
  });

  it('never repeats a key', async () => {
    const { message } = await refused(loadText(model('api_key = ["sk-secret"]')));
    expect(message).toContain('models.m.api_key must be a text');
    expect(message).not.toContain('sk-secret');
  });
});

describe('what is unknown', () => {
  it.each([
    [
      'a misspelt key',
      '[execution]\nmax_subtask_retrys = 3',
      'loom.toml:2: execution.max_subtask_retrys is not a known key; did you mean execution.max_subtask_retries?',
    ],
    [
      'a misspelt section',
      '[exection]\nmax_subtask_retries = 3',
      'loom.toml:1: exection is not a known key; did you mean execution?',
    ],
    [
      'a misspelt model key',
      model('temprature = 0'),
      'loom.toml:4: models.m.temprature is not a known key; did you mean models.m.temperature?',
    ],
    ['a section of its own', '[constructor]\nx = 1', 'loom.toml:1: constructor is not a known key'],
  ])('%s is a warning and changes nothing', async (_, text, warning) => {
    const { config, warnings } = await loadText(text);
    expect(warnings).toHaveLength(1);
    expect(warnings[0]).toContain(warning);
    expect(config.execution.max_subtask_retries).toBe(3);
  });

  it('is said once for each key of existing files whose job is gone, with what replaced it', async () => {
    const { warnings } = await loadText(`
[server]
host = "127.0.0.1"
port = 9000
[memory]
database_path = "~/.loom/loom.db"
[logging]
level = "INFO"
[execution]
executor_completion_contract_mode = "off"
enable_streaming = false
[limits.runner]
max_verification_summary_chars = 8000
[limits.compactor]
target_chars_ratio = 0.82
[process]
search_paths = ["a"]
[mcp.servers.notion]
command = "npx"
[mcp.servers.notion.env]
NOTION_TOKEN = "\${NOTION_TOKEN}"
[models.m]
provider = "ollama"
model = "x"
capabilities = { native_pdf = true }
`);
    expect(warnings.map(warning => warning.split(': ')[1])).toEqual([
      'server.host has no effect',
      'server.port has no effect',
      'memory.database_path has no effect',
      'logging.level has no effect',
      'execution.executor_completion_contract_mode has no effect',
      'execution.enable_streaming has no effect',
      'limits.runner.max_verification_summary_chars has no effect',
      'limits.compactor.target_chars_ratio has no effect',
      'process.search_paths has no effect',
      'models.m.capabilities.native_pdf has no effect',
    ]);
    expect(warnings[6]).toContain(
      'loom.toml:13: limits.runner.max_verification_summary_chars has no effect: limits.verifier',
    );
  });

  it('warns about a delegate timeout that is no number', async () => {
    const { warnings } = await load({ env: { LOOM_DELEGATE_TIMEOUT_SECONDS: 'soon' } });
    expect(warnings[0]).toContain('LOOM_DELEGATE_TIMEOUT_SECONDS');
    const { config, warnings: none } = await load({ env: { LOOM_DELEGATE_TIMEOUT_SECONDS: '60' } });
    expect(none).toEqual([]);
    expect(config.execution.delegate_task_timeout_seconds).toBe(60);
  });
});

describe('models', () => {
  it('have defaults, and one alone fills every role', async () => {
    const { config } = await loadText(model('roles = "planner"'));
    expect(config.models['m']).toEqual({
      alias: 'm',
      provider: 'ollama',
      base_url: '',
      model: 'x',
      api_key: '',
      api_key_source: '',
      roles: ['planner', 'executor', 'verifier', 'extractor', 'compactor'],
      max_tokens: 8192,
      temperature: 0.1,
      context_tokens: 0,
      tier: 0,
      reasoning_effort: '',
      capabilities: {},
      price_input: null,
      price_output: null,
      scenario: '',
    });
  });

  it('take roles as a list or a text, executor when none is given', async () => {
    const { config } = await loadText(
      model('roles = ["planner", "planner"]', 'a') + model('roles = "verifier"', 'b') + model('', 'c'),
    );
    expect(Object.values(config.models).map(({ roles }) => roles)).toEqual([
      ['planner'],
      ['verifier'],
      ['executor'],
    ]);
  });

  it('know openai as another name, and a scenario relative to the file', async () => {
    const { config } = await loadText(
      '[models.a]\nprovider = "openai"\nbase_url = "http://localhost:1234"\n[models.b]\nprovider = "scripted"\nscenario = "demo.yaml"\n',
    );
    expect(config.models['a']?.provider).toBe('openai_compatible');
    expect(config.models['b']?.scenario).toBe(join(cwd, 'demo.yaml'));
  });

  it('keep prices, window, tier and capabilities', async () => {
    const { config } = await loadText(
      model(
        'price_input = 3\nprice_output = 15.0\ncontext_tokens = 200000\ntier = 3\ncapabilities = { vision = true, tools = false }',
      ),
    );
    expect(config.models['m']).toMatchObject({
      price_input: 3,
      price_output: 15,
      context_tokens: 200_000,
      tier: 3,
      capabilities: { vision: true, tools: false },
    });
  });
});

const BRACES = `\${MY_KEY}`;

describe('secrets', () => {
  const openai = (rest: string) => `[models.m]\nprovider = "openai"\n${rest}\n`;
  const anthropic = '[models.m]\nprovider = "anthropic"\nmodel = "x"\n';

  it.each([
    ['a literal', openai('api_key = "sk-1"'), {}, 'sk-1', 'models.m.api_key'],
    ['env:NAME', openai('api_key = "env:MY_KEY"'), { MY_KEY: 'sk-2' }, 'sk-2', 'env:MY_KEY'],
    ['a variable in braces', openai(`api_key = "${BRACES}"`), { MY_KEY: 'sk-3' }, 'sk-3', 'env:MY_KEY'],
    ['the usual variable of OpenAI', openai(''), { OPENAI_API_KEY: 'sk-4' }, 'sk-4', 'env:OPENAI_API_KEY'],
    [
      'the same with its address',
      openai('base_url = "https://api.openai.com/v1"'),
      { OPENAI_API_KEY: 'sk-5' },
      'sk-5',
      'env:OPENAI_API_KEY',
    ],
    [
      'no OpenAI key for another server',
      openai('base_url = "https://example.org/v1"'),
      { OPENAI_API_KEY: 'sk-6' },
      '',
      '',
    ],
    [
      'no OpenAI key for a lookalike',
      openai('base_url = "https://api.openai.com.example.org"'),
      { OPENAI_API_KEY: 'sk-7' },
      '',
      '',
    ],
    [
      'the usual variable of Anthropic',
      anthropic,
      { ANTHROPIC_API_KEY: 'sk-8' },
      'sk-8',
      'env:ANTHROPIC_API_KEY',
    ],
    ['none for Ollama', model(''), { OPENAI_API_KEY: 'sk-9', ANTHROPIC_API_KEY: 'sk-9' }, '', ''],
  ])('%s', async (_, text, env, api_key, api_key_source) => {
    const { config } = await loadText(text, { env });
    expect(config.models['m']).toMatchObject({ api_key, api_key_source });
  });

  it.each(['env:MY_KEY', BRACES])(
    '%s that is not set is an auth error naming the variable',
    async written => {
      const { code, message } = await refused(
        loadText(openai(`api_key = "${written}"`), { env: { MY_KEY: '' } }),
      );
      expect(code).toBe('auth');
      expect(message).toContain('environment variable MY_KEY');
    },
  );
});

describe('--model', () => {
  const two = model('roles = ["planner", "executor"]', 'big') + model('roles = ["extractor"]', 'small');

  it('gives its alias the executor role first and takes it from the others', async () => {
    const { config } = await loadText(two, { model: 'small' });
    expect(config.models['small']?.roles).toEqual(['executor', 'extractor']);
    expect(config.models['big']?.roles).toEqual(['planner']);
  });

  it('refuses an unknown alias and lists the known ones', async () => {
    const { code, message } = await refused(loadText(two, { model: 'huge' }));
    expect(code).toBe('config');
    expect(message).toContain('big, small');
    expect((await refused(loadText(two, { model: 'toString' }))).code).toBe('config');
  });

  it('waits for detection when no model is configured', async () => {
    const { config } = await load({ model: 'x' });
    expect(preferModel(config, 'x')).toEqual(config);
  });
});
