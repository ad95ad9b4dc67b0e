import { randomUUID } from 'node:crypto';
import { mkdtemp, readFile, rm, stat, utimes } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import type { KeyDesk } from '../../src/cli/local-host.ts';
import { openKeyDesk, type KeyDeskOptions } from '../../src/compose/key-desk.ts';
import { systemClock } from '../../src/domain/clock.ts';
import { webhookKey } from '../../src/domain/webhook.ts';
import type { RunId } from '../../src/domain/run.ts';
import type { TaskSecrets } from '../../src/domain/task.ts';
import { openNotification, sealNotification } from '../../src/notify/notifications/sealed.ts';
import { openKeyRing, type InstallationKey } from '../../src/secret/key-ring.ts';
import { labelInstallation } from '../../src/secret/key.ts';
import { createOwnSecrets } from '../../src/secret/own-secrets.ts';
import { openRegistryCredential, sealRegistryCredential } from '../../src/secret/registry-credential.ts';
import { resealAll } from '../../src/secret/rotation.ts';
import { seal } from '../../src/secret/seal.ts';
import type { Store } from '../../src/store/ports.ts';
import { openRedisSealedTexts } from '../../src/store/redis/sealed.ts';
import { createRedisStore } from '../../src/store/redis/store.ts';
import {
  openRequestSecrets,
  openTaskSecrets,
  sealRequestSecrets,
  sealTaskSecrets,
} from '../../src/trigger/sealed-secrets.ts';
import { createPlanKeeper } from '../../src/worker/plan-keeper.ts';
import { startRedis, type PrivateRedis } from '../rig/redis.ts';
import { aTask } from '../rig/tasks.ts';
import { aNewRun } from '../store/fixtures.ts';
import { aNotification } from '../store/notification-store-contract.ts';

let redis: PrivateRedis;
beforeAll(async () => {
  redis = await startRedis();
});
afterAll(() => redis.dispose());

const plain = { leaveDamaged: false, force: false };
const taskSecrets: TaskSecrets = { context: 'ctx', arguments: { a: '1' }, registries: {}, sources: {}, webhook: ['w'] };
const requestSecrets = { arguments: { a: 'run' }, registries: {} };
const kept = { attempt: 1, plan: { steps: [] }, secrets: ['s'] } as never;
const headers = { authorization: 'Bearer n' };

/** Seals one thing of each kind; every value holds the word given. */
async function sealAll(store: Store, key: InstallationKey, name: string): Promise<RunId> {
  const sealedSecrets = sealTaskSecrets(key, taskSecrets);
  await store.tasks.put({ ...aTask(), name: `Task-${name}` as never, sealedSecrets }, 0, []);
  await createOwnSecrets(key, store.secrets).set(`secret-${name}`, Buffer.from('own'), 'me');
  const sealed = sealNotification(key, `hook-${name}`, { secret: 'n', headers });
  const notification = { name: `hook-${name}`, version: 0, url: 'https://example.com', headerNames: [], sealed };
  await store.notifications.put(notification as never, 0);
  const { run } = await store.runs.create(aNewRun({ sealedSecrets: sealRequestSecrets(key, requestSecrets) }));
  await store.runs.begin(run.runId, 'w1');
  await createPlanKeeper(store.runs, key).keep(run.runId, kept);
  return run.runId;
}

async function openAll(store: Store, key: InstallationKey, name: string, id: RunId): Promise<readonly unknown[]> {
  const [task, notification, run] = await Promise.all([
    store.tasks.get(`Task-${name}`),
    store.notifications.get(`hook-${name}`),
    store.runs.get(id),
  ]);
  if (!task || !notification || run?.sealedSecrets === undefined) throw new Error('something is gone');
  return [
    openTaskSecrets(key, task.sealedSecrets),
    String(await createOwnSecrets(key, store.secrets).read(`secret-${name}`)),
    openNotification(key, notification).headers,
    openRequestSecrets(key, run.sealedSecrets),
    await createPlanKeeper(store.runs, key).find(id),
  ];
}

const everything = [taskSecrets, 'own', headers, requestSecrets, kept];

async function setUp(given?: string) {
  const dataDir = await mkdtemp(join(tmpdir(), 'slipway-keys-'));
  const place = { url: redis.url, prefix: `test-${randomUUID()}` };
  const store = await createRedisStore({ ...place, clock: systemClock });
  /** As a process of the installation has it. */
  const ring = await openKeyRing(given, join(dataDir, 'key'));
  const desks: KeyDesk[] = [];
  const openDesk = async (change: Partial<KeyDeskOptions['config']> = {}): Promise<KeyDesk> => {
    const config = { dataDir, key: given, name: 'slipway', ...change };
    const desk = await openKeyDesk({ config, ...place, settleMs: 20 });
    desks.push(desk);
    return desk;
  };
  onTestFinished(async () => {
    for (const desk of desks) await desk.close();
    await store.close();
    await rm(dataDir, { recursive: true, force: true });
  });
  return { dataDir, file: join(dataDir, 'key'), place, store, ring, openDesk };
}

const quiet = (): void => undefined;

