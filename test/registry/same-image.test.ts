import { gzipSync } from 'node:zlib';
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createMemoryBlobStore } from '../../src/blob/memory/store.ts';
import type { Digest } from '../../src/domain/digest.ts';
import { createComparer } from '../../src/registry/same-image/compare.ts';
import { admin, basic, descriptor, indexType, sha, startRegistry, type RunningRegistry } from './rig.ts';
import { configOf, layerTypes, pushParts, tarOf, type Entry, type ImageParts } from './same-image-rig.ts';

const files: readonly Entry[] = [
  { name: 'etc/', type: 'directory', mode: 0o755 },
  { name: 'etc/app.conf', text: 'port = 80\n', mode: 0o644, uid: 10, gid: 20 },
  { name: 'bin/app', text: 'ELF', mode: 0o755 },
  { name: 'bin/link', type: 'symlink', linkname: 'app' },
];
const [monday, tuesday] = [1_700_000_000, 1_700_086_400];
const patcher = { authorization: basic('patcher', 'secret') };

describe('a push by somebody whose tags are kept', () => {
  let running: RunningRegistry;
  const tagDigest = () => running.registry.resolve('team/app', 'v1')?.digest;

  beforeEach(async () => {
    running = await startRegistry({
      authenticate: (username, password) => {
        if (password !== 'secret') return undefined;
        return username === 'patcher' ? { name: 'patcher', may: () => true, keepsSame: true } : admin;
      },
    });
  });
  afterEach(() => running.stop());

  /** Pushes one image as everybody does, then the other as the patcher; true when the tag stayed. */
  async function isKept(before: ImageParts, after: ImageParts): Promise<boolean> {
    const old = await pushParts(running, before);
    const next = await pushParts(running, after, { headers: patcher });
    expect(next).toMatchObject({ status: 201, answered: next.digest });
    expect(running.registry.resolve('team/app', next.digest)?.digest).toBe(next.digest);
    expect([old.digest, next.digest]).toContain(tagDigest());
    return tagDigest() === old.digest && old.digest !== next.digest;
  }
  const image = async (seconds: number, entries = files, more: Partial<ImageParts> = {}): Promise<ImageParts> => ({
    layers: [await tarOf(entries, seconds)],
    config: configOf(new Date(seconds * 1000).toISOString()),
    ...more,
  });

  it('leaves the tag where it is when the image is the same but for times', async () => {
    expect(await isKept(await image(monday), await image(tuesday))).toBe(true);
    const pushes = running.events.filter(({ kind }) => kind === 'push');
    expect(pushes.map((event) => ('tag' in event ? event.tag : undefined))).toEqual(['v1', undefined]);
  });

  it('moves the tag of everybody else', async () => {
    await pushParts(running, await image(monday));
    const next = await pushParts(running, await image(tuesday));
    expect(tagDigest()).toBe(next.digest);
  });

  it('makes the first image of a tag, and takes the very same one again', async () => {
    const first = await pushParts(running, await image(monday), { headers: patcher });
    expect(tagDigest()).toBe(first.digest);
    expect((await pushParts(running, await image(monday), { headers: patcher })).status).toBe(201);
    expect(tagDigest()).toBe(first.digest);
  });

  it('decides for each tag by itself', async () => {
    await pushParts(running, await image(monday));
    const other = await pushParts(running, await image(monday, files.slice(0, 2)), { tag: 'v2' });
    const next = await image(tuesday);
    const { digest } = await pushParts(running, next, { tag: 'v2', headers: patcher });
    expect(digest).not.toBe(other.digest);
    expect(running.registry.resolve('team/app', 'v2')?.digest).toBe(digest);
  });

  it('looks into layers with and without compression, and compares one with the other', async () => {
    const plain = { layerType: layerTypes.plain };
    expect(await isKept(await image(monday, files, plain), await image(tuesday, files, plain))).toBe(true);
    expect(await isKept(await image(monday, files, plain), await image(tuesday))).toBe(true);
  });

  it.each<[string, Record<string, unknown>]>([
    ['its variables', { config: { Env: ['PATH=/usr/bin'], Cmd: ['/app'] } }],
    ['its command', { config: { Env: ['PATH=/bin'], Cmd: ['/other'] } }],
    ['a label', { config: { Env: ['PATH=/bin'], Cmd: ['/app'], Labels: { a: 'b' } } }],
    ['its architecture', { architecture: 'arm64' }],
    ['a member that nobody knows', { variant: 'v8' }],
    ['its history', { history: [{ created_by: 'RUN something else' }] }],
  ])('moves the tag when the configuration differs in %s', async (_, change) => {
    expect(await isKept(await image(monday), await image(tuesday, files, { config: configOf('x', change) }))).toBe(
      false,
    );
  });

  it('takes no notice of labels and members that only tell of the making', async () => {
    const made = (time: string) =>
      configOf(time, {
        config: {
          Labels: { 'org.opencontainers.image.created': time, 'org.opencontainers.image.base.digest': sha(time) },
        },
        'moby.buildkit.buildinfo.v1': time,
        container_config: { Hostname: time },
      });
    expect(
      await isKept(
        await image(monday, files, { config: made('a') }),
        await image(tuesday, files, { config: made('b') }),
      ),
    ).toBe(true);
  });

  const conf = files[1] as Entry;
  it.each<[string, Entry]>([
    ['its bytes', { ...conf, text: 'port = 81\n' }],
    ['its length', { ...conf, text: 'port = 8080\n' }],
    ['its name', { ...conf, name: 'etc/app2.conf' }],
    ['its mode', { ...conf, mode: 0o600 }],
    ['its owner', { ...conf, uid: 11 }],
    ['its group', { ...conf, gid: 21 }],
    ['an extended attribute', { ...conf, pax: { 'SCHILY.xattr.user.a': 'b' } }],
    ['its kind', { name: 'etc/app.conf', type: 'symlink', linkname: 'x', mode: 0o644, uid: 10, gid: 20 }],
  ])('moves the tag when a file differs in %s', async (_, changed) => {
    const entries = files.map((entry) => (entry === conf ? changed : entry));
    expect(await isKept(await image(monday), await image(tuesday, entries))).toBe(false);
  });

  it('takes no notice of times in extended headers', async () => {
    const at = (mtime: string): readonly Entry[] => files.map((entry) => ({ ...entry, pax: { mtime, atime: mtime } }));
    expect(await isKept(await image(monday, at('1700000000.5')), await image(tuesday, at('1700086400.25')))).toBe(true);
  });

  it('moves the tag when a layer is more, gone, or in another place', async () => {
    const [one, two] = [await tarOf(files.slice(0, 2)), await tarOf(files.slice(2))];
    const config = configOf('x');
    expect(await isKept({ layers: [one, two], config }, { layers: [two, one], config })).toBe(false);
    expect(await isKept({ layers: [one, two], config }, { layers: [one], config })).toBe(false);
    expect(await isKept({ layers: [one], config }, { layers: [one, two], config })).toBe(false);
  });

  it('moves the tag when it cannot look into a layer that has other bytes', async () => {
    const zstd = { layerType: layerTypes.zstd };
    expect(await isKept(await image(monday, files, zstd), await image(tuesday, files, zstd))).toBe(false);
    const broken = (text: string) => ({ layers: [Buffer.from(text)], layerType: layerTypes.gzip });
    expect(await isKept({ ...broken('a') }, { ...broken('b') })).toBe(false);
  });

  it('compares lists of platforms child by child, without what is stated about their making', async () => {
    const pushList = async (seconds: number, by: Record<string, string>, entries = files) => {
      const child = await pushParts(running, await image(seconds, entries), { tag: `child-${String(seconds)}` });
      const attested = await pushParts(running, await image(seconds, [{ name: String(seconds) }]), {
        tag: 'statement',
      });
      const size = (digest: string) => running.registry.resolve('team/app', digest)?.size;
      const entry = (digest: string, more: object) => ({
        mediaType: 'application/vnd.oci.image.manifest.v1+json',
        digest,
        size: size(digest),
        ...more,
      });
      const body = JSON.stringify({
        schemaVersion: 2,
        mediaType: indexType,
        manifests: [
          entry(child.digest, { platform: { os: 'linux', architecture: 'amd64' } }),
          entry(attested.digest, {
            platform: { os: 'unknown', architecture: 'unknown' },
            annotations: { 'vnd.docker.reference.type': 'attestation-manifest' },
          }),
        ],
      });
      await running.send('PUT', '/v2/team/app/manifests/v1', { body, headers: { 'content-type': indexType, ...by } });
      return sha(body);
    };
    const old = await pushList(monday, {});
    await pushList(tuesday, patcher);
    expect(tagDigest()).toBe(old);
    const other = await pushList(tuesday + 1, patcher, files.slice(0, 1));
    expect(tagDigest()).toBe(other);
  });

  it('never takes two layers for the same that differ in anything but times', async () => {
    const name = fc.stringMatching(/^[a-zé]{1,12}$/);
    const entry = fc.record({
      name,
      text: fc.string({ maxLength: 40 }),
      mode: fc.constantFrom(0o644, 0o755),
      uid: fc.nat(3),
    });
    const list = fc.uniqueArray(entry, { selector: (one) => one.name, minLength: 1, maxLength: 5 });
    await fc.assert(
      fc.asyncProperty(list, list, fc.nat(2_000_000_000), async (one, other, seconds) => {
        const isSame = JSON.stringify(one) === JSON.stringify(other);
        expect(await isKept(await image(1, one), await image(seconds + 2, one))).toBe(true);
        if (!isSame) expect(await isKept(await image(1, one), await image(seconds + 2, other))).toBe(false);
      }),
      { numRuns: 40 },
    );
  });

  it('answers whatever layers and configurations hold', async () => {
    const bytes = fc.uint8Array({ maxLength: 700 }).map((list) => Buffer.from(list));
    await fc.assert(
      fc.asyncProperty(bytes, bytes, fc.jsonValue(), fc.jsonValue(), async (one, other, left, right) => {
        await pushParts(running, { layers: [one], config: left as Record<string, unknown> });
        const next = await pushParts(
          running,
          { layers: [other], config: right as Record<string, unknown> },
          { headers: patcher },
        );
        expect(next.status).toBe(201);
      }),
      { numRuns: 60 },
    );
  });
});

