import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { openRegistryStorage } from '../../src/compose/registry-storage.ts';
import type { BucketSettings } from '../../src/config/registry-storage.ts';
import { systemClock } from '../../src/domain/clock.ts';
import type { Installation } from '../../src/installation.ts';
import { createRegistry } from '../../src/registry/registry.ts';
import { configureServer, registryServerOptions } from '../../src/registry/server.ts';

/** What a process is told, as JSON in its argument. */
export interface ProcessSettings {
  readonly dataDir: string;
  readonly redis: string;
  readonly s3?: BucketSettings;
  /** Base64 of the installation's key. */
  readonly key: string;
  /** Takes no events. */
  readonly isDeaf?: boolean;
  /** Entries after which it writes a snapshot. */
  readonly entries?: number;
}

/** A registry that shares its store; prints its port, and the events that it was told of, one JSON document a line. */
async function serve({ dataDir, redis, s3, key, isDeaf, entries }: ProcessSettings): Promise<void> {
  const given = await openRegistryStorage({
    config: { dataDir, registryStorage: { isShared: true, s3 } } as unknown as Installation['config'],
    clock: systemClock,
    bull: { url: redis, prefix: 'test' },
  });
  const say = (line: object): void => void process.stdout.write(`${JSON.stringify(line)}\n`);
  const registry = await createRegistry({
    ...given,
    key: Buffer.from(key, 'base64'),
    authenticate: (name, password) => (password === 'secret' ? { name, may: () => true } : undefined),
    anonymousPull: false,
    onEvent: (event) => {
      if (isDeaf === true) throw new Error('deaf');
      say({ event });
    },
    clock: systemClock,
    limits: { eventTakeoverMs: 1500, ...(entries !== undefined && { snapshotEntries: entries }) },
    logger: {
      warn: () => undefined,
      error: (details, message) => {
        say({ error: message, details: String((details as { err?: Error }).err?.stack) });
      },
    },
  });
  const server = createServer(registryServerOptions, (req, res) => {
    if (!registry.handle(req, res)) res.writeHead(418).end();
  });
  configureServer(server, registry);
  server.listen(0, '127.0.0.1', () => {
    say({ port: (server.address() as AddressInfo).port });
  });
}

const [settings] = process.argv.slice(2);
if (settings !== undefined && import.meta.filename === process.argv[1])
  await serve(JSON.parse(settings) as ProcessSettings);
