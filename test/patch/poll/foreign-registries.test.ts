import { createHash } from 'node:crypto';
import { onTestFinished, describe, expect, it } from 'vitest';
import { createSender } from '../../../src/registry-client/sender.ts';
import { createRegistrySession } from '../../../src/registry-client/session.ts';
import type { TaskName } from '../../../src/domain/task.ts';
import { startRegistry } from '../../registry/rig.ts';
import { anImage, digestOf, openRegistries, startFake } from './rig.ts';

const bot = { userName: 'bot', password: 'pass' };
const basicOf = (user: string, password: string) => `Basic ${Buffer.from(`${user}:${password}`).toString('base64')}`;
const none: readonly TaskName[] = [];

/** A registry that wants tokens for each repository, given to `bot` alone. */
async function startTokenRegistry(status = 200) {
  const fake = await startFake(({ path, headers }, response) => {
    const url = new URL(path, 'http://x');
    if (url.pathname === '/token') {
      if (headers.authorization !== basicOf('bot', 'pass')) response.writeHead(401).end();
      else response.end(JSON.stringify({ token: `for ${url.searchParams.get('scope') ?? ''}`, expires_in: 300 }));
    } else if (headers.authorization?.startsWith('Bearer for repository:') === true)
      response.writeHead(status, { 'docker-content-digest': digestOf('a'), etag: '"e1"' }).end();
    else
      response
        .writeHead(401, { 'www-authenticate': `Bearer realm="http://${fake.host}/token",service="fake"` })
        .end('{"errors":[]}');
  });
  return fake;
}