it('a layer that unpacks to more than it may counts as different', async () => {
  const storage = createMemoryBlobStore(() => 0);
  const add = async (bytes: Buffer): Promise<string> => {
    await storage.put(sha(bytes).replace(':', '/'), bytes);
    return sha(bytes);
  };
  const make = async (seconds: number) => {
    const layer = gzipSync(await tarOf([{ name: 'zeros', text: '0'.repeat(100_000) }], seconds));
    const config = Buffer.from('{}');
    for (const bytes of [layer, config]) await add(bytes);
    const body = {
      schemaVersion: 2,
      mediaType: 'application/vnd.oci.image.manifest.v1+json',
      config: descriptor('x', config),
      layers: [descriptor(layerTypes.gzip, layer)],
    };
    return add(Buffer.from(JSON.stringify(body)));
  };
  const read = (digest: string) => storage.readSmall(digest.replace(':', '/'));
  const bytes = {
    manifest: read,
    small: read,
    layer: async (digest: string) => (await storage.read(digest.replace(':', '/')))?.stream,
  };
  const [one, other] = [await make(1), await make(2)] as [Digest, Digest];
  const bounds = { maxLayerBytes: 1_000_000, maxLayerEntries: 10, timeoutMs: 10_000 };
  expect(await createComparer(bytes, bounds)(one, other)).toBe(true);
  expect(await createComparer(bytes, { ...bounds, maxLayerBytes: 50_000 })(one, other)).toBe(false);
  expect(await createComparer(bytes, { ...bounds, maxLayerEntries: 0 })(one, other)).toBe(false);
});
