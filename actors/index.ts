/** The library: `import { openLoom } from 'loom-harness'`. */
export { openLoom } from './engine.ts';
export type * from './loom.ts';
export { LoomError, type Failure } from '../machines/failure.ts';
export type { Config } from '../store/config.ts';
