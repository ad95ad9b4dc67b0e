import { text } from 'node:stream/consumers';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Readable } from 'node:stream';
import { fail } from '../domain/failure.ts';
import { formatImageReference, parseImageReference } from '../domain/image-reference.ts';
import type { BaseImage } from '../host/base-image.ts';
import type { Account } from '../secret/account.ts';
import type { Say, Showcase } from './local-host.ts';

/** What is used of a container engine: calls of its HTTP API (the runner's `EngineCalls` is one). */
export interface EngineApi {
  /** The whole answer; rejects on a status that is no success. */
  json(request: EngineCall): Promise<unknown>;
  /** The answer as it comes. */
  stream(request: EngineCall): Promise<Readable>;
}

export interface EngineCall {
  readonly method: 'GET' | 'POST' | 'DELETE';
  readonly path: string;
  readonly query?: Readonly<Record<string, string | readonly string[] | undefined>>;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: object;
  readonly file?: Readable;
  readonly signal?: AbortSignal;
  readonly deadlineMs?: number | 'none';
}

export interface ShowcaseOptions {
  readonly engine: EngineApi;
  /** Host under which ports that are published on loopback can be reached; undefined: the engine is elsewhere. */
  readonly engineAddress: string;
  readonly registryHost: string;
  /** The API's own address, under which the registry answers too. */
  readonly url: string;
  /** The label of everything that is made on an engine. */
  readonly labels: Readonly<Record<string, string>>;
  readonly makeBase: () => Promise<BaseImage>;
  /** An image with Node.js that can be had where there is a way to the internet. */
  readonly publicBase: string;
  readonly close: () => void;
}

const examplePort = '8080/tcp';

function authHeader(registryHost: string, { username, password }: Account): Record<string, string> {
  const document = { username, password, serveraddress: registryHost };
  // base64url, with the padding that Node leaves out there and the engine insists on.
  const encoded = Buffer.from(JSON.stringify(document)).toString('base64');
  return { 'X-Registry-Auth': encoded.replaceAll('+', '-').replaceAll('/', '_') };
}

/** Reads a stream of progress messages to its end; the engine says in it, after a 200, what went wrong. */
async function awaitTransfer(engine: EngineApi, what: string, call: EngineCall): Promise<void> {
  const lines = (await text(await engine.stream(call))).split('\n').filter((line) => line.trim() !== '');
  for (const line of lines) {
    const { error } = JSON.parse(line) as { readonly error?: string };
    if (error !== undefined) throw fail('engine-unavailable', `${what} did not work: ${error}`);
  }
}

function nameAndTag(image: string): { readonly name: string; readonly tag: string } {
  const { tag = 'latest', digest: _, ...rest } = parseImageReference(image);
  return { name: formatImageReference(rest), tag };
}

async function pull(engine: EngineApi, image: string, headers: Record<string, string>, beginMs: number): Promise<void> {
  const { name, tag } = nameAndTag(image);
  const signal = AbortSignal.timeout(180_000);
  const query = { fromImage: name, tag };
  await awaitTransfer(engine, `pulling ${image}`, {
    method: 'POST',
    path: '/images/create',
    query,
    headers,
    signal,
    deadlineMs: beginMs,
  });
}

async function hasImage(engine: EngineApi, image: string): Promise<boolean> {
  return engine.json({ method: 'GET', path: `/images/${image}/json` }).then(
    () => true,
    () => false,
  );
}

async function isInRegistry(
  { url }: ShowcaseOptions,
  repository: string,
  tag: string,
  account: Account,
): Promise<boolean> {
  const word = Buffer.from(`${account.username}:${account.password}`).toString('base64');
  const accept = 'application/vnd.docker.distribution.manifest.v2+json, application/vnd.oci.image.manifest.v1+json';
  const headers = { authorization: `Basic ${word}`, accept };
  const response = await fetch(`${url}/v2/${repository}/manifests/${tag}`, { method: 'HEAD', headers });
  return response.ok;
}

/** Imports the base image of this machine's own programs into the engine, and pushes it. */
async function makeBase(options: ShowcaseOptions, image: string, account: Account): Promise<void> {
  const { engine, registryHost } = options;
  const { tar, changes } = await options.makeBase();
  const { name, tag } = nameAndTag(image);
  const query = { fromSrc: '-', repo: name, tag, changes };
  const call = { method: 'POST', path: '/images/create', query, file: tar, deadlineMs: 'none' } as const;
  await awaitTransfer(engine, `importing ${image}`, call);
  const headers = authHeader(registryHost, account);
  const push = { method: 'POST', path: `/images/${name}/push`, query: { tag }, headers, deadlineMs: 120_000 } as const;
  await awaitTransfer(engine, `pushing ${image}`, push);
}

