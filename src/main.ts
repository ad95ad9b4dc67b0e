import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import { join } from 'node:path';
import type { Readable } from 'node:stream';
import { createDiskBlobStore } from './blob/disk/store.ts';
import { openPatchingDesk } from './compose/patching-desk.ts';
import { createRegistryLogin, isAccount } from './compose/registry-login.ts';
import { createEgress } from './egress/egress.ts';
import { createApp } from './http/app.ts';
import { contextKey, type AppOptions, type UploadSink } from './http/options.ts';
import { closeOnSignal, openInstallation, type Installation } from './installation.ts';
import { createForgeSender } from './notify/forge/send.ts';
import { createRepositorySetup } from './notify/webhook-setup/for-repository.ts';
import { createBullDeliveries } from './queue/bullmq/deliveries.ts';
import { createNotificationDesk, type NotificationDesk } from './notify/notifications/desk.ts';
import { createBullQueue } from './queue/bullmq/run-queue.ts';
import { createBullNotifications } from './queue/bullmq/notifications.ts';
import { createBullTimers } from './queue/bullmq/timers.ts';
import { createBullRunNotices } from './queue/bullmq/run-notices.ts';
import { createBullPatchQueue } from './queue/bullmq/patch.ts';
import { createBullRegistryEvents } from './queue/bullmq/registry-events.ts';
import type { NotificationQueue, RegistryEventQueue, RunQueue } from './queue/ports.ts';
import { createRegistry } from './registry/registry.ts';
import { configureServer, registryServerOptions } from './registry/server.ts';
import type { Registry } from './registry/options.ts';
import { loadAccount, parseBasic, type Account } from './secret/account.ts';
import { createSigner } from './secret/sign.ts';
import { inspectArchive } from './source/inspect.ts';
import { checkLocation } from './source/check-location.ts';
import { createTaskFollower } from './patch/learn/follow-tasks.ts';
import { createTimerUpdate } from './trigger/timer.ts';
import { stagedContextPrefix } from './worker/old-contexts.ts';

async function openRegistry(
  installation: Installation,
  account: Account,
  events: RegistryEventQueue,
): Promise<Registry> {
  const { config, clock, logger } = installation;
  return createRegistry({
    storage: await createDiskBlobStore(join(config.dataDir, 'registry'), () => clock.now()),
    authenticate: createRegistryLogin(installation, account),
    anonymousPull: config.anonymousPull,
    onEvent: (event) => events.publish(event),
    clock,
    logger,
  });
}

function createUploadSink({ storage }: Installation): UploadSink {
  return {
    async put(key, stream, signal) {
      const staged = await storage.begin(`${stagedContextPrefix}${randomUUID()}`);
      try {
        await staged.append(stream);
        signal.throwIfAborted();
        await staged.commit(key);
      } catch (error) {
        await staged.discard();
        throw error;
      }
    },
    async delete(key) {
      await storage.delete(key);
    },
  };
}

function appOptions(installation: Installation, account: Account, queue: RunQueue): AppOptions {
  const { config, key, clock, store, storage, archive, logger } = installation;
  const limits = { ...config.context, maxBytes: config.upload.maxBytes };
  return {
    config,
    store,
    queue,
    blobs: createUploadSink(installation),
    archive: { read: (id) => archive.load(id) },
    inspectUpload: async (stream: Readable, signal) => {
      await inspectArchive(stream, limits, signal);
    },
    hasUpload: async (path) => (await storage.stat(contextKey(path))) !== undefined,
    checkLocation,
    authenticate: (header) => {
      const given = parseBasic(header);
      return Promise.resolve(given && isAccount(account, given) ? { name: account.username } : undefined);
    },
    signer: createSigner(key, 'url'),
    key,
    clock,
    newId: randomUUID,
    log: logger,
    checks: {
      redis: () => store.ping(),
      storage: async () => {
        await storage.stat('readyz');
      },
    },
  };
}

function openNotifications({ config, key, clock, store }: Installation, queue: NotificationQueue): NotificationDesk {
  const egress = createEgress({ allow: config.egressAllow });
  const source = `${config.url}/api/v1`;
  const { notifications } = store;
  return createNotificationDesk({ notifications, queue, egress, key, clock, source, newId: randomUUID });
}

/** Starts the server: the registry is asked first, the API answers everything else. */
async function listen(installation: Installation, registry: Registry, options: AppOptions): Promise<Server> {
  const app = createApp(options);
  const server = createServer(registryServerOptions, (req, res) => {
    if (!registry.handle(req, res)) app(req, res);
  });
  configureServer(server, registry);
  server.listen(installation.config.listen);
  await once(server, 'listening');
  return server;
}

/** The producers' ends of all queues. */
async function openQueues({ bull, clock }: Installation) {
  return {
    queue: await createBullQueue(bull),
    events: await createBullRegistryEvents(bull),
    notices: await createBullRunNotices(bull),
    deliveries: await createBullDeliveries(bull),
    outgoing: await createBullNotifications(bull),
    patches: await createBullPatchQueue(bull),
    timers: await createBullTimers({ ...bull, clock }),
  };
}

type Queues = Awaited<ReturnType<typeof openQueues>>;

/** The parts of the API that tell others, and are told by others. */
function openExchanges(
  installation: Installation,
  { queue, notices, deliveries, outgoing, patches, timers }: Queues,
): Partial<AppOptions> {
  const { config, store } = installation;
  const { secrets: sharedSecrets, maxBytes } = config.webhook;
  const egress = createEgress({ allow: config.egressAllow });
  const setUp = createRepositorySetup(createForgeSender(egress));
  const updateTimers = createTimerUpdate(timers);
  const followTask = createTaskFollower({ baseImages: store.baseImages, queue: patches });
  return {
    notices,
    hooks: { queue: deliveries, sharedSecrets, maxBytes, setUp },
    notifications: openNotifications(installation, outgoing),
    patching: openPatchingDesk(installation, { queue, notices, patches, egress }),
    registryHook: { secrets: config.patching.hookSecrets, publish: (job) => patches.publish(job) },
    onTaskChanged: async (before, after) => {
      await Promise.all([updateTimers(before, after), followTask(before, after)]);
    },
  };
}

/** Runs API and registry until a signal comes. */
async function main(): Promise<void> {
  const installation = await openInstallation('api');
  const { config, logger } = installation;
  const account = await loadAccount(config.dataDir);
  const queues = await openQueues(installation);
  const registry = await openRegistry(installation, account, queues.events);
  const server = await listen(installation, registry, {
    ...appOptions(installation, account, queues.queue),
    ...openExchanges(installation, queues),
  });
  logger.info({ url: config.url, registry: config.registryHost, dataDir: config.dataDir }, 'listening');
  closeOnSignal(logger, async () => {
    server.close();
    setTimeout(() => {
      server.closeAllConnections();
    }, 3000).unref();
    server.closeIdleConnections();
    await once(server, 'close');
    await registry.close();
    await Promise.all([...Object.values(queues), installation.store].map((one) => one.close()));
  });
}

await main();
