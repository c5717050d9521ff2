/** The library: `import { openLoom } from 'loom-harness'`. */

export { type Failure, LoomError } from '../machines/failure.ts';
export type { Config } from '../store/config.ts';
export { openLoom } from './engine.ts';
export type * from './loom.ts';
