#!/usr/bin/env node
/** The `loom` command. Kept tiny: everything else is loaded only when something is asked of it. */
import { VERSION } from './version.ts';

const argv = process.argv.slice(2);
if (argv.length === 1 && argv[0] === '--version') process.stdout.write(`loom ${VERSION}\n`);
else await import('./start.ts').then(({ start }) => start(argv));
