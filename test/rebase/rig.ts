import { deepEqual } from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { buffer } from 'node:stream/consumers';
import { finished } from 'node:stream/promises';
import { gunzipSync, gzipSync } from 'node:zlib';
import { extract } from 'tar-stream';
import { createDiskBlobStore } from '../../src/blob/disk/store.ts';
import type { ImageDependencies } from '../../src/domain/dependencies.ts';
import type { Digest } from '../../src/domain/digest.ts';
import { identifyImage, parseImageReference } from '../../src/domain/image-reference.ts';
import type { Outcome } from '../../src/domain/outcome.ts';
import type { BuildStep, CmdStep, Step } from '../../src/domain/step.ts';
import { createPlan } from '../../src/domain/step-defaults.ts';
import type { BaseUpdateSetup } from '../../src/engine/ports.ts';
import { connectEngine, createDockerRunner, type DockerRunner, type Engine } from '../../src/runner/docker/index.ts';
import { lineLabel } from '../../src/rebase/judge.ts';
import { encodeHeader } from '../../src/runner/docker/auth-header.ts';
import { connectRegistry } from '../../src/registry-client/client.ts';
import { sha256Of } from '../../src/registry-client/documents.ts';
import { startRegistry, type RunningRegistry } from '../registry/rig.ts';
import { aBuild, aContext, aPush, aSetup, engineHost, packFiles, recordIo } from '../runner/rig.ts';

/** What a base says of itself in its Dockerfile. */
export const line = `LABEL ${lineLabel}=test`;

/** An image that is to be made. */
export interface WantedBuild {
  /** `app:v1` */
  readonly name: string;
  /** The Dockerfile; `$R` stands for the registry. */
  readonly text: string;
  readonly files?: Readonly<Record<string, string>>;
  readonly commit?: string;
  /** Given: of the context no commit is known but this. */
  readonly revision?: string;
  readonly builder?: 'auto' | 'classic';
  readonly step?: Partial<BuildStep>;
  /** Steps between build and push. */
  readonly tests?: readonly CmdStep[];
}

export interface WantedRebase extends WantedBuild {
  readonly made: readonly ImageDependencies[];
  readonly strategy?: BaseUpdateSetup['strategy'];
  readonly images?: BaseUpdateSetup['images'];
}

/** What a run came to. */
export interface Ran {
  readonly outcome: Outcome;
  /** What the steps said. */
  readonly text: string;
  /** What its images stand on, with their own digests where they were pushed. */
  readonly found: readonly ImageDependencies[];
  readonly digest: Digest | undefined;
  /** Milliseconds from the beginning of its first step to the end of its last. */
  readonly tookMs: number;
}

/** An image in the registry. */
export interface ReadImage {
  readonly digest: string;
  readonly mediaType: string;
  readonly layers: readonly { readonly digest: string; readonly mediaType: string; readonly size: number }[];
  readonly config: Readonly<Record<string, unknown>> & { readonly history: readonly Record<string, unknown>[] };
  /** The configuration without times, what tells of a single build, and the digests of layers, in which times are too. */
  readonly plainConfig: object;
}

export interface RebaseRig {
  readonly engine: Engine;
  readonly host: string;
  /** Builds and pushes a base on busybox; the engine forgets it. */
  publishBase(name: string, rest: string, from?: string): Promise<Digest>;
  /** Builds and pushes; fails the test when that does not work. */
  build(wanted: WantedBuild): Promise<Ran>;
  /** The same by a run that a changed base has set off. */
  rebase(wanted: WantedRebase): Promise<Ran>;
  read(name: string): Promise<ReadImage>;
  /** What is in the layers of an image, one list for each: paths with everything but their times. */
  listLayers(name: string): Promise<readonly (readonly string[])[]>;
  /** Brings an image to the engine. */
  pull(name: string): Promise<void>;
  forget(name: string): Promise<void>;
  close(): Promise<void>;
}

const dockerAccount = { username: 'admin', password: 'secret' };
const account = { userName: 'admin', password: 'secret' };
const authorization = `Basic ${Buffer.from('admin:secret').toString('base64')}`;

