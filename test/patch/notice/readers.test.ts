import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { FailureError } from '../../../src/domain/failure.ts';
import type { Notice } from '../../../src/patch/notice/heard.ts';
import { readerNamed, recogniseNotice } from '../../../src/patch/notice/readers.ts';
import * as payloads from './payloads.ts';

const { digest } = payloads;

/** What a notice is taken for, and the images that it tells of: as names, and with what else was said. */
function read(body: unknown, more: Partial<Notice> = {}) {
  const notice = { headers: {}, body, ...more };
  const reader = recogniseNotice(notice);
  return { kind: reader.name, heard: reader.read(notice) };
}

const image = (registry: string, repository: string, tag: string, at?: string) => ({
  registry,
  repository,
  tag,
  ...(at !== undefined && { digest: at }),
});

describe('a notice of a registry', () => {
  it('of Docker Hub names a tag without a digest', () => {
    expect(read(payloads.dockerHubPush)).toEqual({
      kind: 'docker-hub',
      heard: [{ image: image('docker.io', 'owner/base', 'latest'), by: 'trustedbuilder' }],
    });
    const official = { ...payloads.dockerHubPush, repository: { repo_name: 'node' } };
    expect(read(official).heard).toMatchObject([{ image: { repository: 'library/node' } }]);
  });

  it('of Azure Container Registry names the registry by the host of the push, and charts are no images', () => {
    expect(read(payloads.azurePush)).toEqual({
      kind: 'azure',
      heard: [{ image: image('myregistry.azurecr.io', 'base/hello-world', 'v1', digest) }],
    });
    expect(read(payloads.azureChartPush).heard).toEqual([{ because: 'a chart is no base image' }]);
    expect(read({ id: '1', timestamp: 'now', action: 'ping' }).heard).toEqual([{ because: '"ping" is no push' }]);
    expect(read({ ...payloads.azurePush, action: 'delete' }).heard).toEqual([{ because: '"delete" is no push' }]);
  });

  it('of Harbor names its registry in the addresses of resources, in both of its formats', () => {
    const there = image('hub.harbor.test', 'library/debian', 'latest', digest);
    expect(read(payloads.harborPush)).toEqual({ kind: 'harbor', heard: [{ image: there, by: 'admin' }] });
    expect(read(payloads.harborCloudEvent)).toEqual({
      kind: 'cloud-events',
      heard: [{ image: there, by: 'robot$ci' }],
    });
    expect(read({ ...payloads.harborPush, type: 'PULL_ARTIFACT' }).heard).toEqual([
      { because: '"PULL_ARTIFACT" is no push' },
    ]);
  });

  it('of Quay names each tag, also where tags are a map, as they once were', () => {
    const heard = ['latest', '9'].map((tag) => ({ image: image('quay.io', 'mynamespace/repository', tag) }));
    expect(read(payloads.quayPush)).toEqual({ kind: 'quay', heard });
    const once = { ...payloads.quayPush, updated_tags: { latest: 'b750fe79', 9: 'b750fe79' } };
    expect(new Set(read(once).heard)).toEqual(new Set(heard));
    expect(read({ ...payloads.quayPush, updated_tags: [] }).heard).toEqual([{ because: 'it names no tags' }]);
  });

  it('of GitHub packages is of a container, published or updated, with a tag', () => {
    const headers = { 'x-github-event': 'registry_package' };
    const there = { image: image('ghcr.io', 'octo-org/base', 'v1.2.3', digest), by: 'octocat' };
    expect(read(payloads.githubPackage, { headers })).toEqual({ kind: 'github', heard: [there] });
    const { registry_package: given, ...rest } = payloads.githubPackage;
    expect(read({ ...rest, package: given }, { headers: { 'x-github-event': 'package' } }).heard).toEqual([there]);
    const bare = { ...given, package_version: { ...given.package_version, package_url: undefined } };
    expect(read({ ...rest, registry_package: bare }, { headers }).heard).toEqual([there]);
    const untagged = { ...given, package_version: { version: digest, package_url: 'ghcr.io/Octo-Org/base:' } };
    expect(read({ ...rest, registry_package: untagged }, { headers }).heard).toEqual([
      { subject: 'ghcr.io/octo-org/base', because: 'it was pushed without a tag' },
    ]);
    const npm = { ...given, package_type: 'npm' };
    expect(read({ ...rest, registry_package: npm }, { headers }).heard).toEqual([
      { because: 'the package is no container image' },
    ]);
    expect(read({ zen: 'calm' }, { headers: { 'x-github-event': 'ping' } }).heard).toEqual([
      { because: '"ping" is no event of a package' },
    ]);
  });

  it('of a Distribution registry is an envelope, of which blobs and pulls are nothing', () => {
    expect(read(payloads.distributionEnvelope)).toEqual({
      kind: 'distribution',
      heard: [
        { subject: 'registry.test:5000/hello-world', because: 'it was pushed without a tag' },
        { image: image('registry.test:5000', 'hello-world', 'latest', digest), by: 'ci' },
        { because: '"pull" is no push' },
      ],
    });
  });

  it('is a CloudEvent of Event Grid, zot or another Slipway, structured, in a batch or binary', () => {
    const run = { image: image('other.test:5080', 'base', '1', digest) };
    const grid = { image: image('myregistry.azurecr.io', 'base/hello-world', 'v1', digest) };
    expect(read(payloads.slipwayRun)).toEqual({ kind: 'cloud-events', heard: [run] });
    expect(read([payloads.slipwayRun, payloads.eventGridCloudEvent]).heard).toEqual([run, grid]);
    const headers = { 'ce-specversion': '1.0', 'ce-type': 'zotregistry.image.updated', 'ce-source': 'zotregistry.dev' };
    const zot = { name: 'golang', reference: '1.24', digest, mediaType: 'x', manifest: '{}' };
    expect(read(zot, { headers, registry: 'zot.test:5000' }).heard).toEqual([
      { image: image('zot.test:5000', 'golang', '1.24', digest) },
    ]);
    expect(read(zot, { headers }).heard).toEqual([
      { subject: 'golang:1.24', because: 'it does not say which registry it is of: add ?registry=HOST to the URL' },
    ]);
    expect(read({ ...payloads.slipwayRun, type: 'dev.slipway.run.failed' }).heard).toEqual([
      { because: '"dev.slipway.run.failed" tells of no push' },
    ]);
  });

  it('is any CloudEvent whose data name an image, or are an event of a Distribution registry', () => {
    const event = { specversion: '1.0', type: 'com.example.pushed', source: '/ci', id: '1' };
    expect(read({ ...event, data: { image: 'base:2', digest } }).heard).toEqual([
      { image: image('docker.io', 'library/base', '2', digest) },
    ]);
    expect(read({ ...event, data: payloads.distributionEnvelope.events[1] }).heard).toMatchObject([
      { image: { registry: 'registry.test:5000' } },
    ]);
    expect(read({ ...event, data: { colour: 'blue' } }).heard).toEqual([
      { because: 'nothing is known of events of the type "com.example.pushed"' },
    ]);
  });

  it('is the generic one otherwise: an image, or several', () => {
    expect(read({ image: 'ghcr.io/o/base:1', digest })).toEqual({
      kind: 'generic',
      heard: [{ image: image('ghcr.io', 'o/base', '1', digest) }],
    });
    expect(read({ images: ['ghcr.io/o/base:1', { image: 'node' }] }).heard).toEqual([
      { image: image('ghcr.io', 'o/base', '1') },
      { image: image('docker.io', 'library/node', 'latest') },
    ]);
    expect(read({ image: `ghcr.io/o/base@${digest}` }).heard).toEqual([
      { subject: `ghcr.io/o/base@${digest}`, because: 'it has no tag, and what has none never changes' },
    ]);
    expect(read({ image: 'Not A Name' }).heard).toMatchObject([{ subject: 'Not A Name' }]);
    expect(read({ image: 'node:20', digest: 'nonsense' }).heard).toEqual([
      { subject: 'node:20', because: 'digest is no digest' },
    ]);
  });

  it('may have its registry named by whoever set the webhook up', () => {
    const registry = 'registry.example.com';
    for (const body of [payloads.distributionEnvelope, payloads.harborPush, payloads.azurePush, payloads.quayPush]) {
      const images = read(body, { registry }).heard.flatMap((one) => ('image' in one ? [one.image.registry] : []));
      expect(new Set(images)).toEqual(new Set([registry]));
    }
  });

  it('that names no usable image is ignored, with the reason', () => {
    const at = (host: string, repository: string, tag: string) => ({
      ...payloads.azurePush,
      target: { repository, tag },
      request: { host },
    });
    expect(read(at('myregistry', 'base', '1')).heard).toEqual([
      { subject: 'myregistry/base:1', because: '"myregistry" is no registry\'s host' },
    ]);
    expect(read(at('r.test', 'BASE', '1')).heard).toMatchObject([
      { subject: 'r.test/BASE:1', because: expect.stringMatching(/lower case/) as string },
    ]);
    expect(read(at('r.test', 'base', digest)).heard).toMatchObject([{ because: 'it was pushed without a tag' }]);
    expect(read(at('r.test', 'base\n\u202ex', '1')).heard).toMatchObject([
      { subject: expect.not.stringMatching(/\n/) as string },
    ]);
  });

  it('that nobody knows is refused with what is understood', () => {
    expect(() => read({ hello: 'there' })).toThrow(/of no kind that is known/);
    expect(() => read(null)).toThrow(FailureError);
    expect(() => readerNamed('artifactory')).toThrow(/"artifactory" is no kind of registry/);
    expect(readerNamed('Docker-Hub').name).toBe('docker-hub');
  });

  it('never throws anything but a failure, whatever it is made of', () => {
    const bodies = Object.values(payloads).filter((one) => typeof one === 'object');
    const spoilt = fc.tuple(fc.constantFrom(...bodies), fc.nat(200), fc.jsonValue()).map(([body, at, value]) => {
      const text = JSON.stringify(body);
      const paths = [...text.matchAll(/"[^"]*":/g)];
      const name = paths[at % paths.length]?.[0] ?? '';
      return JSON.parse(text, (key: string, old: unknown) => (`"${key}":` === name ? value : old)) as unknown;
    });
    const headers = fc.constantFrom({}, { 'x-github-event': 'package' }, { 'ce-type': 'harbor.artifact.pushed' });
    fc.assert(
      fc.property(fc.oneof(spoilt, fc.jsonValue()), headers, (body, given) => {
        try {
          for (const one of read(body, { headers: given }).heard)
            if ('image' in one) expect(one.image.tag).toBeTruthy();
        } catch (error) {
          expect(error).toBeInstanceOf(FailureError);
        }
      }),
      { numRuns: 1000 },
    );
  });
});