/** See {@link Showcase.ensureBase}; the cheapest way that works is taken. */
async function ensureBase(options: ShowcaseOptions, account: Account, say: Say): ReturnType<Showcase['ensureBase']> {
  const { engine, publicBase, registryHost } = options;
  const [repository, tag] = ['base/node', process.versions.node.split('.')[0] ?? 'latest'];
  const own = `${registryHost}/${repository}:${tag}`;
  if (await isInRegistry(options, repository, tag, account)) return { image: own, how: 'in the registry already' };
  if (await hasImage(engine, publicBase)) return { image: publicBase, how: 'on the engine already' };
  say(`Pulling ${publicBase} …`);
  const pulled = await pull(engine, publicBase, {}, 15_000).then(
    () => true,
    () => false,
  );
  if (pulled) return { image: publicBase, how: 'pulled' };
  say(`It cannot be pulled; making a base image out of this machine's own Node.js …`);
  await makeBase(options, own, account);
  return { image: own, how: 'made of this machine’s Node.js and pushed to the registry' };
}

interface ContainerDetails {
  readonly State?: { readonly Running?: boolean };
  readonly NetworkSettings?: {
    readonly IPAddress?: string;
    readonly Ports?: Readonly<Record<string, readonly { readonly HostPort: string }[] | null>>;
  };
}

/** Where the container may answer: at its published port; or directly, where the engine cannot publish. */
function addressesOf({ NetworkSettings: settings }: ContainerDetails, host: string): readonly string[] {
  const port = settings?.Ports?.[examplePort]?.[0]?.HostPort;
  const direct = settings?.IPAddress ?? '';
  return [
    ...(port === undefined ? [] : [`http://${host}:${port}/`]),
    ...(direct === '' ? [] : [`http://${direct}:8080/`]),
  ];
}

async function askOnce(url: string): Promise<string | undefined> {
  try {
    const response = await fetch(url, { signal: AbortSignal.timeout(2000) });
    return response.ok ? (await response.text()).trim() : undefined;
  } catch {
    return undefined;
  }
}

async function askContainer({ engine, engineAddress }: ShowcaseOptions, id: string): Promise<string> {
  const deadline = performance.now() + 20_000;
  while (performance.now() < deadline) {
    const details = (await engine.json({ method: 'GET', path: `/containers/${id}/json` })) as ContainerDetails;
    if (details.State?.Running === false) break;
    for (const url of addressesOf(details, engineAddress)) {
      const answer = await askOnce(url);
      if (answer !== undefined) return answer;
    }
    await sleep(50);
  }
  throw fail('timed-out', 'the container was started, and does not answer on its port 8080');
}

async function runContainer(options: ShowcaseOptions, image: string): Promise<string> {
  const { engine, labels } = options;
  const isNear = ['127.0.0.1', 'localhost'].includes(options.engineAddress);
  const binding = { HostIp: isNear ? '127.0.0.1' : '', HostPort: '' };
  const HostConfig = { PortBindings: { [examplePort]: [binding] }, Memory: 256 * 1024 * 1024 };
  const body = { Image: image, Labels: labels, ExposedPorts: { [examplePort]: {} }, HostConfig };
  const made = (await engine.json({ method: 'POST', path: '/containers/create', body })) as { readonly Id: string };
  try {
    await engine.json({ method: 'POST', path: `/containers/${made.Id}/start` });
    return await askContainer(options, made.Id);
  } finally {
    await engine.json({ method: 'DELETE', path: `/containers/${made.Id}`, query: { force: '1', v: '1' } });
  }
}

/** What the quickstart shows, on one engine. */
export function createShowcase(options: ShowcaseOptions): Showcase {
  const { engine, registryHost } = options;
  return {
    ensureBase: (account, say) => ensureBase(options, account, say),
    runFromRegistry: async (image, account) => {
      // Without its own copy, what the engine runs is what the registry has.
      await engine.json({ method: 'DELETE', path: `/images/${image}` }).catch(() => undefined);
      const begin = performance.now();
      await pull(engine, image, authHeader(registryHost, account), 60_000);
      const pullSeconds = (performance.now() - begin) / 1000;
      return { answer: await runContainer(options, image), pullSeconds };
    },
    close: options.close,
  };
}
