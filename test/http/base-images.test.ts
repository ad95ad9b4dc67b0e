import { describe, expect, it } from 'vitest';
import { fail } from '../../src/domain/failure.ts';
import { expectContract } from './contract.ts';
import { image, startPatchingRig, taskName } from './patching-rig.ts';
import { startRig, workingWorker } from './rig.ts';

const digest = (letter: string): string => `sha256:${letter.repeat(64)}`;
const named = (name: string, more: object = {}): object => {
  const { registry, repository, tag } = image(name);
  return { registry, repository, tag, reference: `${registry}/${repository}:${tag ?? ''}`, ...more };
};
const query = (text: string): string => encodeURIComponent(text);

describe('GET baseImages', () => {
  it('lists each image and each that it stands on, by task, with why one is not rebuilt by itself', async () => {
    const { api } = await startPatchingRig();
    const { status, body } = await api('GET', '/baseImages');
    expect(status).toBe(200);
    for (const one of body.value) expectContract('base-image', one);
    expect(body).toEqual({
      value: [
        { task: 'task-app', image: named('app'), base: named('base'), type: 'Runtime' },
        {
          ...{ task: 'task-idle', image: named('idle'), base: named('base'), type: 'Runtime' },
          notRebuiltBecause: 'is disabled',
        },
        { task: 'task-tool', image: named('tool'), base: named('other'), type: 'Runtime' },
        {
          ...{ task: 'task-tool', image: named('tool'), base: named('base'), type: 'BuildTime' },
          notRebuiltBecause: 'is only built with it, and its trigger is for runtime bases',
        },
        { task: 'task-web', image: named('web'), base: named('app'), type: 'Runtime' },
      ],
    });
  });

  it('tells what an image was built on from what its base is by now, and since when', async () => {
    const { api, world, conductor, end } = await startPatchingRig();
    const first = world.push('base');
    await conductor.told(first);
    await end('app');
    await end('web');
    const current = (await api('GET', `/baseImages?image=${query('r.io/base')}`)).body.value[0];
    expect(current).toMatchObject({
      base: { digest: first.image.digest },
      newestDigest: first.image.digest,
      isCurrent: true,
    });
    expect(Date.parse(current.builtTime)).toBeGreaterThan(Date.parse(first.at));
    expect((await api('GET', '/baseImages?stale=true')).body).toEqual({ value: [] });
    const second = world.push('base');
    await conductor.told(second);
    const stale = await api('GET', '/baseImages?stale=true');
    expect(stale.body.value).toHaveLength(1);
    expect(stale.body.value[0]).toMatchObject({
      ...{ task: 'task-app', newestDigest: second.image.digest, isCurrent: false, behindSince: second.at },
      base: { digest: first.image.digest },
    });
    expectContract('base-image', stale.body.value[0]);
    const onOld = await api('GET', `/baseImages?image=${query(`r.io/base@${first.image.digest}`)}`);
    expect(onOld.body.value.map(({ task }: { task: string }) => task)).toEqual(['task-app']);
  });

  it('shows what is pinned, and what steps run in', async () => {
    const { api, world } = await startPatchingRig([]);
    const pinned = { ...image('base'), digest: digest('a') as never, isPinned: true };
    const bare = { registry: 'r.io', repository: 'bare', digest: digest('b') as never, isPinned: true };
    await world.define({
      ...{ name: 'app', on: [] },
      change: { images: [{ runtime: pinned, buildTime: [bare] }], stepImages: [image('shell')] },
    });
    const { body } = await api('GET', '/baseImages');
    for (const one of body.value) expectContract('base-image', one);
    expect(body.value).toEqual([
      {
        task: 'task-app',
        base: named('base', { digest: digest('a'), isPinned: true }),
        ...{ type: 'Runtime', notRebuiltBecause: 'pins it by its digest' },
      },
      {
        task: 'task-app',
        base: {
          registry: 'r.io',
          repository: 'bare',
          ...{ digest: digest('b'), isPinned: true },
          reference: `r.io/bare@${digest('b')}`,
        },
        ...{ type: 'BuildTime', notRebuiltBecause: 'pins it by its digest' },
      },
      {
        ...{ task: 'task-app', base: named('shell'), type: 'Step' },
        notRebuiltBecause: 'only runs a step in it, and its trigger is not for images of steps',
      },
    ]);
  });

  it('comes in pages that together are the whole list', async () => {
    const tasks = Array.from({ length: 2500 }, (_, at) => ({ name: `n${String(at).padStart(4, '0')}`, on: ['base'] }));
    const { api, url } = await startPatchingRig(tasks);
    const seen: string[] = [];
    let path: string | undefined = `/baseImages?image=${query('r.io/base')}`;
    for (let pages = 0; path !== undefined; pages += 1) {
      const { body } = await api('GET', path);
      seen.push(...body.value.map(({ task }: { task: string }) => task));
      path = (body.nextLink as string | undefined)?.slice(`${url}/api/v1`.length);
      expect(pages).toBeLessThan(3);
    }
    expect(seen).toEqual(tasks.map(({ name }) => taskName(name)));
    const top = await api('GET', '/baseImages?$top=7');
    expect([top.body.value.length, top.body.nextLink]).toEqual([7, undefined]);
  });
});

