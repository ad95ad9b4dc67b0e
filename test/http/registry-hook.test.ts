import { createHmac } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { fail } from '../../src/domain/failure.ts';
import type { PatchJob } from '../../src/queue/ports.ts';
import {
  azurePush,
  digest,
  distributionEnvelope,
  dockerHubPush,
  githubPackage,
  slipwayRun,
} from '../patch/notice/payloads.ts';
import { createTestClock, startRig } from './rig.ts';

const whsec = `whsec_${Buffer.alloc(32, 5).toString('base64')}`;
const secrets = ['the-new-secret', 'the-old-secret', whsec];

interface Sent {
  readonly path?: string;
  readonly method?: string;
  readonly headers?: Record<string, string>;
}

async function startHook({ given = secrets, failWith }: { given?: readonly string[]; failWith?: Error } = {}) {
  const jobs: PatchJob[] = [];
  const clock = createTestClock();
  const publish = async (job: PatchJob) => {
    if (failWith) throw failWith;
    jobs.push(job);
  };
  const rig = await startRig({ registryHook: { secrets: given, publish }, clock });
  const send = async (body: unknown, { path = '', method = 'POST', headers = {} }: Sent = {}) => {
    const text = typeof body === 'string' ? body : JSON.stringify(body);
    const response = await fetch(`${rig.url}/hooks/registry${path}`, {
      method,
      headers: { 'content-type': 'application/json', ...headers },
      ...(method === 'POST' && { body: text }),
    });
    const answer = await response.text();
    return {
      status: response.status,
      headers: response.headers,
      body: JSON.parse(answer || '{}') as Record<string, unknown>,
    };
  };
  const sign = (body: unknown, secret = 'the-old-secret') =>
    `sha256=${createHmac('sha256', secret).update(JSON.stringify(body)).digest('hex')}`;
  return { ...rig, jobs, clock, send, sign };
}

const byHeader = { headers: { authorization: 'the-new-secret' } };

