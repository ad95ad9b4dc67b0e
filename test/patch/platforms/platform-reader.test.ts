import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { ImageAtDigest } from '../../../src/domain/base-image.ts';
import type { Digest } from '../../../src/domain/digest.ts';
import { fail } from '../../../src/domain/failure.ts';
import { createReadForeign } from '../../../src/patch/notice/find-update.ts';
import { createImageGraph } from '../../../src/patch/graph/image-graph.ts';
import { createPlatformReader } from '../../../src/patch/platforms/platform-reader.ts';
import type { PlatformReader } from '../../../src/patch/ports.ts';
import type { RegistryDocument } from '../../../src/registry-client/documents.ts';
import { indexType, startRegistry, type RunningRegistry } from '../../registry/rig.ts';
import type { testClock } from '../poll/rig.ts';
import { openRegistries, startFake } from '../poll/rig.ts';

const wanted = ['linux/amd64', 'linux/s390x'];
const admin = { userName: 'admin', password: 'secret' };
const gone = `sha256:${'f'.repeat(64)}` as Digest;

describe('what an image has for platforms', () => {
  let running: RunningRegistry;
  let index: Digest;
  let child: string;
  let foreign: (image: ImageAtDigest) => Promise<RegistryDocument | undefined>;
  let platformsOf: PlatformReader;
  let clock: ReturnType<typeof testClock>;
  const own = (digest: Digest): ImageAtDigest => ({
    registry: 'registry.test',
    repository: 'team/base',
    tag: '1',
    digest,
  });
  const there = (digest: Digest): ImageAtDigest => ({ ...own(digest), registry: new URL(running.url).host });

  beforeEach(async () => {
    running = await startRegistry();
    const image = await running.pushImage('team/base', 'by digest');
    child = image.digest;
    const entry = { mediaType: 'application/vnd.oci.image.manifest.v1+json', digest: child, size: image.bytes.length };
    const manifests = [{ ...entry, platform: { os: 'linux', architecture: 'amd64' } }];
    const body = JSON.stringify({ schemaVersion: 2, mediaType: indexType, manifests });
    const headers = { 'content-type': indexType };
    const answer = await running.send('PUT', '/v2/team/base/manifests/1', { body, headers });
    index = answer.headers.get('docker-content-digest') as Digest;
    const opened = openRegistries([admin]);
    clock = opened.clock;
    foreign = createReadForeign({ readGraph: async () => createImageGraph(), registries: opened.registries });
    platformsOf = createPlatformReader({
      registryHost: 'Registry.Test',
      url: running.url,
      credential: () => admin,
      readForeign: (image) => foreign(image),
      clock,
    });
  });
  afterEach(() => running.stop());

  it.each([
    ['ours', own],
    ['another', there],
  ])('is read out of its index: %s', async (_, at) => {
    expect(await platformsOf(at(index), wanted)).toEqual([
      { platform: 'linux/amd64', digest: child },
      { platform: 'linux/s390x' },
    ]);
    expect(await platformsOf(at(child as Digest), ['linux/s390x'])).toEqual([
      { platform: 'linux/s390x', digest: child },
    ]);
  });

  it.each([
    ['ours', own],
    ['another', there],
  ])('is nothing where the registry has no such image, or is away: %s', async (_, at) => {
    const nothing = [{ platform: 'linux/amd64' }];
    expect(await platformsOf(at(gone), ['linux/amd64'])).toEqual(nothing);
    const image = at(index);
    await running.stop();
    expect(await platformsOf(image, ['linux/amd64'])).toEqual(nothing);
    running = await startRegistry();
  });

  it('is asked for once where it is known, and of a registry that is away after a while alone', async () => {
    const asked: Digest[] = [];
    const answers: RegistryDocument[] = [];
    foreign = async ({ digest }) => {
      asked.push(digest);
      return answers[0] ?? Promise.reject(fail('source-unavailable', 'away'));
    };
    const image = there(index);
    expect(await platformsOf(image, [])).toEqual([]);
    expect(await platformsOf(image, ['linux/amd64'])).toEqual([{ platform: 'linux/amd64' }]);
    answers.push({ digest: index, mediaType: '', bytes: Buffer.from('{"config":{}}') });
    expect(await platformsOf(image, ['linux/amd64'])).toEqual([{ platform: 'linux/amd64' }]);
    clock.advance(60_000);
    for (let count = 0; count < 2; count += 1)
      expect(await platformsOf(image, ['linux/amd64'])).toEqual([{ platform: 'linux/amd64', digest: index }]);
    expect(asked).toEqual([index, index]);
  });

  it('is not believed of a registry that sends another manifest than it was asked for', async () => {
    const fake = await startFake((_, response) => response.writeHead(200).end('{"config":{}}'));
    const image = { ...own(gone), registry: fake.host };
    expect(await platformsOf(image, ['linux/amd64'])).toEqual([{ platform: 'linux/amd64' }]);
    expect(fake.log()).toEqual([`GET /v2/team/base/manifests/${gone}`]);
  });
});
