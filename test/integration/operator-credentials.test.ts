import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { createBaseImageCredentialDesk } from '../../src/compose/base-image-credentials.ts';
import { openForeign } from '../../src/compose/foreign-registries.ts';
import type { TaskName } from '../../src/domain/task.ts';
import { createEgress } from '../../src/egress/egress.ts';
import { createFreshPoller } from '../../src/patch/poll/fresh-poller.ts';
import { createLease } from '../../src/patch/poll/lease.ts';
import { createPoller } from '../../src/patch/poll/poller.ts';
import { createWatchList } from '../../src/patch/poll/watch-list.ts';
import type { PatchJob } from '../../src/queue/ports.ts';
import { createRegistryClients } from '../../src/registry-client/client.ts';
import { mediaTypes, sha256Of } from '../../src/registry-client/documents.ts';
import { createSender } from '../../src/registry-client/sender.ts';
import { createRedisStore } from '../../src/store/redis/store.ts';
import { aRecord, anImage, testClock } from '../patch/poll/rig.ts';
import { startDistribution } from '../registry-client/distribution.ts';
import { startRedis, type PrivateRedis } from '../rig/redis.ts';

const bot = { userName: 'bot', password: 'pa55word' };
const key = Buffer.alloc(32, 7);

let redis: PrivateRedis;
let there: Awaited<ReturnType<typeof startDistribution>>;
beforeAll(async () => {
  [redis, there] = await Promise.all([startRedis(), startDistribution(true)]);
});
afterAll(() => Promise.all([redis.dispose(), there.stop()]));

/** Pushes an image whose configuration holds this trigger, as its owner does; gives back its digest. */
async function push(repository: string, trigger: string): Promise<string> {
  const clients = createRegistryClients({
    ...{ sender: createSender(), clock: { now: Date.now } },
    credentials: async () => [bot],
  });
  const client = clients.at(there.host);
  const bytes = Buffer.from(JSON.stringify({ os: 'linux', architecture: 'amd64', config: { OnBuild: [trigger] } }));
  const config = { mediaType: 'application/vnd.oci.image.config.v1+json', digest: sha256Of(bytes), size: bytes.length };
  await client.putBlob(repository, { digest: config.digest, bytes });
  const mediaType = mediaTypes.image;
  const manifest = Buffer.from(JSON.stringify({ schemaVersion: 2, mediaType, config, layers: [] }));
  const document = { bytes: manifest, mediaType, digest: sha256Of(manifest) };
  return (await client.putManifest(repository, '1', document)).digest;
}

/** An installation whose one task stands on a private base, has no credential for it, and asks for it every minute. */
async function open(repository: string) {
  const clock = testClock();
  const store = await createRedisStore({ url: redis.url, prefix: `t-${randomUUID()}`, clock });
  onTestFinished(() => store.close());
  const logged: string[] = [];
  const log = (context: object, message: string): void =>
    void logged.push(`${message} ${JSON.stringify({ ...context, err: undefined })}`);
  const logger = { info: log, warn: log } as never;
  const config = { registryHost: 'localhost:5080', vaults: {}, egressAllow: ['127.0.0.1'] } as never;
  const installation = { clock, config, key, logger, store };
  const foreign = openForeign(installation, createEgress({ allow: ['127.0.0.1'] }));
  const base = anImage(`${there.host}/${repository}:1`);
  await store.baseImages.put(aRecord('app', `${there.host}/${repository}:1`));
  const told: PatchJob[] = [];
  const unanswered: string[] = [];
  const lease = createLease(store.once, 'polling', clock);
  const openPoller = () =>
    createPoller({
      watchList: createWatchList(store.baseImages, 'localhost:5080'),
      baseImages: store.baseImages,
      registries: foreign.registries,
      publish: async (job) => void told.push(job),
      lease,
      clock,
      random: () => 0.5,
      intervalOf: () => 60_000,
      onUnanswered: (subject, because) => unanswered.push(`${subject}: ${because}`),
    });
  const readVersion = async () => JSON.stringify(await store.registryCredentials.list());
  const poller = createFreshPoller({ open: openPoller, readVersion });
  const pass = async (minutes: number): Promise<void> => {
    for (let step = 0; step < minutes * 12; step += 1) {
      await poller.poll();
      clock.advance(5000);
    }
  };
  const triggers = () => foreign.triggersOf(base, 'linux/amd64', 'app' as TaskName);
  return { base, store, desk: createBaseImageCredentialDesk(installation), told, unanswered, logged, pass, triggers };
}

describe('a private registry that no task has a credential for', () => {
  it('is polled and read with what the operator has set for it, and only with that', async () => {
    const { base, store, desk, told, unanswered, pass, triggers } = await open('team/base');
    await push('team/base', 'RUN one');
    await pass(4);
    expect(unanswered).toEqual([`${there.host}/team/base:1: the registry answers 401`]);
    expect(await store.baseImages.observed([base])).toEqual([undefined]);
    expect(await triggers()).toEqual([]);

    await desk.set(there.host, bot, 'admin');
    await pass(2);
    expect(await store.baseImages.observed([base])).toMatchObject([{ changes: 1 }]);
    expect(await triggers()).toEqual(['RUN one']);
    const digest = await push('team/base', 'RUN two');
    await pass(2);
    expect(told.at(-1)).toMatchObject({ kind: 'told', update: { image: { ...base, digest }, source: 'poll' } });
    expect(unanswered).toHaveLength(1);

    await desk.remove(there.host, 'admin');
    await pass(2);
    expect(unanswered).toHaveLength(2);
    expect(await triggers()).toEqual([]);
  });

  it('is told of once when it refuses the password, which appears nowhere', async () => {
    const { store, desk, unanswered, logged, pass, triggers } = await open('team/other');
    await desk.set(there.host, { ...bot, password: 'not-the-password' }, 'admin');
    await expect(triggers()).rejects.toMatchObject({ status: 401 });
    await pass(20);
    expect(unanswered).toEqual([`${there.host}/team/other:1: the registry answers 401`]);
    expect(logged.filter((line) => line.includes('refuses'))).toEqual([
      'a registry refuses the credentials that are known for it: it is asked without ' +
        JSON.stringify({ registry: there.host, status: 401 }),
    ]);
    const kept = await store.registryCredentials.get(there.host);
    expect(JSON.stringify([logged, kept, await desk.list()])).not.toMatch(/not-the-password|bot/);
  });
});