describe('POST /hooks/registry', () => {
  it('queues what a registry tells, and answers 202 with what was taken and what was not, because', async () => {
    const { send, jobs } = await startHook();
    const { status, body } = await send(distributionEnvelope, byHeader);
    expect([status, body]).toEqual([
      202,
      {
        taken: [{ image: 'registry.test:5000/hello-world:latest', digest }],
        ignored: [
          { image: 'registry.test:5000/hello-world', because: 'it was pushed without a tag' },
          { because: '"pull" is no push' },
        ],
      },
    ]);
    const image = { registry: 'registry.test:5000', repository: 'hello-world', tag: 'latest', digest };
    const at = '2026-11-21T09:00:00.000Z';
    expect(jobs).toEqual([{ kind: 'told', update: { image, source: 'hook', at, by: 'ci' } }]);
  });

  it('takes an image once that a notice names often, as it was told last, and none of our own registry', async () => {
    const { send, jobs } = await startHook();
    const images = [
      { image: 'r.test/base:1', digest: `sha256:${'1'.repeat(64)}` },
      { image: 'r.test/base:1', digest },
      { image: 'localhost:5080/base:1' },
    ];
    const { body } = await send({ images }, byHeader);
    expect(jobs.map((job) => job.kind === 'told' && job.update.image.digest)).toEqual([digest]);
    expect(body['taken']).toHaveLength(1);
    expect(body['ignored']).toMatchObject([{ because: 'our own registry tells of its pushes itself' }]);
  });

  it('takes the secret in Authorization, plain, as a token or a password, in a header of its own, and in the URL', async () => {
    const { send } = await startHook();
    const basic = Buffer.from('hook:the-old-secret').toString('base64');
    const ways: Sent[] = [
      byHeader,
      { headers: { authorization: 'Bearer the-old-secret' } },
      { headers: { authorization: `Basic ${basic}` } },
      { headers: { 'x-slipway-secret': 'the-new-secret' } },
      { path: '?secret=the-new-secret' },
      { path: '/docker-hub?secret=the-new-secret' },
    ];
    for (const way of ways) expect((await send(dockerHubPush, way)).status, JSON.stringify(way)).toBe(202);
  });

  it('takes what is signed with a secret, as GitHub and Standard Webhooks do it', async () => {
    const { send, sign, clock } = await startHook();
    const hub = { 'x-github-event': 'registry_package', 'x-hub-signature-256': sign(githubPackage) };
    expect((await send(githubPackage, { headers: hub })).status).toBe(202);
    expect((await send({ ...githubPackage, action: 'updated' }, { headers: hub })).status).toBe(401);
    const timestamp = String(clock.now() / 1000);
    const mac = createHmac('sha256', Buffer.alloc(32, 5)).update(`msg_1.${timestamp}.${JSON.stringify(slipwayRun)}`);
    const signature = `v1,AAAA v1,${mac.digest('base64')}`;
    const headers = { 'webhook-id': 'msg_1', 'webhook-timestamp': timestamp, 'webhook-signature': signature };
    expect((await send(slipwayRun, { headers })).status).toBe(202);
    clock.advance(301_000);
    expect((await send(slipwayRun, { headers })).status).toBe(401);
  });

  it('answers 401 without a secret, with a wrong one and with a wrong signature, and takes nothing', async () => {
    const { send, sign, jobs } = await startHook();
    const wrong: Sent[] = [
      {},
      { path: '?secret=' },
      { path: '?secret=guess' },
      { headers: { authorization: 'Bearer guess' } },
      { headers: { 'x-hub-signature-256': sign(azurePush, 'guess') } },
      { headers: { 'x-hub-signature-256': 'sha256=' } },
      { headers: { 'webhook-signature': 'v1,' } },
    ];
    for (const way of wrong) expect((await send(azurePush, way)).status, JSON.stringify(way)).toBe(401);
    expect(jobs).toEqual([]);
  });

  it('is shut, and says how to open it, as long as there is no secret', async () => {
    const { send } = await startHook({ given: [] });
    const { status, body } = await send(azurePush, { path: '?secret=' });
    expect(status).toBe(403);
    expect(body['error']).toMatchObject({ hint: expect.stringContaining('SLIPWAY_REGISTRY_HOOK_SECRET') as string });
  });

  it('answers 400 for what cannot be read, 404 for a kind that is not known, 405 for another method', async () => {
    const { send } = await startHook();
    expect((await send('{"image"', byHeader)).status).toBe(400);
    expect((await send({ hello: 1 }, byHeader)).status).toBe(400);
    expect((await send(azurePush, { ...byHeader, path: '?registry=no%20host' })).status).toBe(400);
    expect((await send(azurePush, { ...byHeader, path: '/artifactory' })).status).toBe(404);
    expect((await send(undefined, { ...byHeader, method: 'GET' })).status).toBe(405);
  });

  it('answers 413 for more than a mebibyte, and 503 when the queue is away', async () => {
    const { send } = await startHook();
    expect((await send({ image: 'a', x: 'x'.repeat(1024 * 1024) }, byHeader)).status).toBe(413);
    const away = await startHook({ failWith: fail('redis-unavailable', 'Redis is away') });
    expect((await away.send(azurePush, byHeader)).status).toBe(503);
  });

  it('takes the registry from the URL where a registry does not know its name', async () => {
    const { send } = await startHook();
    const { body } = await send(azurePush, { ...byHeader, path: '/azure?registry=images.example.com' });
    expect(body['taken']).toEqual([{ image: 'images.example.com/base/hello-world:v1', digest }]);
  });

  it('agrees to the handshake of CloudEvents for who has the secret', async () => {
    const { send } = await startHook();
    const headers = { 'webhook-request-origin': 'eventgrid.azure.net' };
    const agreed = await send(undefined, { path: '?secret=the-new-secret', method: 'OPTIONS', headers });
    expect([agreed.status, agreed.headers.get('webhook-allowed-origin')]).toEqual([200, 'eventgrid.azure.net']);
    expect((await send(undefined, { method: 'OPTIONS', headers })).status).toBe(401);
  });
});