describe('a new key', () => {
  it('seals anew what tasks, runs, plans, notifications and the own store keep, while processes use it', async () => {
    const { store, ring, openDesk, file, dataDir } = await setUp();
    const [old] = ring.keys();
    const label = await labelInstallation('slipway', dataDir, ring.keys());
    const id = await sealAll(store, ring, 'one');
    const desk = await openDesk();
    expect((await desk.inspect()).sealed).toEqual({ current: 5, old: 0, damaged: [] });

    const rotated = await desk.rotate(plain, quiet);
    expect(rotated.sealed).toEqual({ current: 5, old: 5, damaged: [] });
    expect(rotated.keys).toHaveLength(2);
    expect(ring.keys()).toHaveLength(2);
    expect(ring.keys()[1]).toEqual(old);
    expect(await openAll(store, ring.keys()[0], 'one', id)).toEqual(everything);
    await expect(openAll(store, old, 'one', id)).rejects.toThrow(/key is not the one/);
    expect((await stat(file)).mode & 0o777).toBe(0o600);
    expect(await labelInstallation('slipway', dataDir, ring.keys())).toBe(label);

    await store.runs.end(id, 'Canceled', 'over');
    const finished = await desk.finish(plain, quiet);
    expect(finished.keys).toEqual([rotated.keys[0]]);
    expect(await readFile(file, 'utf8')).toMatch(/^[0-9a-f]{64}\n$/);
    expect(ring.keys()).toHaveLength(1);
    const own = createOwnSecrets(ring, store.secrets);
    expect(String(await own.read('secret-one'))).toBe('own');
    expect(await labelInstallation('slipway', dataDir, ring.keys())).toBe(label);
  });

  it('seals anew the plan that a failed run has left behind', async () => {
    const { store, ring, openDesk } = await setUp();
    const id = await sealAll(store, ring, 'one');
    await store.runs.append(id, 1, [{ kind: 'run-ended', status: 'Failed' }]);
    const plans = createPlanKeeper(store.runs, ring);
    if ((await plans.find(id)) === undefined) await plans.keep(id, kept);
    const desk = await openDesk();
    expect((await desk.rotate(plain, quiet)).sealed.old).toBe(4);
    await desk.finish(plain, quiet);
    expect(ring.keys()).toHaveLength(1);
    expect(await plans.find(id)).toEqual(kept);
  });

  it('seals anew what webhooks of the registry keep', async () => {
    const { store, ring, openDesk } = await setUp();
    const name = webhookKey('Hook1');
    const sealed = sealNotification(ring, name, { secret: 'n', headers });
    await store.notifications.put(aNotification({ name, events: [], sealed }), 0);
    const desk = await openDesk();
    expect((await desk.rotate(plain, quiet)).sealed).toEqual({ current: 1, old: 1, damaged: [] });
    await desk.finish(plain, quiet);
    expect(ring.keys()).toHaveLength(1);
    const kept = await store.notifications.get(name);
    expect(kept && openNotification(ring, kept).headers).toEqual(headers);
  });

  it('seals anew what other registries are asked with', async () => {
    const { store, ring, openDesk } = await setUp();
    const credential = { userName: 'bot', password: 'hush' };
    await store.registryCredentials.put('docker.io', sealRegistryCredential(ring, 'docker.io', credential), 'me');
    const desk = await openDesk();
    expect((await desk.rotate(plain, quiet)).sealed).toEqual({ current: 1, old: 1, damaged: [] });
    await desk.finish(plain, quiet);
    const sealed = (await store.registryCredentials.get('docker.io')) ?? '';
    expect(openRegistryCredential(ring, 'docker.io', sealed)).toEqual(credential);
  });

  it('leaves versions, times and the rest of what it seals anew as they were', async () => {
    const { store, ring, openDesk } = await setUp();
    const id = await sealAll(store, ring, 'one');
    const look = async () => {
      const { sealedSecrets: _, ...run } = (await store.runs.get(id)) ?? {};
      const { sealedSecrets: __, ...task } = (await store.tasks.get('task-one')) ?? {};
      const { sealed: ___, ...notification } = (await store.notifications.get('hook-one')) ?? {};
      return [run, task, notification, await store.secrets.list()];
    };
    const before = await look();
    await (await openDesk()).rotate(plain, quiet);
    expect(await look()).toEqual(before);
    await store.runs.append(id, 1, [{ kind: 'run-ended', status: 'Succeeded' }]);
    expect((await store.runs.get(id))?.status).toBe('Succeeded');
  });

  it('loses nothing of what is written at the same time', async () => {
    const { store, ring, openDesk } = await setUp();
    const desk = await openDesk();
    const ids = new Map<string, RunId>();
    const stopper = new AbortController();
    const writing = (async () => {
      for (let n = 0; n < 100 && !stopper.signal.aborted; n++) ids.set(`n${n}`, await sealAll(store, ring, `n${n}`));
    })().catch((error: unknown) => error);
    await expect.poll(() => ids.size).toBeGreaterThan(3);
    await desk.rotate(plain, quiet);
    stopper.abort();
    expect(await writing).toBeUndefined();
    await desk.finish({ ...plain, force: true }, quiet);
    expect(ring.keys()).toHaveLength(1);
    for (const [name, id] of ids) expect(await openAll(store, ring, name, id)).toEqual(everything);
  });

  it('is no further one when two rotate at once, or when a rotation goes on that was interrupted', async () => {
    const { store, place, ring, openDesk } = await setUp();
    const id = await sealAll(store, ring, 'one');
    const id2 = await sealAll(store, ring, 'two');
    await Promise.all([
      openDesk().then((desk) => desk.rotate(plain, quiet)),
      openDesk().then((desk) => desk.rotate(plain, quiet)),
    ]);
    expect(ring.keys()).toHaveLength(2);

    const desk = await openDesk();
    await desk.finish({ ...plain, force: true }, quiet);
    await redis.stop();
    await expect(desk.rotate(plain, quiet)).rejects.toMatchObject({ failure: { reason: 'redis-unavailable' } });
    await redis.start();
    await expect.poll(() => store.ping().then(() => 'back', String), { timeout: 10_000 }).toBe('back');
    expect(ring.keys()).toHaveLength(1);

    // Dies after its second text.
    await desk.rotate(plain, quiet).catch(quiet);
    await desk.finish({ ...plain, force: true }, quiet);
    const texts = await openRedisSealedTexts(place);
    const fresh = Buffer.alloc(32, 3);
    const [present] = ring.keys();
    let left = 2;
    const dying = {
      list: () => texts.list(),
      replace: (text: never, sealed: string) => {
        if (left-- === 0) throw new Error('killed');
        return texts.replace(text, sealed);
      },
    };
    const purposes = {
      task: () => 'task',
      run: () => 'run-request',
      plan: () => 'plan',
      secret: (name: string) => `secret:${name}`,
      notification: (name: string) => `notification:${name}`,
      'registry-credential': (name: string) => `registry-credential:${name}`,
    };
    const both = { keys: () => [fresh, present] as const };
    await expect(resealAll({ key: both, texts: dying, purposes })).rejects.toThrow('killed');
    expect(await openAll(store, both, 'one', id)).toEqual(everything);
    expect(await openAll(store, both, 'two', id2)).toEqual(everything);
    expect(await resealAll({ key: both, texts, purposes })).toEqual({ current: 2, old: 8, damaged: [] });
    expect(await openAll(store, fresh, 'one', id)).toEqual(everything);
    texts.close();
  });

  it('is refused while something is sealed that no key here opens, and the key file stays', async () => {
    const { store, ring, openDesk, file } = await setUp();
    await sealAll(store, ring, 'one');
    await store.secrets.put('stray', seal(Buffer.alloc(32, 5), 'x', 'secret:stray'), 'me');
    const before = await readFile(file, 'utf8');
    const desk = await openDesk();
    await expect(desk.rotate(plain, quiet)).rejects.toThrow(/secret stray/);
    expect(await readFile(file, 'utf8')).toBe(before);
    const { sealed, keys } = await desk.rotate({ ...plain, leaveDamaged: true }, quiet);
    expect(sealed).toEqual({ current: 5, old: 5, damaged: ['secret stray'] });
    expect(keys).toHaveLength(2);
    await expect(desk.finish({ ...plain, force: true }, quiet)).rejects.toThrow(/secret stray/);
  });

  it('keeps the older one until runs that began with it are over', async () => {
    const { store, ring, openDesk, file } = await setUp();
    const id = await sealAll(store, ring, 'one');
    const desk = await openDesk();
    await desk.rotate(plain, quiet);
    const later = new Date(Date.now() + 60_000);
    await utimes(file, later, later);
    await expect(desk.finish(plain, quiet)).rejects.toThrow(`still at work: ${id}`);
    expect(ring.keys()).toHaveLength(2);
    await store.runs.end(id, 'Canceled', 'over');
    expect((await desk.finish(plain, quiet)).keys).toHaveLength(1);
  });
});

describe('keys given by SLIPWAY_KEY', () => {
  const [old, fresh] = [Buffer.alloc(32, 1).toString('hex'), Buffer.alloc(32, 2).toString('hex')];

  it('are changed by whoever gives them: rotate says how, and seals anew once there are two', async () => {
    const { store, ring, openDesk } = await setUp(old);
    const id = await sealAll(store, ring, 'one');
    await expect((await openDesk()).rotate(plain, quiet)).rejects.toMatchObject({
      failure: { reason: 'invalid-request', field: 'SLIPWAY_KEY' },
    });
    const desk = await openDesk({ key: `${fresh},${old}` });
    expect((await desk.rotate(plain, quiet)).sealed.old).toBe(5);
    const said: string[] = [];
    await desk.finish(plain, (line) => said.push(line));
    expect(said.join()).toMatch(/first key alone/);
    expect(await openAll(store, Buffer.alloc(32, 2), 'one', id)).toEqual(everything);
  });
});

it('there is no key to change where there is no installation', async () => {
  const { openDesk, dataDir } = await setUp();
  await expect(openDesk({ dataDir: join(dataDir, 'elsewhere') })).rejects.toMatchObject({
    failure: { reason: 'not-found' },
  });
});