function withoutTraces(config: ReadImage['config']): object {
  const {
    created: _created,
    container: _c,
    container_config: _cc,
    docker_version: _v,
    rootfs: _r,
    history,
    ...rest
  } = config;
  const settings = Object.entries((rest['config'] ?? {}) as Record<string, unknown>);
  const isSet = ([name, value]: [string, unknown]): boolean =>
    name !== 'Image' && value !== null && value !== false && value !== '';
  return {
    ...rest,
    config: Object.fromEntries(settings.filter(isSet)),
    history: history.map(({ created: _, ...entry }) => entry),
  };
}

/** The entries of a tar, with a digest of what is in each. */
async function listEntries(tar: Buffer): Promise<readonly string[]> {
  const found: string[] = [];
  const entries = extract();
  entries.end(tar);
  for await (const entry of entries) {
    const { name, type, mode, uid, gid, linkname } = entry.header;
    const content = await buffer(entry);
    const digest = createHash('sha256').update(content).digest('hex');
    found.push([name, type, mode.toString(8), uid, gid, linkname, content.length, digest].join(' '));
  }
  return found.sort();
}

/** Builds, rebases and reads images of a registry at `host`, on the engine of the tests. */
export function createRebaseRig(host: string, labelsBases = true): RebaseRig {
  const engine = connectEngine({ host: engineHost });
  const made = new Set<string>();
  const registryCredentials = { [host]: account };
  const createRunner = (builder: 'auto' | 'classic'): DockerRunner =>
    createDockerRunner({
      ...{ engine, installation: 'rebase-tests', registryHost: host, builder, labelsBases },
      clock: { now: Date.now },
      pushBackoffMs: [],
    });
  // One for all runs, as in a worker: it keeps what it has read of bases.
  const runners = { auto: createRunner('auto'), classic: createRunner('classic') };

  const run = async (wanted: WantedBuild, baseUpdate?: BaseUpdateSetup): Promise<Ran> => {
    const { name, files = {}, commit = 'abc', revision, builder = 'auto', step, tests = [] } = wanted;
    const image = `${host}/${name}`;
    made.add(image);
    const Dockerfile = wanted.text.replaceAll('$R', host);
    const context = { ...aContext({ ...files, Dockerfile }), ...(revision === undefined ? { commit } : { revision }) };
    const build = aBuild({ tags: [image], ...step });
    const push = { ...aPush(...build.tags), needs: [...tests, build].map(({ id }) => id) };
    const steps: readonly Step[] = [build, ...tests, push];
    const setup = { context, registryCredentials, plan: createPlan(steps), ...(baseUpdate && { baseUpdate }) };
    const worker = runners[builder];
    const prepared = await worker.prepare(aSetup(setup));
    const found: ImageDependencies[] = [];
    const io = { ...recordIo(), builtOn: (all: readonly ImageDependencies[]) => void found.push(...all) };
    let outcome: Outcome = { kind: 'succeeded' };
    const began = performance.now();
    for (const one of steps) {
      if (outcome.kind === 'succeeded') outcome = await prepared.run(one, io, new AbortController().signal);
    }
    const tookMs = performance.now() - began;
    await prepared.dispose();
    await worker.settle();
    const digest = io.images[0]?.digest;
    const pushed = found.map((one) => ({ ...one, ...(one.image && digest && { image: { ...one.image, digest } }) }));
    return { outcome, text: io.text(), found: pushed, digest, tookMs };
  };

  const forget = async (name: string): Promise<void> => {
    const path = `/images/${host}/${name}`;
    await engine.json({ method: 'DELETE', path, query: { force: '1' } }).catch(() => undefined);
  };

  const build = async (wanted: WantedBuild): Promise<Ran> => {
    const ran = await run(wanted);
    if (ran.outcome.kind !== 'succeeded') throw new Error(`${JSON.stringify(ran.outcome)}\n${ran.text}`);
    return ran;
  };

  const get = async (path: string): Promise<Response> => {
    const accept = 'application/vnd.docker.distribution.manifest.v2+json, application/vnd.oci.image.manifest.v1+json';
    const answer = await fetch(`http://${host}/v2/${path}`, { headers: { authorization, accept } });
    if (!answer.ok) throw new Error(`${path}: ${answer.status}`);
    return answer;
  };

  const read: RebaseRig['read'] = async (name) => {
    const { repository, tag = 'latest' } = identifyImage(parseImageReference(`${host}/${name}`));
    const answer = await get(`${repository}/manifests/${tag}`);
    const manifest = (await answer.json()) as ReadImage & { readonly config: { readonly digest: string } };
    const config = (await (await get(`${repository}/blobs/${manifest.config.digest}`)).json()) as ReadImage['config'];
    const digest = answer.headers.get('docker-content-digest') ?? '';
    const mediaType = answer.headers.get('content-type') ?? '';
    return { digest, mediaType, layers: manifest.layers, config, plainConfig: withoutTraces(config) };
  };

  return {
    ...{ engine, host, build, forget, read },
    pull: async (name) => {
      const headers = { 'X-Registry-Auth': encodeHeader({ ...dockerAccount, serveraddress: host }) };
      const query = { fromImage: `${host}/${name}` };
      const answer = await engine.stream({ method: 'POST', path: '/images/create', query, headers });
      await finished(answer.resume());
    },
    listLayers: async (name) => {
      const { layers } = await read(name);
      const [repository = ''] = name.split(':');
      return Promise.all(
        layers.map(async ({ digest }) => {
          const bytes = Buffer.from(await (await get(`${repository}/blobs/${digest}`)).arrayBuffer());
          return listEntries(gunzipSync(bytes));
        }),
      );
    },
    publishBase: async (name, rest, from = 'busybox') => {
      const { digest } = await build({ name, text: `FROM ${from}\n${rest}` });
      await forget(name);
      return digest as Digest;
    },
    rebase: (wanted) => {
      const { strategy = 'auto', images = [] } = wanted;
      return run(wanted, { strategy, images, made: wanted.made });
    },
    close: async () => {
      for (const image of made) await forget(image.slice(host.length + 1));
      // What was pushed or pulled is also known by its digest.
      const filters = JSON.stringify({ reference: [`${host}/*`] });
      const left = (await engine.json({ method: 'GET', path: '/images/json', query: { filters } })) as { Id: string }[];
      for (const { Id } of left) {
        await engine.json({ method: 'DELETE', path: `/images/${Id}`, query: { force: '1' } }).catch(() => undefined);
      }
      engine.close();
    },
  };
}

