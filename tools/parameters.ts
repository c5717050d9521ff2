/** Schemas that many tools share, so that one limit holds everywhere. */

/** Longest path that any system takes, in characters. */
const MAX_PATH = 4_096;

/** A path of the workspace. List the parameter under `paths`, too. */
export const PATH = { type: 'string', maxLength: MAX_PATH } as const;

/** A folder to look in, the whole workspace unless given. */
export const FOLDER = { type: 'string', maxLength: MAX_PATH, default: '.' } as const;

/** Contents of one file, in characters. */
export const CONTENT = { type: 'string', maxLength: 8 * 1024 * 1024 } as const;

/** A pattern to search for. */
export const PATTERN = { type: 'string', minLength: 1, maxLength: 2_000 } as const;
