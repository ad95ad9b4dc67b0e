import type { Config } from '../config.ts';
import { systemClock } from '../domain/clock.ts';
import { FailureError } from '../domain/failure.ts';
import type { CheckMessage, CheckOrder } from '../domain/registry-upkeep.ts';
import { createRegistry } from '../registry/registry.ts';
import { openRegistryStorage } from './registry-storage.ts';

/**
 * Checks the registry of an installation whose server is down. A state that cannot be read is a finding.
 * @throws `conflict` when a server has the data directory.
 */
export async function* checkOffline(config: Config, order: CheckOrder): AsyncGenerator<CheckMessage> {
  const bull = { url: config.redis.url ?? 'redis://127.0.0.1:6379', prefix: config.redis.prefix };
  const opened = await openOffline(config, bull);
  if ('message' in opened) {
    const hint = 'restore the data directory from a backup';
    yield {
      is: 'finding',
      kind: 'state-unreadable',
      severity: 'error',
      where: config.dataDir,
      message: opened.message,
      hint,
    };
    const nothing = { repositories: 0, manifests: 0, tags: 0, contents: { count: 0, bytes: 0 }, read: 0, seconds: 0 };
    yield { is: 'summary', ...nothing, findings: 1, left: 1 };
    return;
  }
  try {
    yield* opened.registry.check(order);
  } finally {
    await opened.registry.close();
    await opened.release();
  }
}

type Bull = Parameters<typeof openRegistryStorage>[0]['bull'];
type Opened = { registry: Awaited<ReturnType<typeof createRegistry>>; release: () => Promise<void> };

async function openOffline(config: Config, bull: Bull): Promise<Opened | { readonly message: string }> {
  let release: (() => Promise<void>) | undefined;
  try {
    const opened = await openRegistryStorage({ config, clock: systemClock, bull });
    release = () => opened.release();
    const registry = await createRegistry({
      ...{
        storage: opened.storage,
        journal: opened.journal,
        clock: systemClock,
        anonymousPull: false,
        collection: { intervalMs: 0 },
      },
      // Events wait for the server.
      onEvent: () => Promise.reject(new Error('no server runs')),
    });
    return { registry, release };
  } catch (error) {
    await release?.();
    const isDamage = error instanceof FailureError && error.failure.reason === 'storage-unavailable';
    if (!isDamage) throw error;
    return { message: error.failure.message };
  }
}
