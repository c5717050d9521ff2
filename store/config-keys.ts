/** Every key a loom.toml may have: type, bounds, default, meaning, and what replaced it when its job is gone. The check,
 *  the defaults, `loom config show|schema` and docs/CONFIG.md are all made from here. */

import { LIMIT_KEYS } from './config-keys-limits.ts';
import { WORK_KEYS } from './config-keys-work.ts';
import {
  address,
  allGone,
  callRules,
  choice,
  flag,
  gone,
  int,
  num,
  type Rules,
  text,
  textOrTexts,
  under,
  variable,
} from './config-rules.ts';

/** Everything outside `[models]`. */
export const KEYS: Rules = {
  ...WORK_KEYS,
  ...LIMIT_KEYS,
  ...under('approval', {
    mode: choice('What is asked before it is done.', 'auto', 'auto', 'manual', 'confidence_threshold'),
    allow: callRules('Calls that pass without asking.'),
    deny: callRules('Calls that are refused; wins over allow.'),
    confidence_threshold: num('Below this confidence a result is put to a person.', 0.8, 0, 1),
  }),
  ...under('tools.shell', {
    sandbox: choice('Whether shell commands run in a sandbox.', 'auto', 'auto', 'required', 'off'),
    timeout_seconds: num('Time limit of a shell command that names none, in seconds.', 120, 1, 10_800),
  }),
  ...under('tools.web', {
    user_agent: text(
      'How Loom names itself to web servers; the variable LOOM_WEB_USER_AGENT wins. Empty: Loom and its version.',
    ),
    timeout_seconds: num('Longest time of one web request, with its redirects and repeats.', 30, 1, 600),
    requests_per_second: num('Web requests to one host; 0 is no limit.', 2, 0, 1000),
    cache_seconds: int('How long a page is used again that says nothing about it itself.', 300, 0, 900),
  }),
  ...under('tools.search', {
    engine: choice(
      'Who is asked by web_search. auto: those that are set up, in the order SearXNG, Brave, Tavily, DuckDuckGo.',
      'auto',
      ...['auto', 'duckduckgo', 'searxng', 'brave', 'tavily'],
    ),
    searxng_url: address('A SearXNG server with JSON answers, in public or on this machine.'),
    brave_api_key: variable('Where the key of the Brave Search API is.', 'env:BRAVE_API_KEY'),
    tavily_api_key: variable('Where the key of Tavily is.', 'env:TAVILY_API_KEY'),
  }),
  ...under('store', { min_free_mb: num('Free space below which no new run starts; 0 is no limit.', 256, 0) }),
  ...under('retention', {
    days: int('Days a finished run is kept; 0 keeps it for ever.', 90, 0, 36_500),
    max_mb: int(
      'Megabytes all finished runs may take, the oldest go first; 0 is no limit.',
      2048,
      0,
      10_000_000,
    ),
  }),
  ...allGone(
    'Loom needs no server',
    under('server', {
      host: text('Address a server listens on.', '127.0.0.1'),
      port: int('Port a server listens on.', 9000, 0, 65_535),
    }),
  ),
  ...under('workspace', {
    default_path: gone('the current folder counts, or -w', text('Folder to work in.')),
    scratch_dir: gone("scratch files go to the system's temporary folder", text('Folder for scratch files.')),
  }),
  ...under('memory', {
    database_path: gone('the store is $LOOM_HOME/store', text('Path of the database.')),
  }),
  ...under('logging', {
    level: gone('`loom logs` has everything that happened', text('How much is logged.', 'INFO')),
    event_log_path: gone('they are in $LOOM_HOME/logs', text('Folder for event logs.')),
  }),
  ...allGone(
    'goals are planned directly, without process definitions',
    under('process', {
      default: text('Process of a run that names none.'),
      search_paths: textOrTexts('Folders with process definitions.'),
      require_rule_scope_metadata: flag('Refuse rules without a scope.', false),
      require_v2_contract: flag('Refuse definitions of version 1.', false),
    }),
  ),
  ...allGone(
    'a run works in the workspace itself',
    under('process', {
      tui_run_scoped_workspace_enabled: flag('Give each run a folder.', true),
      llm_run_folder_naming_enabled: flag('Let a model name that folder.', true),
    }),
  ),
};

/** Sections that other loaders read. */
export const FOREIGN = ['mcp'];
