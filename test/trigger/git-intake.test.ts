import { randomUUID } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { sealTaskSecrets } from '../../src/trigger/sealed-secrets.ts';
import { createDeliverySweep } from '../../src/trigger/delivery-sweep.ts';
import { hookSecret, repositoryUrl, signDelivery, signPush } from '../rig/deliveries.ts';
import { a, b, c, failure, key, setUpWith } from './git-rig.ts';

describe('what comes in', () => {
  it('without a signature is refused, as is one that is wrong, and a task that does not exist the same way', async () => {
    const { take, store } = await setUpWith();
    const push = signPush({ commit: a });
    const { 'x-hub-signature-256': _, ...unsigned } = push.headers;
    await expect(take({ ...push, headers: unsigned })).rejects.toMatchObject(failure('unauthenticated'));
    const wrong = signDelivery('push', {}, { secret: 'another' });
    const refusals = await Promise.allSettled([take(wrong), take(push, { hook: 'nobody' })]);
    const [one, other] = refusals.map((result) => (result.status === 'rejected' ? String(result.reason) : ''));
    expect(one).toContain('wrong');
    expect(other).toBe(one);
    expect((await store.deliveries.list({ limit: 10 })).deliveries).toEqual([]);
  });

  it('is taken with the secret before a rotation as well', async () => {
    const secrets = { arguments: {}, registries: {}, sources: {}, webhook: ['fresh', hookSecret] };
    const { take } = await setUpWith({ sealedSecrets: sealTaskSecrets(key, secrets) });
    expect(await take(signPush({ commit: a }))).toMatchObject({ isPing: false });
  });

  it('with a good signature that cannot be read is refused with the field, and shown', async () => {
    const { take, store } = await setUpWith();
    const malformed = signDelivery('push', { ref: 'refs/heads/main', repository: {} });
    await expect(take(malformed)).rejects.toMatchObject({
      failure: { reason: 'invalid-request', field: expect.any(String) },
    });
    const [delivery] = (await store.deliveries.list({ limit: 10 })).deliveries;
    expect(delivery).toMatchObject({ status: 'failed', notes: [expect.stringContaining('repository')] });
  });

  it('that is a ping or a deletion is done at once or starts nothing', async () => {
    const { take, store, queued, deliver } = await setUpWith();
    const { deliveryId, isPing } = await take(signDelivery('ping', { zen: 'calm' }));
    expect(isPing).toBe(true);
    expect(await store.deliveries.get(deliveryId)).toMatchObject({ status: 'done', event: 'ping' });
    expect(queued).toEqual([]);
    const repository = { id: 1, full_name: 'Acme/shop', clone_url: repositoryUrl };
    const gone = { ref: 'refs/heads/old', before: a, after: '0'.repeat(40), deleted: true, repository };
    expect((await deliver(signDelivery('push', gone)))?.verdicts[0]?.because).toBe('branch old was deleted');
  });

  it('is kept in at most 1 MiB, however long the list of its paths', async () => {
    const { take, store } = await setUpWith();
    const paths = Array.from({ length: 100_000 }, (_, at) => `folder/of/a/file/number-${at}.txt`);
    const repository = { id: 1, full_name: 'Acme/shop', clone_url: repositoryUrl };
    const commits = [{ id: a, message: 'All', added: paths, modified: [], removed: [] }];
    const { deliveryId } = await take(
      signDelivery('push', {
        ref: 'refs/heads/main',
        before: b,
        after: a,
        repository,
        commits,
        head_commit: commits[0],
      }),
    );
    const payload = (await store.deliveries.payload(deliveryId)) ?? '';
    expect(payload.length).toBeLessThan(1024 * 1024);
    expect(payload).toContain('"isComplete":false');
  });

  it('keeps the forge’s own id where it can stand in a URL', async () => {
    const { take } = await setUpWith();
    const id = randomUUID();
    expect((await take(signPush({ commit: a, id }))).deliveryId).toBe(`build-app.github.${id}`);
    expect((await take(signPush({ commit: a, id: '../../x' }))).deliveryId).toMatch(
      /^build-app\.github\.[0-9a-f]{32}$/,
    );
  });
});

describe('the sweep', () => {
  it('queues what was recorded and is not worked off after half a minute, and nothing else', async () => {
    const { store, clock, take, deliver, advance } = await setUpWith();
    await deliver(signPush({ commit: a }));
    const lost = await take(signPush({ commit: b }));
    advance(40_000);
    await take(signPush({ commit: c }));
    const swept: string[] = [];
    const queue = { enqueue: async (id: string) => void swept.push(id) };
    await createDeliverySweep({ deliveries: store.deliveries, queue, clock })();
    expect(swept).toEqual([lost.deliveryId]);
  });
});
