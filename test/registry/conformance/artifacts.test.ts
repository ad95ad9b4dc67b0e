import { gunzipSync, gzipSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { descriptor, imageType, indexType, sha } from '../rig.ts';
import {
  begin,
  binary,
  closing,
  emptyType,
  fresh,
  pushBlob,
  pushImage,
  putManifest,
  useRegistry,
  type Ask,
} from './rig.ts';

const ask = useRegistry();

/** How oras and helm push a blob: HEAD, POST, and one PUT with the bytes. */
async function pushAsOras(client: Ask, repository: string, bytes: Buffer | string, type: string): Promise<object> {
  const digest = sha(bytes);
  const known = await client('HEAD', `/v2/${repository}/blobs/${digest}`);
  if (known.status === 404) {
    const location = await begin(client, repository);
    const answer = await client('PUT', closing(location, digest), { body: bytes as string, headers: binary });
    expect(answer.status).toBe(201);
  }
  return descriptor(type, bytes, digest);
}

describe('a Helm chart', () => {
  const configType = 'application/vnd.cncf.helm.config.v1+json';
  const contentType = 'application/vnd.cncf.helm.chart.content.v1.tar+gzip';
  const provenanceType = 'application/vnd.cncf.helm.chart.provenance.v1.prov';
  const chart = { apiVersion: 'v2', name: 'hello', version: '0.1.0+build.1', description: 'says hello' };

  it.each([
    ['without provenance', []],
    ['with provenance', ['-----BEGIN PGP SIGNED MESSAGE-----']],
  ])('%s is pushed under its version, resolved by tag, and pulled as it was', async (_, signatures) => {
    const repository = 'charts/hello';
    const content = gzipSync('the files of the chart');
    const config = await pushAsOras(ask, repository, JSON.stringify(chart), configType);
    const layers = [await pushAsOras(ask, repository, content, contentType)];
    for (const signature of signatures) layers.push(await pushAsOras(ask, repository, signature, provenanceType));
    const annotations = {
      'org.opencontainers.image.title': 'hello',
      'org.opencontainers.image.version': chart.version,
    };
    const manifest = JSON.stringify({ schemaVersion: 2, config, layers, annotations });
    // A version may have a plus, which a tag may not: helm writes an underscore.
    const tag = chart.version.replace('+', '_');
    expect((await putManifest(ask, { repository, reference: tag, type: imageType }, manifest)).status).toBe(201);
    const found = await ask('HEAD', `/v2/${repository}/manifests/${tag}`);
    expect([found.status, found.header('docker-content-digest')]).toEqual([200, sha(manifest)]);
    const pulled = JSON.parse((await ask('GET', `/v2/${repository}/manifests/${sha(manifest)}`)).bytes.toString()) as {
      layers: { digest: string; mediaType: string }[];
    };
    expect(pulled.layers).toHaveLength(1 + signatures.length);
    const files = await ask('GET', `/v2/${repository}/blobs/${pulled.layers[0]?.digest ?? ''}`);
    expect(gunzipSync(files.bytes).toString()).toBe('the files of the chart');
  });
});

describe('an artifact that oras attaches', () => {
  const type = 'application/vnd.example.sbom.v1+json';

  it('is found by its subject, and can be attached to in turn', async () => {
    const repository = 'oras/app';
    const image = await pushImage(ask, repository, { reference: 'v1' });
    const empty = await pushAsOras(ask, repository, '{}', emptyType);
    const attach = async (subject: object, artifactType: string): Promise<string> => {
      const layers = [await pushAsOras(ask, repository, fresh(), artifactType)];
      const annotations = { 'org.opencontainers.image.created': '2026-01-01T00:00:00Z' };
      const fields = {
        schemaVersion: 2,
        mediaType: imageType,
        artifactType,
        config: empty,
        layers,
        subject,
        annotations,
      };
      const manifest = JSON.stringify(fields);
      const answer = await putManifest(ask, { repository, reference: sha(manifest), type: imageType }, manifest);
      expect([answer.status, answer.header('oci-subject')]).toEqual([201, (subject as { digest: string }).digest]);
      return manifest;
    };
    const sbom = await attach(descriptor(imageType, image.bytes), type);
    const signature = await attach(descriptor(imageType, sbom), 'application/vnd.cncf.notary.signature');
    const referrersOf = async (digest: string): Promise<unknown> =>
      (
        JSON.parse((await ask('GET', `/v2/${repository}/referrers/${digest}`)).bytes.toString()) as {
          manifests: unknown;
        }
      ).manifests;
    expect(await referrersOf(image.digest)).toMatchObject([{ digest: sha(sbom), artifactType: type }]);
    expect(await referrersOf(sha(sbom))).toMatchObject([{ digest: sha(signature) }]);
    const tags = await ask('GET', `/v2/${repository}/tags/list`);
    expect(JSON.parse(tags.bytes.toString())).toMatchObject({ tags: ['v1'] });
  });

  it('may have been pushed with the tag of older clients, which stays an ordinary tag', async () => {
    const repository = 'oras/old';
    const image = await pushImage(ask, repository, { reference: 'v1' });
    const artifact = await pushImage(ask, repository, { fields: { artifactType: type } });
    const list = { schemaVersion: 2, mediaType: indexType, manifests: [descriptor(imageType, artifact.bytes)] };
    const tag = image.digest.replace(':', '-');
    expect((await putManifest(ask, { repository, reference: tag }, list)).status).toBe(201);
    expect((await ask('GET', `/v2/${repository}/manifests/${tag}`)).bytes.toString()).toBe(JSON.stringify(list));
  });

  it('is copied to another repository by mounting its blobs', async () => {
    const content = fresh();
    const layer = await pushBlob(ask, 'oras/from', content, type);
    const mounted = await ask('POST', `/v2/oras/to/blobs/uploads/?mount=${sha(content)}&from=oras/from`);
    expect(mounted.status).toBe(201);
    const config = await pushAsOras(ask, 'oras/to', '{}', emptyType);
    const manifest = { schemaVersion: 2, mediaType: imageType, artifactType: type, config, layers: [layer] };
    expect((await putManifest(ask, { repository: 'oras/to', reference: 'v1' }, manifest)).status).toBe(201);
  });
});

describe('the artifact manifest that OCI withdrew', () => {
  it('is kept for the clients that still push it, and listed by its subject', async () => {
    const repository = 'oras/withdrawn';
    const subject = descriptor(imageType, (await pushImage(ask, repository)).bytes);
    const mediaType = 'application/vnd.oci.artifact.manifest.v1+json';
    const blobs = [await pushBlob(ask, repository, fresh(), 'text/plain')];
    const manifest = { mediaType, artifactType: 'application/x.old', blobs, subject };
    const reference = sha(JSON.stringify(manifest));
    expect((await putManifest(ask, { repository, reference, type: mediaType }, manifest)).status).toBe(201);
    const referrers = await ask('GET', `/v2/${repository}/referrers/${(subject as { digest: string }).digest}`);
    expect(JSON.parse(referrers.bytes.toString())).toMatchObject({
      manifests: [{ mediaType, digest: reference, artifactType: 'application/x.old' }],
    });
  });
});
