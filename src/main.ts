import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import type { Readable } from 'node:stream';
import { originOf } from './compose/notifications.ts';
import { openListener } from './compose/listener.ts';
import { openPatchingDesk } from './compose/patching-desk.ts';
import { createAdminCredentialDesk } from './compose/admin-credential.ts';
import { createRemoteSources } from './compose/registry-imports.ts';
import { createRegistrySources } from './compose/registry-login.ts';
import { createSubmitDeps } from './compose/git-deliveries.ts';
import { createScans, type Scans } from './compose/scans.ts';
import { openRegistryStorage, type RegistryStorage } from './compose/registry-storage.ts';
import { createEgress } from './egress/egress.ts';
import { createApp } from './http/app.ts';
import { contextKey, type AppOptions, type UploadSink } from './http/options.ts';
import { closeOnSignal, openInstallation, type Installation } from './installation.ts';
import { createForgeSender } from './notify/forge/send.ts';
import { createRepositorySetup } from './notify/webhook-setup/for-repository.ts';
import { createBullDeliveries } from './queue/bullmq/deliveries.ts';
import { createNotificationDesk } from './notify/notifications/desk.ts';
import { createWebhookDesk } from './notify/webhooks/desk.ts';
import { createBullQueue } from './queue/bullmq/run-queue.ts';
import { createBullNotifications } from './queue/bullmq/notifications.ts';
import { createBullTimers } from './queue/bullmq/timers.ts';
import { createBullRunNotices } from './queue/bullmq/run-notices.ts';
import { createBullPatchQueue } from './queue/bullmq/patch.ts';
import { createBullRegistryEvents } from './queue/bullmq/registry-events.ts';
import type { NotificationQueue, RunQueue } from './queue/ports.ts';
import { createBaseImageCredentialDesk } from './compose/base-image-credentials.ts';
import { createFreeBytes } from './compose/free-bytes.ts';
import { createGate } from './network/gate.ts';
import { createAuditLog } from './registry/access/audit.ts';
import { createRegistry } from './registry/registry.ts';
import type { Registry, RegistryOptions } from './registry/options.ts';
import { parseBasic } from './secret/account.ts';
import { findPassword, openAccount, type AccountKeeper } from './secret/account-keeper.ts';
import { createSigner } from './secret/sign.ts';
import { inspectArchive } from './source/inspect.ts';
import { checkLocation } from './source/check-location.ts';
import { createTaskFollower } from './patch/learn/follow-tasks.ts';
import { createTimerUpdate } from './trigger/timer.ts';
import { markLeftFolder } from './worker/left-folders.ts';
import { stagedContextPrefix } from './worker/old-contexts.ts';

async function openRegistry(
  installation: Installation,
  account: AccountKeeper,
  { storage, journal }: RegistryStorage,
  { events, queue, notices }: Pick<Queues, 'events' | 'queue' | 'notices'>,
): Promise<{ readonly registry: Registry; readonly scans: Scans }> {
  const { config, clock, key, logger } = installation;
  const gate = createGate(config.network);
  let open: (scans: Scans) => void = () => undefined;
  // Events that an earlier process left are told before anything else is there.
  const opened = new Promise<Scans>((resolve) => (open = resolve));
  const registry = await createRegistry({
    storage,
    journal,
    sources: createRegistrySources(installation, account, { isAdminEnabled: config.registryAdmin }),
    key,
    publicUrl: config.url,
    registryHost: config.registryHost,
    openRemote: createRemoteSources(installation),
    addressOf: (request) => gate.clientOf(request),
    audit: createAuditLog(logger),
    anonymousPull: config.anonymousPull,
    care: careOf(installation),
    onEvent: async (event) => {
      await Promise.all([events.publish(event), opened.then((scans) => scans.noticePush(event))]);
    },
    clock,
    logger,
    collection: config.registryCollection,
  });
  const scans = createScans({ installation, registry, submit: createSubmitDeps(installation, queue, notices) });
  open(scans);
  return { registry, scans };
}

/** The registry's limits; how much is free is known of a disk alone. */
function careOf({ config, clock }: Installation): NonNullable<RegistryOptions['care']> {
  const { registryCare, registryStorage, dataDir } = config;
  return registryStorage.s3 === undefined
    ? { ...registryCare, freeBytes: createFreeBytes(dataDir, clock) }
    : { ...registryCare, minFreeBytes: 0 };
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

function appOptions(installation: Installation, account: AccountKeeper, queue: RunQueue): AppOptions {
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
      const now = account.current();
      return Promise.resolve(given && findPassword(now, given) !== undefined ? { name: now.username } : undefined);
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

/** What people do with those who are told of runs and of the registry. */
function openNotifications(
  installation: Installation,
  queue: NotificationQueue,
): Pick<AppOptions, 'notifications' | 'webhooks'> {
  const { config, key, clock, store } = installation;
  const egress = createEgress({ allow: config.egressAllow });
  const options = { notifications: store.notifications, queue, egress, key, clock, newId: randomUUID };
  return {
    notifications: createNotificationDesk({ ...options, source: `${config.url}/api/v1` }),
    webhooks: createWebhookDesk({ ...options, origin: originOf(installation) }),
  };
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
  const { config, clock, storage, store } = installation;
  const { secrets: sharedSecrets, maxBytes } = config.webhook;
  const egress = createEgress({ allow: config.egressAllow });
  const setUp = createRepositorySetup(createForgeSender(egress));
  const updateTimers = createTimerUpdate(timers);
  const followTask = createTaskFollower({ baseImages: store.baseImages, queue: patches });
  return {
    notices,
    hooks: { queue: deliveries, sharedSecrets, maxBytes, setUp },
    ...openNotifications(installation, outgoing),
    patching: openPatchingDesk(installation, { queue, notices, patches, egress }),
    baseImageCredentials: createBaseImageCredentialDesk(installation),
    registryHook: { secrets: config.patching.hookSecrets, publish: (job) => patches.publish(job) },
    onTaskDeleting: (task) => markLeftFolder(storage, task, clock.now()),
    onTaskChanged: async (before, after) => {
      await Promise.all([updateTimers(before, after), followTask(before, after)]);
    },
  };
}

/** Runs API and registry until a signal comes. */
async function main(): Promise<void> {
  const installation = await openInstallation('api');
  const { config, logger } = installation;
  const account = await openAccount(config.dataDir);
  const queues = await openQueues(installation);
  const registryStorage = await openRegistryStorage(installation);
  const { registry, scans } = await openRegistry(installation, account, registryStorage, queues);
  const server = await openListener(
    installation,
    registry,
    createApp({
      ...appOptions(installation, account, queues.queue),
      ...openExchanges(installation, queues),
      access: registry.accessDesk,
      care: registry.care,
      upkeep: registry,
      imports: registry.imports,
      trust: registry.trustDesk,
      scans: scans.desk,
      adminCredential: createAdminCredentialDesk(installation, account),
    }),
  );
  logger.info({ url: config.url, registry: config.registryHost, dataDir: config.dataDir }, 'listening');
  closeOnSignal(logger, async () => {
    server.close();
    setTimeout(() => {
      server.closeAllConnections();
    }, 3000).unref();
    server.closeIdleConnections();
    await once(server, 'close');
    await registry.close();
    await registryStorage.release();
    await Promise.all([...Object.values(queues), installation.store].map((one) => one.close()));
  });
}

await main();
