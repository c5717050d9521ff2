/** The child process behind `fake-process.ts`: starts one server, answers questions over IPC. */
import { readFileSync } from 'node:fs';
import { type FakeKind, startFakeServer } from './fake-server.ts';

const { kind, scenario, options, port } = JSON.parse(readFileSync(process.argv[2] ?? '', 'utf8')) as {
  kind: FakeKind;
  scenario: string;
  options: object;
  port: number;
};
const server = await startFakeServer(kind, scenario, options, port);
process.send?.({ url: server.url });
process.on('message', () => process.send?.({ requests: server.requests, cpu: process.cpuUsage() }));
// The parent is gone: nobody needs this server any more.
process.on('disconnect', () => process.exit(0));
