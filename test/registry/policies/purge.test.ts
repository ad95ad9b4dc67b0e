import { afterEach, describe, expect, it } from 'vitest';
import type { PurgeOrder } from '../../../src/domain/registry-care.ts';
import { parseAge } from '../../../src/registry/policies/durations.ts';
import { parsePurgeFilter } from '../../../src/registry/policies/purge-filter.ts';
import { dayMs, hourMs, startCare, type CareRig } from './rig.ts';

const running: CareRig[] = [];
afterEach(async () => {
  for (const each of running.splice(0)) await each.stop();
});
const start = async (): Promise<CareRig> => {
  const rig = await startCare();
  running.push(rig);
  return rig;
};
/** Images with these tags, pushed a day apart. */
const pushDaily = async (rig: CareRig, repository: string, tags: readonly string[]): Promise<void> => {
  for (const tag of tags) {
    await rig.pushImage(repository, tag);
    rig.clock.time += dayMs;
  }
};
const purge = async (rig: CareRig, order: Partial<PurgeOrder>): Promise<string[]> => {
  const report = await rig.registry.care.purge({ filters: ['.*:.*'], ago: '0d', ...order }, 'admin');
  return report.tags.map(({ repository, tag }) => `${repository}:${tag}`).sort();
};

describe('purge', () => {
  it('takes the tags that match and are old enough, but for the newest', async () => {
    const rig = await start();
    await pushDaily(rig, 'app', ['pr-1', 'pr-2', 'v1', 'pr-3', 'pr-4']);
    await pushDaily(rig, 'apple', ['pr-1']);
    const order = { filters: ['app:^pr-'], ago: '2d', keep: 1 };
    expect(await purge(rig, { ...order, dryRun: true })).toEqual(['app:pr-1', 'app:pr-2', 'app:pr-3']);
    expect(rig.registry.listTags('app')).toHaveLength(5);
    expect(await purge(rig, order)).toEqual(['app:pr-1', 'app:pr-2', 'app:pr-3']);
    expect(rig.registry.listTags('app')).toEqual(['pr-4', 'v1']);
    expect(rig.registry.listTags('apple')).toEqual(['pr-1']);
  });

  it('leaves the manifests, unless it is asked to take those that no tag stands for then', async () => {
    const rig = await start();
    const { digest } = await rig.pushImage('app', 'v1');
    const loose = await rig.pushImage('app', 'by digest', { annotations: { is: 'loose' } });
    rig.clock.time += 2 * dayMs;
    const { care } = rig.registry;
    const order = { filters: ['app:.*'], ago: '1d' };
    const dry = await care.purge({ ...order, untagged: true, dryRun: true }, 'admin');
    expect(dry.manifests.map((one) => one.digest).sort()).toEqual([digest, loose.digest].sort());
    expect(dry.bytes).toBeGreaterThan(0);
    expect((await care.purge(order, 'admin')).manifests).toEqual([]);
    expect((await rig.send('HEAD', `/v2/app/manifests/${digest}`)).status).toBe(200);
    const done = await care.purge({ ...order, untaggedOnly: true }, 'admin');
    expect(done.manifests).toHaveLength(2);
    expect((await rig.send('HEAD', `/v2/app/manifests/${digest}`)).status).toBe(404);
  });

  it('takes only what nobody has pulled for so long, by its tag or its digest', async () => {
    const rig = await start();
    const unused = { ago: '1d', notPulledFor: '30d' };
    await purge(rig, unused); // pulls are noted since now
    await rig.pushImage('app', 'unused');
    await rig.pushImage('app', 'by-tag');
    const { digest } = await rig.pushImage('app', 'by-digest');
    rig.clock.time += 20 * dayMs;
    await rig.pushImage('app', 'young');
    await rig.as('puller', 'GET', '/v2/app/manifests/by-tag');
    await rig.as('puller', 'GET', `/v2/app/manifests/${digest}`);
    await rig.as('puller', 'HEAD', '/v2/app/manifests/unused');
    expect(await purge(rig, unused)).toEqual([]);
    rig.clock.time += 10 * dayMs;
    expect(await purge(rig, { ...unused, dryRun: true })).toEqual(['app:unused']);
    expect(await purge(rig, unused)).toEqual(['app:unused']);
    rig.clock.time += 20 * dayMs;
    expect(await purge(rig, unused)).toEqual(['app:by-digest', 'app:by-tag', 'app:young']);
  });

  it('takes untagged manifests that nobody has pulled for so long, and keeps those of an index that somebody has', async () => {
    const rig = await start();
    const order = { filters: [], ago: '1d', notPulledFor: '30d', untaggedOnly: true };
    const { care } = rig.registry;
    await care.purge({ ...order, dryRun: true }, 'admin');
    const unused = await rig.pushImage('app', 'by digest');
    const child = await rig.pushImage('app', 'by digest', { annotations: { is: 'a child' } });
    const index = await rig.pushIndex('app', 'by digest', [child.digest]);
    rig.clock.time += 20 * dayMs;
    await rig.send('GET', `/v2/app/manifests/${index}`);
    rig.clock.time += 20 * dayMs;
    const report = await care.purge(order, 'admin');
    expect(report.manifests.map(({ digest }) => digest)).toEqual([unused.digest]);
  });

  it('knows nothing of pulls before they were noted, and takes nothing by them until so long after', async () => {
    const rig = await start();
    await rig.pushImage('app', 'v1');
    rig.clock.time += 365 * dayMs;
    const order = { ago: '1d', notPulledFor: '30d' };
    expect(await purge(rig, order)).toEqual([]);
    rig.clock.time += 30 * dayMs - 1;
    expect(await purge(rig, order)).toEqual([]);
    rig.clock.time += 1;
    expect(await purge(rig, order)).toEqual(['app:v1']);
  });

  it('asks for pulls by its schedule, too', async () => {
    const rig = await start();
    await rig.pushImage('app', 'used');
    await rig.pushImage('app', 'unused');
    const rules = [{ filters: ['.*:.*'], ago: '1d', notPulledFor: '2d' }];
    await rig.set({ purgePolicy: { status: 'enabled', schedule: '0 3 * * *', rules } });
    const { care } = rig.registry;
    for (let day = 0; day < 4; day += 1) {
      await care.runPolicies();
      await rig.send('GET', '/v2/app/manifests/used');
      rig.clock.time += dayMs;
    }
    await care.runPolicies();
    expect(rig.registry.listTags('app')).toEqual(['used']);
  });

  it('takes no locked tag, and no signature of an image that stays', async () => {
    const rig = await start();
    const { digest } = await rig.pushImage('app', 'v1');
    await rig.pushImage('app', `sha256-${digest.slice(7)}.sig`);
    const headers = { 'content-type': 'application/json' };
    await rig.send('PATCH', '/acr/v1/app/_tags/v1', { body: '{"writeEnabled":false}', headers });
    rig.clock.time += dayMs;
    expect(await purge(rig, { untagged: true })).toEqual([]);
    await rig.send('PATCH', '/acr/v1/app/_tags/v1', { body: '{"writeEnabled":true}', headers });
    expect(await purge(rig, { untagged: true })).toHaveLength(2);
    expect(rig.registry.listTags('app')).toEqual([]);
  });

  it('runs by its schedule, once for each occurrence, and not before the first', async () => {
    const rig = await start();
    await rig.pushImage('app', 'v1');
    const rules = [{ filters: ['.*:.*'], ago: '1h' }];
    rig.clock.time += 2 * hourMs;
    await rig.set({ purgePolicy: { status: 'enabled', schedule: '0 3 * * *', rules } });
    const run = (): Promise<object> => rig.registry.care.runPolicies();
    expect(await run()).toEqual({ removed: 0, forgotten: 0 });
    rig.clock.time += hourMs;
    expect(await run()).toEqual({ removed: 1, forgotten: 0 });
    await rig.pushImage('app', 'v2');
    rig.clock.time += 20 * hourMs;
    expect(await run()).toEqual({ removed: 0, forgotten: 0 });
    rig.clock.time += 4 * hourMs;
    expect(await run()).toEqual({ removed: 1, forgotten: 0 });
  });

  it('removes many in commits of bounded size', async () => {
    const rig = await start();
    const tags = Array.from({ length: 300 }, (_, at) => `t${String(at)}`);
    for (const tag of tags) await rig.pushImage('app', tag);
    rig.clock.time += dayMs;
    expect(await purge(rig, { untagged: true })).toHaveLength(300);
    const { repositories } = await rig.registry.care.usage();
    expect(repositories).toMatchObject([{ repository: 'app', manifests: 0, tags: 0 }]);
  }, 20_000);

  it.each([
    [{ filters: [] }, 'filters'],
    [{ filters: ['app'] }, 'filters[0]'],
    [{ filters: ['app:v1', 'a:b:c'] }, 'filters[1]'],
    [{ filters: ['app:('] }, 'filters[0]'],
    [{ filters: ['app:(?=x)'] }, 'filters[0]'],
    [{ ago: '' }, 'ago'],
    [{ ago: '3 days' }, 'ago'],
    [{ ago: '-1d' }, 'ago'],
    [{ keep: -1 }, 'keep'],
    [{ keep: 1.5 }, 'keep'],
  ])('refuses %j', async (order, field) => {
    const rig = await start();
    await expect(purge(rig, order)).rejects.toMatchObject({ failure: { reason: 'invalid-request', field } });
  });
});

describe('a filter of a purge', () => {
  it.each([
    ['app:.*', 'app', 'x', true],
    ['app:.*', 'team/app', 'x', false],
    ['team/.*:^v[0-9]+$', 'team/app', 'v12', true],
    ['team/.*:^v[0-9]+$', 'team/app', 'v12-rc', false],
    ['app:rc', 'app', 'v12-rc', true],
    ['(?:a|b):(?i:X)', 'b', 'x', true],
    ['[[:alpha:]]+:[[:digit:]]', 'app', '1', true],
    ['a|b:c', 'ab', 'c', false],
  ])('%s and %s:%s', (filter, repository, tag, isMatch) => {
    const parsed = parsePurgeFilter(filter, 'filter');
    expect(parsed.matchesRepository(repository) && parsed.matchesTag(tag)).toBe(isMatch);
  });

  it('reads ages', () => {
    expect(parseAge('2d3h6m', 'ago')).toBe(2 * dayMs + 3 * hourMs + 360_000);
    expect(parseAge('0d', 'ago')).toBe(0);
    expect(parseAge('90s', 'ago')).toBe(90_000);
  });
});
