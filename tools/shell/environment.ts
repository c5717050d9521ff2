/** What child processes see of our environment: an allow-list, so that keys and tokens stay here. */

const ALLOWED =
  /^(PATH|HOME|LANG|LC_[A-Z]+|TMPDIR|USER|LOGNAME|SHELL|TZ|NVM_DIR|NVM_BIN|VOLTA_HOME|PNPM_HOME|N_PREFIX|NODE_ENV|NODE_EXTRA_CA_CERTS|NODE_VERSION|COREPACK_HOME|npm_config_(cache|prefix|registry)|JAVA_HOME|GOPATH|GOROOT|GOFLAGS|GOCACHE|CARGO_HOME|RUSTUP_HOME|RUSTUP_TOOLCHAIN|PYENV_ROOT|PYTHONDONTWRITEBYTECODE|PYTHONUNBUFFERED|VIRTUAL_ENV|CONDA_PREFIX|GEM_HOME|RBENV_ROOT|ASDF_DIR|MISE_DATA_DIR|DOTNET_ROOT|ANDROID_HOME|SSL_CERT_FILE|SSL_CERT_DIR|GIT_SSL_CAINFO|CURL_CA_BUNDLE|REQUESTS_CA_BUNDLE|https?_proxy|HTTPS?_PROXY|no_proxy|NO_PROXY|XDG_CACHE_HOME|CI)$/;

/** A proxy address or registry may carry a password. */
const withoutPassword = (value: string): string => value.replace(/^(\w+:\/\/)[^/@]*@/, '$1');

/** Nothing may stop to ask, page or open an editor: nobody is there. */
const QUIET = {
  TERM: 'dumb',
  NO_COLOR: '1',
  PAGER: 'cat',
  GIT_PAGER: 'cat',
  GIT_EDITOR: 'true',
  GIT_SEQUENCE_EDITOR: 'true',
  EDITOR: 'true',
  VISUAL: 'true',
  GIT_TERMINAL_PROMPT: '0',
  GIT_ASKPASS: 'true',
  SSH_ASKPASS: 'true',
  GIT_SSH_COMMAND: 'ssh -oBatchMode=yes',
  DEBIAN_FRONTEND: 'noninteractive',
  PIP_NO_INPUT: '1',
};

/** @param mark found again in `/proc/<pid>/environ` of everything the command started */
export function childEnvironment(mark: string): Record<string, string> {
  const kept: Record<string, string> = {};
  for (const [name, value] of Object.entries(process.env))
    if (value !== undefined && ALLOWED.test(name)) kept[name] = withoutPassword(value);
  return { PATH: '/usr/local/bin:/usr/bin:/bin', ...kept, ...QUIET, LOOM_CALL: mark };
}
