/** The registry alone in a process of its own, for measuring: `registry-server <data directory>`; prints its URL. */
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { openFileJournal } from '../src/blob/disk/journal.ts';
import { createDiskBlobStore } from '../src/blob/disk/store.ts';
import { systemClock } from '../src/domain/clock.ts';
import { createRegistry } from '../src/registry/registry.ts';
import { configureServer, registryServerOptions } from '../src/registry/server.ts';

const root = process.argv[2] ?? '';
const registry = await createRegistry({
  storage: await createDiskBlobStore(root, () => systemClock.now()),
  journal: await openFileJournal(join(root, '.journal')),
  authenticate: () => ({ name: 'bench', may: () => true }),
  anonymousPull: false,
  onEvent: () => undefined,
  clock: systemClock,
});
const server = createServer(registryServerOptions, (req, res) => {
  if (!registry.handle(req, res)) res.writeHead(404).end();
});
configureServer(server, registry);
server.listen(0, '127.0.0.1', () => {
  process.stdout.write(`http://127.0.0.1:${String((server.address() as AddressInfo).port)}\n`);
});
