/** What a command is: words and options in, exit code out. */
import type { Context } from './context.ts';
import type { Values } from './values.ts';

export type Run = (context: Context, args: string[], values: Values) => Promise<number>;
