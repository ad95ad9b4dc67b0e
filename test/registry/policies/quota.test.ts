import { afterEach, describe, expect, it } from 'vitest';
import { codesOf, sha } from '../rig.ts';
import { dayMs, startCare, type CareRig } from './rig.ts';

const running: CareRig[] = [];
afterEach(async () => {
  for (const each of running.splice(0)) await each.stop();
});
const start = async (...given: Parameters<typeof startCare>): Promise<CareRig> => {
  const rig = await startCare(...given);
  running.push(rig);
  return rig;
};
const begin = (rig: CareRig, repository: string): Promise<Response> =>
  rig.send('POST', `/v2/${repository}/blobs/uploads/`);
const push = (rig: CareRig, repository: string, text: string): Promise<Response> =>
  rig.send('POST', `/v2/${repository}/blobs/uploads/?digest=${sha(text)}`, { body: text });

describe('usage', () => {
  it('counts each content once in a repository and once in all', async () => {
    const rig = await start();
    await rig.pushBlob('a', 'x'.repeat(100));
    await rig.pushBlob('b', 'x'.repeat(100));
    await rig.pushBlob('b', 'y'.repeat(50));
    const usage = await rig.registry.care.usage();
    expect(usage.bytes).toBe(150);
    expect(usage.repositories.map(({ repository, bytes }) => [repository, bytes])).toEqual([
      ['b', 150],
      ['a', 100],
    ]);
  });

  it('goes down with deletes and garbage collection, and stays the same over a restart', async () => {
    const rig = await start();
    const { digest, bytes } = await rig.pushImage('app', 'v1');
    const before = (await rig.registry.care.usage()).bytes;
    await rig.send('DELETE', `/v2/app/manifests/${digest}`);
    expect((await rig.registry.care.usage()).bytes).toBe(before - bytes.length);
    rig.clock.time += 2 * dayMs;
    await rig.registry.collect();
    expect((await rig.registry.care.usage()).bytes).toBe(0);
    await rig.pushBlob('app', 'something');
    await rig.stop();
    running.pop();
    const again = await start({ storage: rig.storage });
    expect((await again.registry.care.usage()).bytes).toBe(9);
  });
});

describe('a limit of the installation', () => {
  it('refuses what is beyond it, with figures, and lets through what is there already', async () => {
    const rig = await start({ care: { maxBytes: 100 } });
    expect((await push(rig, 'app', 'x'.repeat(90))).status).toBe(201);
    const refused = await push(rig, 'app', 'y'.repeat(20));
    expect(refused.status).toBe(403);
    const [{ code, message, detail }] = ((await refused.json()) as { errors: [Record<string, unknown>] }).errors;
    expect([code, detail]).toEqual(['DENIED', { usedBytes: 90, maxBytes: 100, addedBytes: 20 }]);
    expect(message).toContain('the registry may hold 100 bytes and holds 90 bytes');
    expect((await push(rig, 'other', 'x'.repeat(90))).status).toBe(201);
    expect((await push(rig, 'app', 'z'.repeat(10))).status).toBe(201);
    expect((await begin(rig, 'app')).status).toBe(403);
  });

  it('is asked again when an upload that did not say its size ends', async () => {
    const rig = await start({ care: { maxBytes: 100 } });
    const location = (await begin(rig, 'app')).headers.get('location') ?? '';
    const [first, text] = ['a'.repeat(60), 'b'.repeat(60)];
    const body = new Blob([text]).stream();
    const chunked = { body, duplex: 'half' } as RequestInit;
    expect((await rig.send('PATCH', location, chunked)).status).toBe(202);
    expect((await push(rig, 'app', first)).status).toBe(201);
    const answer = await rig.send('PUT', `${location}?digest=${sha(text)}`);
    expect([answer.status, await codesOf(answer)]).toEqual([403, ['DENIED']]);
    expect((await rig.registry.care.usage()).bytes).toBe(60);
  });

  it('is that of the tier, where none is given', async () => {
    const rig = await start({ care: { tier: 'Basic' } });
    expect(await rig.registry.care.usage()).toMatchObject({ tier: 'Basic', maxBytes: 10 * 1024 ** 3 });
  });
});

describe('a limit of some repositories', () => {
  it('counts what they hold together, mounts among it', async () => {
    const rig = await start();
    await rig.set({ quotaPolicy: { rules: [{ repositories: 'team/*', maxBytes: 100 }] } });
    expect((await push(rig, 'team/a', 'x'.repeat(60))).status).toBe(201);
    expect((await push(rig, 'team/b', 'y'.repeat(60))).status).toBe(403);
    expect((await push(rig, 'other', 'y'.repeat(60))).status).toBe(201);
    const mount = `/v2/team/b/blobs/uploads/?mount=${sha('y'.repeat(60))}&from=other`;
    expect((await rig.send('POST', mount)).status).toBe(403);
    expect((await push(rig, 'team/a', 'x'.repeat(60))).status).toBe(201);
    const { quotas } = await rig.registry.care.usage();
    expect(quotas).toEqual([{ repositories: 'team/*', maxBytes: 100, bytes: 60 }]);
  });
});

describe('a disk that is nearly full', () => {
  it('takes no uploads, with a warning, and serves and deletes what is there', async () => {
    let free = 10_000;
    const rig = await start({ care: { minFreeBytes: 1000, freeBytes: () => Promise.resolve(free) } });
    const { digest } = await rig.pushImage('app', 'v1');
    free = 1000;
    const answer = await push(rig, 'app', 'new');
    expect([answer.status, await codesOf(answer)]).toEqual([507, ['UNAVAILABLE']]);
    expect(answer.headers.get('warning')).toContain('free');
    expect((await rig.send('GET', '/v2/app/manifests/v1')).status).toBe(200);
    expect((await rig.send('DELETE', `/v2/app/manifests/${digest}`)).status).toBe(202);
  });
});
