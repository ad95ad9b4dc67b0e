import { afterEach, describe, expect, it } from 'vitest';
import { systemClock } from '../../src/domain/clock.ts';
import type { RepositoryName, Tag } from '../../src/domain/image-reference.ts';
import type { ImportJob, ImportOrder } from '../../src/domain/registry-import.ts';
import { createRegistryClients } from '../../src/registry-client/client.ts';
import { createRemoteEnd } from '../../src/registry-client/copy/remote-end.ts';
import { createSender } from '../../src/registry-client/sender.ts';
import type { OpenRemote } from '../../src/registry/imports/ports.ts';
import { descriptor, imageType, indexType, sha, startRegistry, until, type RunningRegistry } from './rig.ts';

const running: RunningRegistry[] = [];
afterEach(async () => {
  for (const each of running.splice(0)) await each.stop();
});

const openRemote: OpenRemote = ({ registry, repository, credential }, signal) => {
  const credentials = () => Promise.resolve(credential === undefined ? [] : [credential]);
  const clients = createRegistryClients({ sender: createSender(), clock: systemClock, credentials, tries: 1 });
  return createRemoteEnd(clients.at(registry, signal), repository);
};
const credential = { userName: 'admin', password: 'secret' };

async function start(options: Parameters<typeof startRegistry>[0] = {}): Promise<RunningRegistry> {
  const started = await startRegistry({ openRemote, registryHost: 'ours.test', ...options });
  running.push(started);
  return started;
}

/** An index of two platforms, with a signature about it and one about its first image; its digest. */
async function pushTree(registry: RunningRegistry, repository: string): Promise<{ index: string; signature: string }> {
  const put = async (reference: string, type: string, document: object): Promise<string> => {
    const body = JSON.stringify({ schemaVersion: 2, mediaType: type, ...document });
    const at = reference === '' ? sha(body) : reference;
    const init = { body, headers: { 'content-type': type } };
    expect((await registry.send('PUT', `/v2/${repository}/manifests/${at}`, init)).status).toBe(201);
    return body;
  };
  const image = async (text: string, more: object = {}): Promise<string> => {
    await registry.pushBlob(repository, '{}');
    await registry.pushBlob(repository, text);
    const config = descriptor('application/vnd.oci.image.config.v1+json', '{}');
    const layers = [descriptor('application/vnd.oci.image.layer.v1.tar', text)];
    return put('', imageType, { config, layers, ...more });
  };
  const [amd, arm] = [await image('amd64 '.repeat(20_000)), await image('arm64')];
  const platform = (architecture: string): object => ({ platform: { os: 'linux', architecture } });
  const manifests = [
    { ...descriptor(imageType, amd), ...platform('amd64') },
    { ...descriptor(imageType, arm), ...platform('arm64') },
  ];
  const index = await put('v1', indexType, { manifests });
  const signature = await image('a signature', {
    subject: descriptor(indexType, index),
    artifactType: 'test/signature',
  });
  return { index: sha(index), signature: sha(signature) };
}

function orderOf(more: Partial<ImportOrder> & Pick<ImportOrder, 'source'>): ImportOrder {
  const target = { repository: 'team/copy' as RepositoryName, tag: 'v1' as Tag };
  return { targets: [target], isForced: false, withReferrers: true, ...more };
}

const host = ({ url }: RunningRegistry): string => new URL(url).host;
const from = (registry: RunningRegistry, reference = 'v1'): ImportOrder['source'] => ({
  ...{ registry: host(registry), repository: 'library/app', reference, credential },
});

async function done({ registry }: RunningRegistry, order: ImportOrder): Promise<ImportJob> {
  const { id } = await registry.imports.start(order, 'somebody');
  let job: ImportJob | undefined;
  await until(async () => {
    job = await registry.imports.get(id);
    return job?.state !== 'running';
  });
  if (job === undefined) throw new Error('no job');
  return job;
}