/** Puts one more layer on an image in the registry and moves its tag there: as somebody does whose engine is not this one. */
export async function pushLayer(
  { host, read }: Pick<RebaseRig, 'host' | 'read'>,
  name: string,
  files: Readonly<Record<string, string>>,
): Promise<Digest> {
  const origin = `http://${host}`;
  const client = connectRegistry({ origin, credential: account, signal: new AbortController().signal });
  const [repository = '', tag = ''] = name.split(':');
  const { config, layers, mediaType } = await read(name);
  const tar = await buffer(packFiles(files));
  const bytes = gzipSync(tar);
  const layer = { mediaType: layers[0]?.mediaType ?? '', digest: sha256Of(bytes), size: bytes.length };
  const { diff_ids: diffIds } = config['rootfs'] as { readonly diff_ids: readonly string[] };
  const next = {
    ...config,
    history: [...config.history, { created: new Date().toISOString(), created_by: 'COPY . / # elsewhere' }],
    rootfs: { type: 'layers', diff_ids: [...diffIds, sha256Of(tar)] },
  };
  const document = Buffer.from(JSON.stringify(next));
  const configType = 'application/vnd.docker.container.image.v1+json';
  const described = { mediaType: configType, digest: sha256Of(document), size: document.length };
  const manifest = { schemaVersion: 2, mediaType, config: described, layers: [...layers, layer] };
  await client.putBlob(repository, { ...layer, bytes });
  await client.putBlob(repository, { ...described, bytes: document });
  const manifestBytes = Buffer.from(JSON.stringify(manifest));
  const sent = { bytes: manifestBytes, mediaType, digest: sha256Of(manifestBytes) };
  return (await client.putManifest(repository, tag, sent)).digest;
}

/** A rig with a registry of its own, on the disk. */
export async function startRebaseSite(): Promise<{ running: RunningRegistry; rig: RebaseRig; stop(): Promise<void> }> {
  const folder = await mkdtemp(join(tmpdir(), 'slipway-rebase-'));
  const running = await startRegistry({ storage: await createDiskBlobStore(folder, () => Date.now()) });
  const rig = createRebaseRig(running.url.slice('http://'.length));
  const stop = async (): Promise<void> => {
    await rig.close();
    await running.stop();
    await rm(folder, { recursive: true, force: true });
    deepEqual(running.errors, []);
  };
  return { running, rig, stop };
}
