/** Takes a session up in a process of its own, and prints how long that took and what it costs in memory. */
import { readFileSync } from 'node:fs';
import { openLoom } from '../../actors/engine.ts';

const [home = '', workspace = '', id = ''] = process.argv.slice(2);
const loom = await openLoom({ home, workspace });
const begun = performance.now();
const session = await loom.openSession({ resume: id });
const history = await session.history(40);
const ms = performance.now() - begun;
const anon = Number(/RssAnon:\s+(\d+) kB/.exec(readFileSync('/proc/self/status', 'utf8'))?.[1] ?? 0);
process.stdout.write(`${JSON.stringify({ ms, anon_mb: anon / 1024, tail: history.length })}\n`);
await session.close();
await loom.close();
