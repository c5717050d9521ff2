/** `loom version` */
import type { Run } from '../commands.ts';
import { print } from '../context.ts';
import { EXIT } from '../failure.ts';
import { VERSION } from '../version.ts';

export const command: Run = async context => {
  print(context, { name: 'loom', version: VERSION }, () => `loom ${VERSION}`);
  return EXIT.ok;
};
