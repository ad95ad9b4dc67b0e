import { afterEach, describe, expect, it } from 'vitest';
import type { FailureError } from '../../../src/domain/failure.ts';
import { allowRoles } from '../../../src/registry/access/roles.ts';
import { makeKeys, pemOf, signBytes, simpleSigning, simpleSigningType } from '../../trust/rig.ts';
import { admin, basic, codesOf, descriptor, imageType, indexType, sha, startRegistry } from '../rig.ts';

const [release, stranger] = [makeKeys.p256(), makeKeys.p256()];
const policy = { repositories: ['team/*'], keys: [pemOf(release)] };
const app = 'team/app';

/** Who may pull and no more, and who may sign besides. */
const principals = {
  admin,
  reader: { name: 'reader', may: allowRoles([{ role: 'AcrPull', repositories: '*' }]) },
  pusher: { name: 'pusher', may: allowRoles([{ role: 'AcrPush', repositories: '*' }]) },
  signer: {
    name: 'signer',
    may: allowRoles([
      { role: 'AcrPush', repositories: '*' },
      { role: 'AcrImageSigner', repositories: '*' },
    ]),
  },
  owner: { name: 'owner', may: allowRoles([{ role: 'Owner', repositories: '*' }]) },
};

const stops: (() => Promise<void>)[] = [];
afterEach(async () => {
  await Promise.all(stops.splice(0).map((stop) => stop()));
});

async function setUp() {
  const rig = await startRegistry({
    authenticate: (username, password) =>
      password === 'secret' ? principals[username as keyof typeof principals] : undefined,
  });
  stops.push(rig.stop);
  const { trustDesk } = rig.registry;
  const pull = (reference: string, { as = 'reader', method = 'GET', in: repository = app } = {}) =>
    rig.send(method, `/v2/${repository}/manifests/${reference}`, { headers: { authorization: basic(as, 'secret') } });
  const put = async (reference: string, manifest: object, type = imageType) => {
    const body = JSON.stringify({ schemaVersion: 2, mediaType: type, ...manifest });
    const at = reference === 'by digest' ? sha(body) : reference;
    const headers = { 'content-type': type };
    expect((await rig.send('PUT', `/v2/${app}/manifests/${at}`, { body, headers })).status).toBe(201);
    return sha(body);
  };
  /** As cosign does. */
  const sign = async (image: string, key = release) => {
    const payload = simpleSigning(image);
    const layer = {
      ...descriptor(simpleSigningType, payload, await rig.pushBlob(app, payload)),
      annotations: { 'dev.cosignproject.cosign/signature': signBytes(key, payload).toString('base64') },
    };
    const config = descriptor('application/vnd.oci.image.config.v1+json', '{}', await rig.pushBlob(app, '{}'));
    return put(`${image.replace(':', '-')}.sig`, { config, layers: [layer] });
  };
  return { ...rig, trustDesk, pull, put, sign };
}

