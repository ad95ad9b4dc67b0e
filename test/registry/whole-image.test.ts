import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { contentKey } from '../../src/registry/layout.ts';
import type { Digest } from '../../src/domain/digest.ts';
import { wholeImageType } from '../../src/registry-client/manifests.ts';
import { basic, codesOf, descriptor, imageType, sha, startRegistry, until, type RunningRegistry } from './rig.ts';

const member = { authorization: basic('member', 'secret') };
const base64 = (text: string | Buffer): string => Buffer.from(text).toString('base64');
const config = '{"os":"linux"}';

let running: RunningRegistry;
beforeEach(async () => {
  running = await startRegistry();
});
afterEach(() => running.stop());

/** An image of a configuration that is nowhere yet and of layers. */
function imageOf(layers: readonly string[], text = config): string {
  return JSON.stringify({
    schemaVersion: 2,
    mediaType: imageType,
    config: descriptor('application/vnd.oci.image.config.v1+json', text),
    layers: layers.map((layer) => descriptor('application/vnd.oci.image.layer.v1.tar', layer)),
  });
}

const blob = (text: string) => ({ digest: sha(text), data: base64(text) });
const manifestOf = (text: string) => ({ mediaType: imageType, data: base64(text) });

function put(body: object, { at = 'app', reference = 'v1', headers = {} } = {}): Promise<Response> {
  const type = { 'content-type': wholeImageType };
  const sent = JSON.stringify(body);
  return running.send('PUT', `/v2/${at}/manifests/${reference}`, { body: sent, headers: { ...type, ...headers } });
}

