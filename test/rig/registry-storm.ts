import { createHash } from 'node:crypto';
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import type { CheckMessage, Finding } from '../../src/domain/registry-upkeep.ts';

/** A registry in a process of its own. */
export interface RegistryProcess {
  readonly url: string;
  /** What it logged as errors. */
  readonly errors: string[];
  /** Ends it at once, in the middle of whatever it does. */
  kill(): Promise<void>;
}

const running = new Set<ChildProcess>();

/** Ends all processes that are left. */
export async function killAll(): Promise<void> {
  await Promise.all([...running].map(endOf));
}

async function endOf(child: ChildProcess): Promise<void> {
  running.delete(child);
  if (child.exitCode !== null || child.signalCode !== null) return;
  const exited = once(child, 'exit');
  child.kill('SIGKILL');
  await exited;
}

/** Starts one on a directory. @param times of its collector, milliseconds. */
export async function startProcess(directory: string, times: object): Promise<RegistryProcess> {
  const script = fileURLToPath(new URL('registry-victim.ts', import.meta.url));
  const args = ['--import', 'tsx', script, directory, JSON.stringify(times)];
  const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'inherit'] });
  running.add(child);
  const errors: string[] = [];
  const url = await new Promise<string>((resolve, reject) => {
    createInterface(child.stdout).on('line', (line) => {
      if (line.startsWith('http:')) resolve(line);
      else errors.push(line);
    });
    child.once('exit', (code) => {
      reject(new Error(`the registry ended with ${String(code)}: ${errors.join('\n')}`));
    });
  });
  return { url, errors, kill: () => endOf(child) };
}

export function sha(bytes: Buffer): string {
  return `sha256:${createHash('sha256').update(bytes).digest('hex')}`;
}

/** Bytes that only this seed has, compressible or not does not matter. */
export function bytesOf(seed: string, size: number): Buffer {
  return Buffer.alloc(size, createHash('sha512').update(seed).digest());
}

/** A small image, made of a seed: its parts, and the manifest that names them. */
export interface TestImage {
  readonly parts: readonly Buffer[];
  readonly manifest: Buffer;
  readonly digest: string;
}

export const imageType = 'application/vnd.oci.image.manifest.v1+json';

export function imageOf(parts: readonly Buffer[]): TestImage {
  const [config = Buffer.alloc(0), ...layers] = parts;
  const describe = (mediaType: string, bytes: Buffer): object => ({
    ...{ mediaType, digest: sha(bytes), size: bytes.length },
  });
  const manifest = Buffer.from(
    JSON.stringify({
      schemaVersion: 2,
      mediaType: imageType,
      config: describe('application/vnd.oci.image.config.v1+json', config),
      layers: layers.map((layer) => describe('application/vnd.oci.image.layer.v1.tar', layer)),
    }),
  );
  return { parts, manifest, digest: sha(manifest) };
}

/** Speaks to a registry as clients do. */
export class TestClient {
  /** The last answer that was no success. */
  refusal = '';
  readonly #url: string;

  constructor(url: string) {
    this.#url = url;
  }

  /** Rejects when the connection breaks. */
  send(method: string, path: string, more: RequestInit = {}): Promise<Response> {
    const authorization = `Basic ${Buffer.from('tester:secret').toString('base64')}`;
    const headers = { authorization, ...(more.headers as Record<string, string> | undefined) };
    return fetch(this.#url + path, { method, redirect: 'manual', ...more, headers });
  }

  /** The status and the bytes of an answer. */
  async ask(method: string, path: string, more?: RequestInit): Promise<{ status: number; body: Buffer; at: string }> {
    const answer = await this.send(method, path, more);
    const body = Buffer.from(await answer.arrayBuffer());
    if (answer.status >= 400 && method !== 'GET') this.refusal = `${method} ${path}: ${body.toString('utf8')}`;
    return { status: answer.status, body, at: answer.headers.get('location') ?? '' };
  }

  /** Pushes a blob as clients do: asks first, then in one request or in chunks. Resolves to the status of what ended it. */
  async pushBlob(repository: string, bytes: Buffer, way: 'whole' | 'chunks' = 'whole'): Promise<number> {
    const digest = sha(bytes);
    const asked = await this.ask('HEAD', `/v2/${repository}/blobs/${digest}`);
    if (asked.status === 200) return 200;
    if (way === 'whole') {
      return (await this.ask('POST', `/v2/${repository}/blobs/uploads/?digest=${digest}`, { body: bytes })).status;
    }
    const begun = await this.ask('POST', `/v2/${repository}/blobs/uploads/`);
    if (begun.status !== 202) return begun.status;
    const half = bytes.length >> 1;
    const first = await this.ask('PATCH', begun.at, { body: bytes.subarray(0, half) });
    if (first.status !== 202) return first.status;
    return (await this.ask('PUT', `${first.at}?digest=${digest}`, { body: bytes.subarray(half) })).status;
  }

  /** Pushes an image; resolves to the first status that is no success, or that of its manifest. */
  async pushImage(repository: string, tag: string, image: TestImage): Promise<number> {
    for (const [at, part] of image.parts.entries()) {
      const status = await this.pushBlob(repository, part, at % 2 === 0 ? 'whole' : 'chunks');
      if (status >= 300) return status;
    }
    return this.putManifest(repository, tag, image);
  }

  async putManifest(repository: string, reference: string, image: TestImage): Promise<number> {
    const body = image.manifest;
    const headers = { 'content-type': imageType };
    return (await this.ask('PUT', `/v2/${repository}/manifests/${reference}`, { body, headers })).status;
  }

  /** Runs a check; what it found, but for what garbage collection sees to. */
  async check(way: 'check' | 'repair' = 'check'): Promise<Finding[]> {
    const { body } = await this.ask('POST', `/${way}`);
    const messages = body
      .toString('utf8')
      .split('\n')
      .filter((line) => line !== '')
      .map((line) => JSON.parse(line) as CheckMessage);
    if (messages.at(-1)?.is !== 'summary') throw new Error('the check did not end');
    return messages.flatMap((one) => (one.is === 'finding' && one.severity !== 'note' ? [one] : []));
  }
}
