/** The version, put in by the build; from source it is only known to be a checkout. */
declare const LOOM_VERSION: string | undefined;

export const VERSION: string = typeof LOOM_VERSION === 'string' ? LOOM_VERSION : '0.0.0-source';