describe('a whole image in one request', () => {
  it('brings its configuration and takes layers over from other repositories', async () => {
    await running.pushBlob('base', 'layer of the base');
    await running.pushBlob('app', 'own layer');
    const text = imageOf(['layer of the base', 'own layer']);
    const answer = await put({ manifest: manifestOf(text), blobs: [blob(config)], from: ['base'] });
    expect([answer.status, answer.headers.get('docker-content-digest')]).toEqual([201, sha(text)]);
    for (const part of [config, 'layer of the base', 'own layer']) {
      expect(await (await running.send('GET', `/v2/app/blobs/${sha(part)}`)).text()).toBe(part);
    }
    const read = await running.send('GET', '/v2/app/manifests/v1');
    expect([await read.text(), read.headers.get('content-type')]).toEqual([text, imageType]);
    await until(() => running.events.length === 1);
    expect(running.events).toMatchObject([{ kind: 'push', repository: 'app', tag: 'v1', digest: sha(text) }]);
  });

  it('outlives a restart, its configuration in the store', async () => {
    await put({ manifest: manifestOf(imageOf([])), blobs: [blob(config)] });
    await running.registry.close();
    const again = await startRegistry({ storage: running.storage });
    expect(await (await again.send('GET', `/v2/app/blobs/${sha(config)}`)).text()).toBe(config);
    await until(async () => (await again.storage.stat(contentKey(sha(config) as Digest))) !== undefined);
    await again.stop();
  });

  it('names what is nowhere, and changes nothing then', async () => {
    const body = { manifest: manifestOf(imageOf(['nowhere'])), blobs: [blob(config)], from: ['base'] };
    const answer = await put(body);
    expect(answer.status).toBe(404);
    const { errors } = (await answer.json()) as { errors: object[] };
    expect(errors).toMatchObject([{ code: 'MANIFEST_BLOB_UNKNOWN', detail: { digest: sha('nowhere') } }]);
    expect((await running.send('HEAD', `/v2/app/blobs/${sha(config)}`)).status).toBe(404);
    expect((await running.send('GET', '/v2/app/tags/list')).status).toBe(404);
  });

  it('takes nothing over from where the client may not pull, nor from where nobody may', async () => {
    await running.pushImage('private/base', 'v1');
    const body = { manifest: manifestOf(imageOf(['layer of v1'], '{}')), from: ['private/base'] };
    const refused = await put(body, { at: 'team/app', headers: member });
    expect([refused.status, await codesOf(refused)]).toEqual([404, ['MANIFEST_BLOB_UNKNOWN', 'MANIFEST_BLOB_UNKNOWN']]);
    const attributes = JSON.stringify({ readEnabled: false });
    expect((await running.send('PATCH', '/acr/v1/private/base', { body: attributes })).status).toBe(200);
    expect((await put(body, { at: 'team/app' })).status).toBe(404);
  });

  it('takes nothing over whose bytes are lost', async () => {
    const layer = 'x'.repeat(40_000); // too large for the journal
    await running.pushBlob('base', layer);
    await running.storage.delete(contentKey(sha(layer) as Digest));
    const answer = await put({ manifest: manifestOf(imageOf([layer])), blobs: [blob(config)], from: ['base'] });
    expect([answer.status, await codesOf(answer)]).toEqual([404, ['MANIFEST_BLOB_UNKNOWN']]);
  });

  it('counts with all that it brings against what may be held', async () => {
    await running.stop();
    const text = imageOf(['layer of v1'], '{"a":1}');
    running = await startRegistry({ care: { maxBytes: 700 } });
    await running.pushImage('base', 'v1');
    const body = { manifest: manifestOf(text), blobs: [blob('{"a":1}')], from: ['base'] };
    const answer = await put(body);
    expect([answer.status, await codesOf(answer)]).toEqual([403, ['DENIED']]);
  });

  it.each([
    ['manifest.mediaType', {}, 'MANIFEST_INVALID'],
    ['manifest.data', { manifest: { mediaType: imageType, data: '{}' } }, 'MANIFEST_INVALID'],
    ['blobs', { manifest: manifestOf(imageOf([])), blobs: {} }, 'MANIFEST_INVALID'],
    ['blobs', { manifest: manifestOf(imageOf([])), blobs: Array(17).fill(blob(config)) }, 'MANIFEST_INVALID'],
    ['blobs[0].digest', { manifest: manifestOf(imageOf([])), blobs: ['x'] }, 'DIGEST_INVALID'],
    [
      'blobs[0] has another',
      { manifest: manifestOf(imageOf([])), blobs: [{ ...blob(config), data: '' }] },
      'DIGEST_INVALID',
    ],
    ['does not name', { manifest: manifestOf(imageOf([])), blobs: [blob(config), blob('x')] }, 'MANIFEST_INVALID'],
    ['upload it', { manifest: manifestOf(imageOf([])), blobs: [blob('x'.repeat(32_769))] }, 'SIZE_INVALID'],
    ['from[1]', { manifest: manifestOf(imageOf([])), from: ['base', '../x'] }, 'NAME_INVALID'],
    [
      'no kind of manifest',
      { manifest: { mediaType: wholeImageType, data: base64('{"schemaVersion":2}') } },
      'MANIFEST_INVALID',
    ],
  ])('says what is wrong: %s', async (words, body, code) => {
    const answer = await put(body);
    expect(answer.status).toBeGreaterThanOrEqual(400);
    const { errors } = (await answer.json()) as { errors: { code: string; message: string }[] };
    expect(errors[0]?.code).toBe(code);
    expect(errors[0]?.message).toContain(words);
  });

  it('is never more than an error, whatever it holds', async () => {
    const strange = fc.record(
      {
        manifest: fc.oneof(fc.jsonValue(), fc.record({ mediaType: fc.string(), data: fc.base64String() })),
        blobs: fc.oneof(fc.jsonValue(), fc.array(fc.record({ digest: fc.constant(sha(config)), data: fc.string() }))),
        from: fc.oneof(fc.jsonValue(), fc.array(fc.string())),
      },
      { requiredKeys: [] },
    );
    await fc.assert(
      fc.asyncProperty(strange, async (body) => {
        const { status } = await put(body);
        expect(status).toBeGreaterThanOrEqual(400);
        expect(status).toBeLessThan(500);
      }),
      { numRuns: 200 },
    );
    expect(running.errors).toEqual([]);
  });
});
