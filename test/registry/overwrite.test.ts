import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { basic, codesOf, imageType, startRegistry, type RunningRegistry } from './rig.ts';

/** May push what is new, and move no tag that stands for something. */
const author = {
  name: 'author',
  may: (_: string, action: string) => action === 'pull' || action === 'push',
};

let running: RunningRegistry;
beforeEach(async () => {
  running = await startRegistry({
    authenticate: (username) => (username === 'author' ? author : { name: username, may: () => true }),
  });
});
afterEach(async () => {
  await running.stop();
});

const put = (tag: string, body: string): Promise<Response> =>
  running.send('PUT', `/v2/app/manifests/${tag}`, {
    body,
    headers: { authorization: basic('author', 'secret'), 'content-type': imageType },
  });

describe('whoever may push but not overwrite', () => {
  it('makes new tags, puts what is there again, and moves none', async () => {
    const { bytes } = await running.pushImage('app', 'v1');
    expect((await put('v2', bytes)).status).toBe(201);
    expect((await put('v1', bytes)).status).toBe(201);
    const other = JSON.stringify({ ...(JSON.parse(bytes) as object), annotations: { other: 'yes' } });
    const refused = await put('v1', other);
    expect([refused.status, await codesOf(refused)]).toEqual([403, ['DENIED']]);
    expect(await (await running.send('GET', '/v2/app/manifests/v1')).text()).toBe(bytes);
    expect((await put('v3', other)).status).toBe(201);
  });
});