describe('an import from another registry', () => {
  it('brings an index with all platforms and what is about it, by digest, and tells of it', async () => {
    const [theirs, ours] = [await start(), await start()];
    const { index, signature } = await pushTree(theirs, 'library/app');
    const targets = [
      { repository: 'team/copy' as RepositoryName, tag: 'v1' as Tag },
      { repository: 'team/other' as RepositoryName },
    ];
    const job = await done(ours, orderOf({ source: from(theirs), targets }));
    expect(job).toMatchObject({
      state: 'succeeded',
      digest: index,
      by: 'somebody',
      source: `${host(theirs)}/library/app:v1`,
    });
    expect(job.progress.bytes).toBe(
      Buffer.byteLength('amd64 '.repeat(20_000)) + 'arm64'.length + '{}'.length + 'a signature'.length,
    );
    for (const at of ['team/copy/manifests/v1', `team/other/manifests/${index}`]) {
      const [copy, original] = await Promise.all([
        ours.send('GET', `/v2/${at}`),
        theirs.send('GET', '/v2/library/app/manifests/v1'),
      ]);
      expect(await copy.text()).toBe(await original.text());
    }
    expect((await ours.send('GET', '/v2/team/other/tags/list')).status).toBe(200);
    const referrers = (await (await ours.send('GET', `/v2/team/copy/referrers/${index}`)).json()) as {
      manifests: { digest: string }[];
    };
    expect(referrers.manifests.map(({ digest }) => digest)).toEqual([signature]);
    await until(() =>
      ours.events.some((event) => event.kind === 'push' && event.tag === 'v1' && event.by === 'somebody'),
    );
  });

  it('leaves tags alone that are there, unless it is told to move them', async () => {
    const [theirs, ours] = [await start(), await start()];
    await pushTree(theirs, 'library/app');
    const { digest: before } = await ours.pushImage('team/copy', 'v1');
    const order = orderOf({ source: from(theirs) });
    await expect(ours.registry.imports.start(order, 'x')).rejects.toMatchObject({ failure: { reason: 'conflict' } });
    expect(ours.registry.resolve('team/copy', 'v1')?.digest).toBe(before);
    expect((await done(ours, { ...order, isForced: true })).state).toBe('succeeded');
    expect(ours.registry.resolve('team/copy', 'v1')?.digest).not.toBe(before);
  });

  it('leaves a tag alone that comes to be there meanwhile', async () => {
    const theirs = await start();
    const ours = await start({
      openRemote: async (source, signal) => {
        await ours.pushImage('team/copy', 'v1');
        return openRemote(source, signal);
      },
    });
    await pushTree(theirs, 'library/app');
    const job = await done(ours, orderOf({ source: from(theirs) }));
    expect(job).toMatchObject({ state: 'failed', error: { reason: 'conflict' } });
  });

  it('says what is wrong, and goes on where it broke off when it is asked for again', async () => {
    const [theirs, ours] = [await start(), await start()];
    const { index } = await pushTree(theirs, 'library/app');
    const missing = await done(ours, orderOf({ source: from(theirs, 'v9') }));
    expect(missing).toMatchObject({ state: 'failed', error: { reason: 'not-found' } });
    const source = { ...from(theirs), credential: { userName: 'admin', password: 'wrong' } };
    const refused = await done(ours, orderOf({ source }));
    expect(refused.error?.reason).toMatch(/unauthenticated|forbidden/);
    expect(JSON.stringify(refused)).not.toContain('wrong');
    const lost =
      (await theirs.storage.list('registry/blobs/sha256/')).keys.find((each) =>
        each.endsWith(sha('a signature').slice(7)),
      ) ?? '';
    const bytes = (await theirs.storage.readSmall(lost)) ?? Buffer.alloc(0);
    await theirs.storage.delete(lost);
    const broken = await done(ours, orderOf({ source: from(theirs) }));
    expect(broken.state).toBe('failed');
    expect(ours.registry.resolve('team/copy', 'v1')).toBeUndefined();
    await theirs.storage.put(lost, bytes);
    const again = await done(ours, orderOf({ source: from(theirs) }));
    expect(again).toMatchObject({ state: 'succeeded', digest: index });
    expect(again.progress.bytes).toBeLessThan(1000);
  });

  it('is one import however often it is asked for while it is under way', async () => {
    let opened = 0;
    const theirs = await start();
    const ours = await start({
      openRemote: async (source, signal) => {
        opened += 1;
        await new Promise((next) => setTimeout(next, 50));
        return openRemote(source, signal);
      },
    });
    await pushTree(theirs, 'library/app');
    const order = orderOf({ source: from(theirs) });
    const first = await ours.registry.imports.start(order, 'x');
    const second = await ours.registry.imports.start(order, 'x');
    expect(second.id).toBe(first.id);
    await until(async () => (await ours.registry.imports.get(first.id))?.state === 'succeeded');
    expect(opened).toBe(1);
  });

  it('copies the platforms that are asked for, under a digest of their own', async () => {
    const [theirs, ours] = [await start(), await start()];
    const { index } = await pushTree(theirs, 'library/app');
    const job = await done(ours, orderOf({ source: from(theirs), platforms: ['linux/arm64'], withReferrers: false }));
    expect(job.state).toBe('succeeded');
    expect(job.digest).not.toBe(index);
    expect(job.progress.bytes).toBeLessThan(1000);
  });
});

describe('an import from another repository of ours', () => {
  it('copies no bytes', async () => {
    const ours = await start();
    const { index } = await pushTree(ours, 'library/app');
    const keys = async (): Promise<readonly string[]> => (await ours.storage.list('registry/blobs/')).keys;
    const before = await keys();
    const job = await done(ours, orderOf({ source: { repository: 'library/app', reference: 'v1' } }));
    expect(job).toMatchObject({ state: 'succeeded', digest: index, progress: { bytes: 0 } });
    expect(await keys()).toEqual(before);
    expect((await ours.send('GET', `/v2/team/copy/blobs/${sha('arm64')}`)).status).toBe(200);
  });

  it('is remembered, and counts as failed when its process is gone', async () => {
    const ours = await start();
    await pushTree(ours, 'library/app');
    const { id } = await done(ours, orderOf({ source: { repository: 'library/app', reference: 'v1' } }));
    expect(await ours.registry.imports.get(id)).toMatchObject({ state: 'succeeded' });
    expect(await ours.registry.imports.get('no-such-import')).toBeUndefined();

    const stuck = await start({
      openRemote: (_source, signal) =>
        new Promise((_resolve, reject) => {
          signal.addEventListener('abort', () => {
            reject(signal.reason as Error);
          });
        }),
    });
    const source = { registry: 'far.test', repository: 'a', reference: 'b' };
    const job = await stuck.registry.imports.start(orderOf({ source }), 'x');
    const next = await start({ storage: stuck.storage });
    expect(await next.registry.imports.get(job.id)).toMatchObject({ state: 'running' });
    next.clock.time += 61_000;
    expect(await next.registry.imports.get(job.id)).toMatchObject({
      state: 'failed',
      error: { reason: 'server-unreachable' },
    });
  });
});
