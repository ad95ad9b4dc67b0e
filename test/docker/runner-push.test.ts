import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Outcome } from '../../src/domain/outcome.ts';
import type { RegistryCredential } from '../../src/domain/run-request.ts';
import { connectEngine, createDockerRunner, type DockerRunner, type Engine } from '../../src/runner/docker/index.ts';
import {
  aBuild,
  aContext,
  aPush,
  aSetup,
  engineHost,
  recordIo,
  startRegistry,
  type RecordedIo,
  type TestRegistry,
} from '../runner/rig.ts';

const account: RegistryCredential = { userName: 'builder', password: 'pass?word>~ü' };
const never = new AbortController().signal;

let engine: Engine;
let registry: TestRegistry;
let credentials: Readonly<Record<string, RegistryCredential>>;

beforeAll(async () => {
  engine = connectEngine({ host: engineHost });
  registry = await startRegistry(account);
  credentials = { [registry.host]: account };
});

afterAll(async () => {
  await createRunner().sweep({ liveRuns: new Set(), keepImages: 0, minImageAgeMs: 0 });
  await registry.stop();
  engine.close();
});

function createRunner(builder: 'auto' | 'classic' = 'auto'): DockerRunner {
  const options = { engine, installation: 'push-tests', registryHost: registry.host, clock: { now: Date.now } };
  return createDockerRunner({ ...options, builder, pushBackoffMs: [10, 20] });
}

interface Done {
  readonly outcome: Outcome;
  readonly io: RecordedIo;
}

async function build(
  tag: string,
  text: string,
  builder: 'auto' | 'classic' = 'auto',
  known = credentials,
): Promise<Done> {
  const io = recordIo();
  const setup = aSetup({ context: aContext({ Dockerfile: text }), registryCredentials: known });
  const run = await createRunner(builder).prepare(setup);
  return { outcome: await run.run(aBuild({ tags: [tag] }), io, never), io };
}

async function push(images: readonly string[], known = credentials, signal = never): Promise<Done> {
  const io = recordIo();
  const run = await createRunner().prepare(aSetup({ registryCredentials: known }));
  return { outcome: await run.run(aPush(...images), io, signal), io };
}

async function digestIn(repository: string, tag: string): Promise<string | null> {
  const authorization = `Basic ${Buffer.from(`${account.userName}:${account.password}`).toString('base64')}`;
  const accept = 'application/vnd.docker.distribution.manifest.v2+json, application/vnd.oci.image.manifest.v1+json';
  const url = `http://${registry.host}/v2/${repository}/manifests/${tag}`;
  const answer = await fetch(url, { method: 'HEAD', headers: { authorization, accept } });
  return answer.headers.get('docker-content-digest');
}

describe('a push', () => {
  it('brings every image to its registry and tells the digest that the registry has', async () => {
    const images = ['one', 'two'].map((tag) => `${registry.host}/team/app:${tag}`);
    await build(images[0]!, 'FROM busybox\nRUN echo one\n');
    await build(images[1]!, 'FROM busybox\nRUN echo two\n');
    const { outcome, io } = await push(images);
    expect(outcome).toMatchObject({ kind: 'succeeded' });
    const [one, two] = await Promise.all(['one', 'two'].map((tag) => digestIn('team/app', tag)));
    const image = { registry: registry.host, repository: 'team/app' };
    expect(io.images).toEqual([
      { ...image, tag: 'one', digest: one },
      { ...image, tag: 'two', digest: two },
    ]);
    const again = await push(images);
    expect(again.io.text()).toContain('already there');
    expect(again.io.images).toEqual(io.images);
  });

  it('is refused without credentials, and not tried again', async () => {
    const image = `${registry.host}/team/refused:v1`;
    await build(image, 'FROM busybox\n');
    const { outcome, io } = await push([image], {});
    expect(outcome).toMatchObject({
      kind: 'failed',
      message: expect.stringContaining('the registry does not allow it'),
    });
    expect(io.text()).not.toContain('trying again');
    expect(io.images).toEqual([]);
  });

  it('is tried again when the registry has a passing trouble', async () => {
    const image = `${registry.host}/team/retried:v1`;
    await build(image, 'FROM busybox\n');
    let outages = 0;
    registry.outage = (method) => (method === 'PUT' && (outages += 1) === 1 ? 503 : undefined);
    const { outcome, io } = await push([image]).finally(() => (registry.outage = () => undefined));
    expect(outcome).toMatchObject({ kind: 'succeeded' });
    expect(io.text() + String(outages)).toMatch(/again|[2-9]$/);
  });

  it('fails when no image of that name was built', async () => {
    const image = `${registry.host}/team/nothing:v1`;
    const { outcome } = await push([image]);
    expect(outcome).toEqual({ kind: 'failed', message: `there is no image ${image} to push: no step has built it` });
  });

  it('stops when it is canceled', async () => {
    const image = `${registry.host}/team/canceled:v1`;
    await build(image, 'FROM busybox\nRUN echo canceled\n');
    const stop = new AbortController();
    registry.outage = (method) => {
      if (method === 'POST') stop.abort({ kind: 'canceled', by: 'a test' });
      return method === 'POST' ? 503 : undefined;
    };
    const { outcome, io } = await push([image], credentials, stop.signal).finally(
      () => (registry.outage = () => undefined),
    );
    expect(outcome.kind).toBe('canceled');
    expect(io.images).toEqual([]);
  });
});

