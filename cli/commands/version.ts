/** `loom version` */

import { print } from '../context.ts';
import { EXIT } from '../failure.ts';
import type { Run } from '../run-command.ts';
import { VERSION } from '../version.ts';

export const command: Run = async context => {
  print(context, { name: 'loom', version: VERSION }, () => `loom ${VERSION}`);
  return EXIT.ok;
};
