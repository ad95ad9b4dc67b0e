import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { openFileJournal } from '../../src/blob/disk/journal.ts';
import { ownDirectory } from '../../src/blob/disk/ownership.ts';
import { createDiskBlobStore } from '../../src/blob/disk/store.ts';
import { systemClock } from '../../src/domain/clock.ts';
import type { Registry } from '../../src/registry/options.ts';
import { createRegistry } from '../../src/registry/registry.ts';
import { configureServer, registryServerOptions } from '../../src/registry/server.ts';

/**
 * A registry on a directory in a process of its own, to be killed: `registry-victim <directory> <times as JSON>`, where the times are
 * those of its collector. Prints its URL, and everything that it logs as an error. `POST /check`, `/repair` and `/collect` do what they say.
 */
const [root = '', times = '{}'] = process.argv.slice(2);
const storage = await createDiskBlobStore(root, () => systemClock.now());
await ownDirectory(root);
const registry = await createRegistry({
  storage,
  journal: await openFileJournal(join(root, '.journal'), { stepBytes: 1024 * 1024, segmentBytes: 2 * 1024 * 1024 }),
  authenticate: () => ({ name: 'tester', may: () => true }),
  anonymousPull: false,
  onEvent: () => undefined,
  clock: systemClock,
  collection: JSON.parse(times) as object,
  logger: {
    warn: () => undefined,
    error: (details, message) => {
      const why = 'err' in details && details.err instanceof Error ? details.err.stack : JSON.stringify(details);
      process.stdout.write(`error: ${message} ${String(why)}\n`);
    },
  },
});

async function keepUp(of: Registry, req: IncomingMessage, res: ServerResponse): Promise<void> {
  if (req.url === '/collect') {
    res.end(JSON.stringify(await of.collect()));
    return;
  }
  for await (const message of of.check(req.url === '/repair' ? { repair: true } : {}))
    res.write(`${JSON.stringify(message)}\n`);
  res.end();
}

const server = createServer(registryServerOptions, (req, res) => {
  if (registry.handle(req, res)) return;
  keepUp(registry, req, res).catch((error: unknown) => {
    res.destroy(error as Error);
  });
});
configureServer(server, registry);
server.listen(0, '127.0.0.1', () => {
  process.stdout.write(`http://127.0.0.1:${String((server.address() as AddressInfo).port)}\n`);
});