describe.each(['auto', 'classic'] as const)('a build by the builder "%s" on a private image', (builder) => {
  const base = (): string => `${registry.host}/private/base-${builder}:v1`;

  it('pulls it with the credentials of its registry, and not without', async () => {
    await build(base(), `FROM busybox\nRUN echo ${builder} > /base\n`);
    expect((await push([base()])).outcome.kind).toBe('succeeded');
    await engine.json({ method: 'DELETE', path: `/images/${base()}` });
    const tag = `${registry.host}/private/app-${builder}:v1`;
    const text = `FROM ${base()}\nRUN cat /base && echo ${Date.now()}\n`;
    const refused = await build(tag, text, builder, {});
    expect(refused.outcome.kind).toBe('failed');
    const { outcome } = await build(tag, text, builder);
    expect(outcome).toMatchObject({ kind: 'succeeded' });
  });
});

describe('a sweep', () => {
  it('removes what ended runs left, keeps what live runs own and the newest images', async () => {
    const labels = (run: string): object => ({ 'slipway.installation': 'push-tests', 'slipway.run': run });
    const create = async (run: string): Promise<string> => {
      const body = { Image: 'busybox', Labels: labels(run) };
      const answer = (await engine.json({ method: 'POST', path: '/containers/create', body })) as { Id: string };
      await engine.json({
        method: 'POST',
        path: '/volumes/create',
        body: { Name: `runner-test-${answer.Id.slice(0, 12)}`, Labels: labels(run) },
      });
      return answer.Id;
    };
    const [dead, live] = [await create('cdead'), await create('clive')];
    const tags = ['old', 'new'].map((tag) => `${registry.host}/swept/app:${tag}`);
    for (const tag of tags) await build(tag, `FROM busybox\nRUN echo ${tag}\n`);
    const runner = createRunner();
    const young = await runner.sweep({ liveRuns: new Set(['cdead', 'clive']), keepImages: 0 });
    // Images that other tests pulled are as old as the engine's cache, and may go.
    expect(young).toMatchObject({ containers: 0, networks: 0, volumes: 0 });
    for (const tag of tags) await engine.json({ method: 'GET', path: `/images/${tag}/json` });
    const swept = await runner.sweep({ liveRuns: new Set(['clive']), keepImages: 1, minImageAgeMs: 0 });
    expect(swept).toMatchObject({ containers: 1, volumes: 1 });
    await expect(engine.json({ method: 'GET', path: `/containers/${dead}/json` })).rejects.toMatchObject({
      status: 404,
    });
    await expect(engine.json({ method: 'GET', path: `/images/${tags[0]!}/json` })).rejects.toMatchObject({
      status: 404,
    });
    await engine.json({ method: 'GET', path: `/images/${tags[1]!}/json` });
    await engine.json({ method: 'GET', path: `/containers/${live}/json` });
    expect(await runner.sweep({ liveRuns: new Set(), keepImages: 1 })).toMatchObject({ containers: 1, volumes: 1 });
  });
});