describe('a repository that demands signatures', () => {
  it('holds back an image by tag and digest until it is signed, and again when the signature goes', async () => {
    const { trustDesk, pushImage, pull, sign, send } = await setUp();
    const { digest } = await pushImage(app, 'v1');
    expect((await pull('v1')).status).toBe(200);
    await trustDesk.put('released', policy, 'admin');
    for (const reference of ['v1', digest]) {
      const refused = await pull(reference);
      expect([refused.status, await codesOf(refused.clone())]).toEqual([403, ['DENIED']]);
      expect(await refused.text()).toContain(
        'the trust policy released demands a signature, and there is none that counts',
      );
      expect((await pull(reference, { method: 'HEAD' })).status).toBe(403);
    }
    await sign(digest, stranger);
    expect((await pull('v1')).status).toBe(403);
    await sign(digest);
    for (const reference of ['v1', digest]) expect((await pull(reference)).status).toBe(200);
    await send('DELETE', `/v2/${app}/manifests/${digest.replace(':', '-')}.sig`);
    expect((await pull('v1')).status).toBe(403);
  });

  it('says nothing of an image to those who ask whether it has changed', async () => {
    const { trustDesk, pushImage, url } = await setUp();
    const { digest } = await pushImage(app, 'v1');
    await trustDesk.put('released', policy, 'admin');
    const headers = { authorization: basic('reader', 'secret'), 'if-none-match': `"${digest}"` };
    expect((await fetch(`${url}/v2/${app}/manifests/v1`, { headers })).status).toBe(403);
  });

  it('takes pushes as ever, and leaves other repositories alone', async () => {
    const { trustDesk, pushImage, pull } = await setUp();
    await trustDesk.put('released', policy, 'admin');
    await pushImage('other/app', 'v1');
    await pushImage(app, 'v1');
    expect((await pull('v1', { in: 'other/app' })).status).toBe(200);
    expect((await pull('none')).status).toBe(404);
  });

  it('tells those who push that it has not what they cannot pull, so that they push it again', async () => {
    const { trustDesk, pushImage, pull, url } = await setUp();
    const { digest, bytes } = await pushImage(app, 'v1');
    await trustDesk.put('released', policy, 'admin');
    expect((await pull('v1', { as: 'pusher', method: 'HEAD' })).status).toBe(404);
    expect((await pull('v1', { as: 'pusher' })).status).toBe(403);
    const headers = { authorization: basic('pusher', 'secret'), 'content-type': imageType };
    const pushed = await fetch(`${url}/v2/${app}/manifests/${digest}`, { method: 'PUT', headers, body: bytes });
    expect(pushed.status).toBe(201);
  });

  it('lets those pull who may sign, also with a token that was fetched for a pull alone, and owners', async () => {
    const { trustDesk, pushImage, pull, url } = await setUp();
    const { digest } = await pushImage(app, 'v1');
    await trustDesk.put('released', policy, 'admin');
    expect((await pull(digest, { as: 'signer' })).status).toBe(200);
    expect((await pull(digest, { as: 'owner' })).status).toBe(200);
    const withToken = async (as: string) => {
      const asked = await fetch(`${url}/oauth2/token?service=x&scope=repository:${app}:pull`, {
        headers: { authorization: basic(as, 'secret') },
      });
      const { access_token: token } = (await asked.json()) as { access_token: string };
      return (await fetch(`${url}/v2/${app}/manifests/v1`, { headers: { authorization: `Bearer ${token}` } })).status;
    };
    expect(await withToken('signer')).toBe(200);
    expect(await withToken('reader')).toBe(403);
  });

  it('lets the images of a signed index out, and the signatures themselves', async () => {
    const { trustDesk, pushImage, pull, put, sign } = await setUp();
    const { digest: child, bytes } = await pushImage(app, 'by digest');
    const manifests = [{ ...descriptor(imageType, bytes, child), platform: { os: 'linux', architecture: 'amd64' } }];
    const index = await put('all', { manifests }, indexType);
    await trustDesk.put('released', policy, 'admin');
    expect((await pull(child)).status).toBe(403);
    const signature = await sign(index);
    for (const reference of ['all', index, child, signature]) expect((await pull(reference)).status).toBe(200);
  });

  it('only warns where the policy says so, in a header of the answer', async () => {
    const { trustDesk, pushImage, pull, sign } = await setUp();
    const { digest } = await pushImage(app, 'v1');
    await trustDesk.put('wish', { ...policy, mode: 'warn' }, 'admin');
    const answer = await pull('v1');
    expect(answer.status).toBe(200);
    expect(answer.headers.get('warning')).toMatch(/^299 - "the trust policy wish demands a signature/);
    await sign(digest);
    expect((await pull('v1')).headers.get('warning')).toBeNull();
  });

  it('lets nothing out when signatures cannot be read', async () => {
    const { trustDesk, pushImage, pull, sign, storage } = await setUp();
    const { digest } = await pushImage(app, 'v1');
    await sign(digest);
    await trustDesk.put('released', policy, 'admin');
    const { readSmall } = storage;
    Object.assign(storage, { readSmall: () => Promise.reject(new Error('disk gone')) });
    expect((await pull('v1')).status).toBeGreaterThanOrEqual(500);
    Object.assign(storage, { readSmall });
    expect((await pull('v1')).status).toBe(200);
  });
});

describe('trust policies', () => {
  it('outlive a restart', async () => {
    const first = await setUp();
    await first.pushImage(app, 'v1');
    await first.trustDesk.put('released', policy, 'admin');
    const second = await startRegistry({ storage: first.storage, authenticate: () => principals.reader });
    stops.push(second.stop);
    expect(second.registry.trustDesk.list().map(({ name }) => name)).toEqual(['released']);
    const answer = await second.send('GET', `/v2/${app}/manifests/v1`);
    expect(answer.status).toBe(403);
  });

  it('tell what they would say of an image, and end when they are deleted', async () => {
    const { trustDesk, pushImage, pull, sign } = await setUp();
    const { digest } = await pushImage(app, 'v1');
    await trustDesk.put('released', policy, 'admin');
    expect(await trustDesk.verify(app, 'v1')).toMatchObject({ digest, isAllowed: false, verdicts: [{ signers: [] }] });
    await sign(digest);
    expect(await trustDesk.verify(app, 'v1')).toMatchObject({ isAllowed: true, verdicts: [{ isTrusted: true }] });
    await expect(trustDesk.verify(app, 'none')).rejects.toMatchObject({ failure: { reason: 'not-found' } });
    await trustDesk.put('released', { ...policy, keys: [pemOf(stranger)] }, 'admin');
    expect((await pull('v1')).status).toBe(403);
    expect([await trustDesk.delete('released', 'admin'), await trustDesk.delete('released', 'admin')]).toEqual([
      true,
      false,
    ]);
    expect((await pull('v1')).status).toBe(200);
  });

  it('that make no sense are refused with the field', async () => {
    const { trustDesk } = await setUp();
    const fieldOf = (name: string, body: object) =>
      trustDesk.put(name, body, 'admin').then(
        () => undefined,
        (error: unknown) => (error as FailureError).failure.field,
      );
    expect(await fieldOf('released', { ...policy, keys: ['no key'] })).toBe('keys[0]');
    expect(await fieldOf('released', { ...policy, repositories: ['No'] })).toBe('repositories[0]');
    expect(await fieldOf('../x', policy)).toBe('name');
    expect(trustDesk.list()).toEqual([]);
  });
});