describe('a base that has changed for other platforms', () => {
  it('is told as what it is: the image is current, and would not be rebuilt', async () => {
    const { api, world, conductor, end } = await startPatchingRig([
      { name: 'app', on: ['base'], platforms: ['linux/amd64'] },
    ]);
    await conductor.told(world.pushIndex('base', { 'linux/amd64': 1, 'linux/arm64': 2 }));
    await end('app');
    const told = world.pushIndex('base', { 'linux/amd64': 1, 'linux/arm64': 3 });
    const reference = query(`r.io/base:latest@${told.image.digest}`);
    const { body } = await api('GET', `/baseImages/impact?image=${reference}`);
    expectContract('base-image-impact', body);
    const why = { because: 'stands on what is unchanged for linux/amd64', unchangedFor: ['linux/amd64'] };
    expect(body).toMatchObject({ tasks: [], notRebuilt: [{ task: 'task-app', ...why }] });
    await conductor.told(told);
    const [line] = (await api('GET', '/baseImages')).body.value;
    expectContract('base-image', line);
    expect(line).toMatchObject({
      ...{ newestDigest: told.image.digest, isCurrent: true, unchangedFor: ['linux/amd64'] },
    });
    expect((await api('GET', '/baseImages?stale=true')).body.value).toEqual([]);
    expect((await api('GET', '/campaigns')).body.value).toHaveLength(1);
  });
});

describe('GET baseImages/impact', () => {
  it('shows what would be rebuilt, in what order and when, and what not, with as many at a time as workers can do', async () => {
    const { api, store } = await startPatchingRig();
    await store.workers.beat(workingWorker('w1', { concurrency: 2 }));
    const { status, body } = await api('GET', `/baseImages/impact?image=${query('r.io/base')}`);
    expect(status).toBe(200);
    expectContract('base-image-impact', body);
    expect(body).toMatchObject({
      ...{ image: named('base'), durationMs: 25_000, concurrency: 2, cycles: [] },
      tasks: [
        { ...{ task: 'task-app', level: 0, needs: [], startMs: 0, endMs: 20_000 }, images: [named('app')] },
        {
          ...{ task: 'task-web', level: 1, needs: ['task-app'], startMs: 20_000, endMs: 25_000 },
          bases: [named('app')],
        },
      ],
      notRebuilt: [{ task: 'task-tool' }, { task: 'task-idle', because: 'is disabled' }],
    });
  });

  it('leaves out what is built on a digest already', async () => {
    const { api, world, conductor, end } = await startPatchingRig();
    const { image: base } = world.push('base');
    await conductor.told({ image: base, source: 'registry', at: world.now() });
    await end('app');
    const { body } = await api('GET', `/baseImages/impact?image=${query(`r.io/base:latest@${base.digest}`)}`);
    expect(body.tasks).toEqual([]);
    expect(body.notRebuilt).toContainEqual(
      expect.objectContaining({ task: 'task-app', because: 'is built on it already' }),
    );
  });

  it.each([
    ['', 'image is missing'],
    ['?image=UPPER', 'is no image name'],
    [`?image=${query(`r.io/base@${digest('a')}`)}`, 'has no tag'],
    ['?image=a&image=b', 'given more than once'],
  ])('refuses %s', async (search, message) => {
    const { api } = await startPatchingRig();
    const { status, body } = await api('GET', `/baseImages/impact${search}`);
    expect([status, body.error.target]).toEqual([400, 'image']);
    expect(body.error.message).toContain(message);
  });
});

describe('POST baseImages/notify', () => {
  it('has an image looked at, in the name of the caller, and says how many tasks are rebuilt for it', async () => {
    const { api, published, world } = await startPatchingRig();
    const known = await api('POST', '/baseImages/notify', { image: 'r.io/base', digest: digest('a') });
    expect(known).toMatchObject({ status: 202, body: { image: named('base', { digest: digest('a') }), tasks: 2 } });
    const asked = await api('POST', '/baseImages/notify', { image: 'node:20' });
    expect(asked).toMatchObject({ status: 202, body: { image: { reference: 'docker.io/library/node:20' }, tasks: 0 } });
    const told = { source: 'manual', at: world.now(), by: 'admin' };
    expect(published).toEqual([
      { kind: 'told', update: { image: { ...image('base'), digest: digest('a') }, ...told } },
      { kind: 'told', update: { image: { registry: 'docker.io', repository: 'library/node', tag: '20' }, ...told } },
    ]);
  });

  it.each([
    [{}, 'image'],
    [{ image: 7 }, 'image'],
    [{ image: 'a b' }, 'image'],
    [{ image: `r.io/base@${digest('a')}` }, 'image'],
    [{ image: 'r.io/base', digest: 'sha256:short' }, 'digest'],
    [{ image: `r.io/base:v1@${digest('a')}`, digest: digest('b') }, 'digest'],
    [{ image: 'r.io/base', tag: 'v1' }, 'tag'],
  ])('refuses %j and names the field', async (body, target) => {
    const { api, published } = await startPatchingRig();
    expect(await api('POST', '/baseImages/notify', body)).toMatchObject({ status: 400, body: { error: { target } } });
    expect(published).toEqual([]);
  });

  it('is answered as a fault of the server when the queue is away, for others to try again', async () => {
    const away = fail('redis-unavailable', 'Redis is away');
    const { api } = await startRig({
      patching: { notify: async () => Promise.reject(away) } as never,
    });
    expect((await api('POST', '/baseImages/notify', { image: 'a' })).status).toBe(503);
  });
});

describe('a server without patching', () => {
  it.each(['/baseImages', '/baseImages/impact?image=a', '/campaigns', '/campaigns/cp1'])('has no %s', async (path) => {
    const { api } = await startRig();
    expect((await api('GET', path)).status).toBe(404);
  });
});
