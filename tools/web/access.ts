/** What the web tools are given: the client, whom it may reach by the user's rules, and where to search. Types only. */

export interface WebSettings {
  user_agent: string;
  /** Limit of one request with its redirects and repeats. */
  timeout_seconds: number;
  /** To one host; 0 is no limit. */
  requests_per_second: number;
  /** How long an answer is used again that says nothing about it itself. */
  cache_seconds: number;
}

/** What a request may reach, by the word of the user's rules. */
interface Reach {
  /** Local servers the user has opened, by `host:port`. */
  local(subject: string): boolean;
  /** Whether a redirect may be followed to another host. */
  follow(subject: string): boolean;
}

export interface FetchOptions extends Reach {
  signal: AbortSignal;
  method?: 'GET' | 'POST';
  headers?: Record<string, string>;
  body?: string;
  /** Most redirects followed; 0 hands the redirect back. */
  redirects?: number;
}

export interface Fetched {
  /** Where the answer came from, after redirects. */
  url: string;
  status: number;
  /** Lower-case names; of several values the first. */
  headers: Record<string, string>;
  bytes: Buffer;
  /** There was more than the limit for text. */
  truncated: boolean;
  /** Hosts that were asked, in order. */
  hosts: string[];
  cached: boolean;
}

export interface WebClient {
  /**
   * Any answer of the server is a result, whatever its status.
   * @throws LoomError `address_refused`, `redirect_needs_approval`, `too_many_redirects`, `too_large`, `timeout`, `connection`,
   * `bad_certificate`, `bad_response`
   */
  fetch(url: string, options: FetchOptions): Promise<Fetched>;
  close(): Promise<void>;
}

export type SearchEngineName = 'duckduckgo' | 'searxng' | 'brave' | 'tavily';

export interface SearchSettings {
  /** `auto`: those that are set up, DuckDuckGo last. */
  engine: SearchEngineName | 'auto';
  /** '' where there is none. */
  searxng_url: string;
  brave_api_key: string;
  tavily_api_key: string;
}

export interface WebAccess extends Reach {
  client: WebClient;
  search: SearchSettings;
}
