/** The YAML parser in a module of its own, loaded when a scenario is read; see `http-client.ts` for why. */
export { parse } from 'yaml';
