import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { Logger } from 'pino';
import { createDiskBlobStore } from './blob/disk/store.ts';
import type { BlobStore } from './blob/ports.ts';
import { readConfig, type Config } from './config.ts';
import { systemClock, type Clock } from './domain/clock.ts';
import { createLogger } from './logger.ts';
import { openKeyRing, type InstallationKey } from './secret/key-ring.ts';
import type { Store } from './store/ports.ts';
import { usualOutputLimit } from './store/output-limit.ts';
import { createRedisStore } from './store/redis/store.ts';
import { trustInstallation } from './tls/trust.ts';
import { createArchive, type Archive } from './worker/archive.ts';

/** What every process of an installation opens first: its configuration, its key, its files, its store. */
export interface Installation {
  readonly config: Config;
  readonly logger: Logger;
  readonly clock: Clock;
  readonly key: InstallationKey;
  /** How the queues are reached. */
  readonly bull: { readonly url: string; readonly prefix: string };
  /** Uploaded contexts and archived logs. */
  readonly storage: BlobStore;
  readonly store: Store;
  readonly archive: Archive;
}

/** The largest archived log that is read back. */
const archiveBytes = 256 * 1024 * 1024;

/** Opens the installation for a process. Rejects with a FailureError when the configuration is wrong or Redis cannot be reached. */
export async function openInstallation(role: string): Promise<Installation> {
  const config = readConfig();
  trustInstallation(config.trust);
  const logger = createLogger(config, role);
  const clock = systemClock;
  await mkdir(config.dataDir, { recursive: true, mode: 0o700 });
  const key = await openKeyRing(config.key, join(config.dataDir, 'key'));
  const { prefix } = config.redis;
  const bull = { url: config.redis.url ?? 'redis://127.0.0.1:6379', prefix };
  const storage = await createDiskBlobStore(join(config.dataDir, 'storage'), () => clock.now());
  const store = await createRedisStore({
    ...bull,
    clock,
    logger,
    outputLimit: { ...usualOutputLimit, bytes: config.runLogBytes },
  });
  const archiveStorage = {
    put: async (name: string, bytes: Buffer) => {
      await storage.put(name, bytes);
    },
    get: (name: string) => storage.readSmall(name, archiveBytes),
    delete: (name: string) => storage.delete(name),
  };
  return { config, logger, clock, key, bull, storage, store, archive: createArchive(archiveStorage, store.events) };
}

/** Calls `close` on the first SIGTERM or SIGINT, then ends the process; a second signal ends it at once. */
export function closeOnSignal(logger: Logger, close: () => Promise<void>): void {
  let isClosing = false;
  const onSignal = (signal: NodeJS.Signals): void => {
    if (isClosing) process.exit(1);
    isClosing = true;
    logger.info({ signal }, 'closing');
    close().then(
      () => process.exit(0),
      (error: unknown) => {
        logger.error({ err: error }, 'closing failed');
        process.exit(1);
      },
    );
  };
  process.on('SIGTERM', onSignal);
  process.on('SIGINT', onSignal);
}