describe('asking a foreign registry what a tag stands for', () => {
  it('is one HEAD that takes every kind of manifest', async () => {
    const headers = { 'docker-content-digest': digestOf('a'), 'ratelimit-remaining': '9;w=60' };
    const fake = await startFake((_, response) => response.writeHead(200, headers).end());
    const { registries } = openRegistries();
    const asked = await registries.headTag(anImage(`${fake.host}/team/base:1`), none);
    expect(asked).toEqual({ kind: 'found', digest: digestOf('a'), budget: { remaining: 9, windowMs: 60_000 } });
    expect(fake.log()).toEqual(['HEAD /v2/team/base/manifests/1']);
    expect(fake.requests[0]?.headers.accept?.split(', ')).toHaveLength(4);
    expect(fake.requests[0]?.headers.authorization).toBeUndefined();
  });

  it('works with our own registry as the foreign one, whose password is asked for', async () => {
    const there = await startRegistry();
    onTestFinished(() => there.stop());
    const { digest } = await there.pushImage('team/base', '1');
    const host = new URL(there.url).host;
    const { registries } = openRegistries([{ userName: 'admin', password: 'secret' }]);
    const image = anImage(`${host}/team/base:1`);
    expect(await registries.headTag(image, none)).toMatchObject({ kind: 'found', digest });
    expect(await registries.headTag(anImage(`${host}/team/base:2`), none)).toMatchObject({ kind: 'absent' });
    await there.pushImage('team/base', '20.1');
    const repository = { registry: host, repository: 'team/base' };
    expect(await registries.listTags(repository, none)).toMatchObject({ kind: 'found', tags: ['1', '20.1'] });
    const stranger = openRegistries().registries;
    expect(await stranger.headTag(image, none)).toMatchObject({ kind: 'refused' });
  });

  it('gets a token where one is wanted, keeps it, and asks no further registry for the way again', async () => {
    const fake = await startTokenRegistry();
    const { registries, clock } = openRegistries([bot]);
    for (const repository of ['base', 'base', 'other'])
      expect(await registries.headTag(anImage(`${fake.host}/${repository}:1`), none)).toMatchObject({ kind: 'found' });
    const token = (name: string) => `GET /token?service=fake&scope=repository%3A${name}%3Apull`;
    const head = (name: string) => `HEAD /v2/${name}/manifests/1`;
    const first = [head('base'), token('base'), head('base'), head('base'), token('other'), head('other')];
    expect(fake.log()).toEqual(first);
    clock.advance(300_000);
    await registries.headTag(anImage(`${fake.host}/base:1`), none);
    expect(fake.log().slice(first.length)).toEqual([token('base'), head('base')]);
  });

  it('tries one credential after the other, and says when none may', async () => {
    const fake = await startTokenRegistry();
    const wrong = { userName: 'bot', password: 'old' };
    const image = anImage(`${fake.host}/base:1`);
    expect(await openRegistries([wrong, bot]).registries.headTag(image, none)).toMatchObject({ kind: 'found' });
    expect(await openRegistries([wrong]).registries.headTag(image, none)).toMatchObject({ kind: 'refused' });
    expect(await openRegistries().registries.headTag(image, none)).toMatchObject({ kind: 'refused' });
  });

  it('sends no password to a server of tokens that is reached in the clear, unless all is on this machine', async () => {
    const fake = await startTokenRegistry();
    const urls: string[] = [];
    const plain = createSender();
    const sender: typeof plain = {
      ...plain,
      send: (request) => {
        urls.push(request.url);
        return plain.send({ ...request, url: request.url.replace(/^https:\/\/registry\.test/, `http://${fake.host}`) });
      },
    };
    const ask = createRegistrySession({ sender, clock: { now: Date.now } });
    const place = { registry: 'registry.test', repository: 'base' };
    const answer = await ask({
      place,
      path: 'manifests/1',
      method: 'HEAD',
      headers: {},
      credentials: async () => [bot],
    });
    answer.body.destroy();
    expect(answer.status).toBe(401);
    expect(urls).toEqual(['https://registry.test/v2/base/manifests/1']);
  });

  it('is told that nothing has changed where the registry knows ETags', async () => {
    const fake = await startFake(({ headers }, response) => {
      if (headers['if-none-match'] === '"e1"') response.writeHead(304).end();
      else response.writeHead(200, { etag: '"e1"', 'docker-content-digest': digestOf('a') }).end();
    });
    const { registries } = openRegistries();
    const image = anImage(`${fake.host}/base:1`);
    expect(await registries.headTag(image, none)).toMatchObject({ kind: 'found', etag: '"e1"' });
    expect(await registries.headTag(image, none, '"e1"')).toEqual({ kind: 'same', budget: {} });
  });

  it('reads the manifest where a registry does not know HEAD, or does not say the digest', async () => {
    const body = '{"schemaVersion":2}';
    const digest = `sha256:${createHash('sha256').update(body).digest('hex')}`;
    for (const status of [200, 405]) {
      const fake = await startFake(({ method }, response) => {
        if (method === 'HEAD') response.writeHead(status).end();
        else response.end(body);
      });
      const asked = await openRegistries().registries.headTag(anImage(`${fake.host}/base:1`), none, '"old"');
      expect(asked).toMatchObject({ kind: 'found', digest });
      expect(fake.requests[1]?.headers['if-none-match']).toBeUndefined();
    }
  });

  it('tells a registry that is busy from one that fails, refuses, or may not be reached', async () => {
    let [status, headers]: [number, Record<string, string>] = [429, { 'retry-after': '7', 'ratelimit-remaining': '0' }];
    const fake = await startFake((_, response) => response.writeHead(status, headers).end());
    const { registries } = openRegistries();
    const ask = (image = anImage(`${fake.host}/base:1`)) => registries.headTag(image, none);
    expect(await ask()).toMatchObject({ kind: 'busy', retryAfterMs: 7000, budget: { remaining: 0 } });
    [status, headers] = [503, { 'retry-after': '9' }];
    expect(await ask()).toMatchObject({ kind: 'busy', retryAfterMs: 9000 });
    [status, headers] = [502, {}];
    expect(await ask()).toMatchObject({ kind: 'failed', because: 'the registry answers 502' });
    status = 403;
    expect(await ask()).toMatchObject({ kind: 'refused' });
    status = 404;
    expect(await ask()).toMatchObject({ kind: 'absent' });
    expect(await ask(anImage('127.0.0.1:1/base:1'))).toMatchObject({ kind: 'failed' });
    const shut = openRegistries([], []).registries;
    const refused = await shut.headTag(anImage(`${fake.host}/base:1`), none);
    expect(refused).toMatchObject({
      kind: 'refused',
      because: expect.stringContaining('SLIPWAY_EGRESS_ALLOW') as string,
    });
  });

  it('follows the pages of tags within the registry, and nowhere else', async () => {
    const fake = await startFake(({ path }, response) => {
      const last = new URL(path, 'http://x').searchParams.get('last');
      const [tags, next] =
        last === null ? [['1'], '/v2/base/tags/list?last=1&n=1000'] : [['2'], 'http://elsewhere.test/'];
      response.writeHead(200, { link: `<${next}>; rel="next"` }).end(JSON.stringify({ name: 'base', tags }));
    });
    const { registries } = openRegistries();
    const asked = await registries.listTags({ registry: fake.host, repository: 'base' }, none);
    expect(asked).toMatchObject({ kind: 'found', tags: ['1', '2'] });
    expect(fake.log()).toEqual(['GET /v2/base/tags/list?n=1000', 'GET /v2/base/tags/list?last=1&n=1000']);
  });

  it('calls nonsense a failure', async () => {
    const fake = await startFake((_, response) => response.end('<html>'));
    const asked = await openRegistries().registries.listTags({ registry: fake.host, repository: 'base' }, none);
    expect(asked).toMatchObject({ kind: 'failed', because: 'the registry sends what is no JSON' });
  });
});
