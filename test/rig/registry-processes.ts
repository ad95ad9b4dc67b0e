import { spawn, type ChildProcess } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import type { RegistryEvent } from '../../src/domain/event.ts';
import { basic, descriptor, imageType, sha } from '../registry/rig.ts';
import type { ProcessSettings } from './registry-process.ts';

const program = new URL('./registry-process.ts', import.meta.url).pathname;

/** A registry as a process of its own, of several that share a store. */
export interface RegistryProcess {
  readonly url: string;
  readonly events: RegistryEvent[];
  /** What it logged as errors. */
  readonly errors: string[];
  send(method: string, path: string, more?: RequestInit): Promise<Response>;
  /** Pushes an image of one layer; its digest. */
  pushImage(repository: string, tag: string, layer: string): Promise<string>;
  signal(name: NodeJS.Signals): void;
  /** Kills it. */
  kill(): Promise<void>;
}

const key = randomBytes(32).toString('base64');

/** Starts one; it prints its port when it is ready. */
export async function startProcess(settings: Omit<ProcessSettings, 'key'>): Promise<RegistryProcess> {
  const child = spawn(process.execPath, ['--import', 'tsx', program, JSON.stringify({ ...settings, key })], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  process.once('exit', () => child.kill('SIGKILL'));
  const events: RegistryEvent[] = [];
  const errors: string[] = [];
  const port = await new Promise<number>((resolve, reject) => {
    child.once('exit', (code) => {
      reject(new Error(`the process ended with ${String(code)}`));
    });
    createInterface({ input: child.stdout }).on('line', (line) => {
      const said = JSON.parse(line) as { port?: number; event?: RegistryEvent; error?: string };
      if (said.port !== undefined) resolve(said.port);
      if (said.event !== undefined) events.push(said.event);
      if (said.error !== undefined) errors.push(line);
    });
  });
  const url = `http://127.0.0.1:${String(port)}`;
  const send = senderTo(url);
  return {
    ...{ url, events, errors, send },
    pushImage: (repository, tag, layer) => pushImage(send, { repository, tag, layer }),
    signal: (name) => void child.kill(name),
    kill: () => end(child),
  };
}

function senderTo(url: string): RegistryProcess['send'] {
  return (method, path, more = {}) => {
    const headers = {
      authorization: basic('admin', 'secret'),
      ...(more.headers as Record<string, string> | undefined),
    };
    return fetch(path.startsWith('http') ? path : url + path, { method, ...more, headers });
  };
}

async function pushImage(
  send: RegistryProcess['send'],
  { repository, tag, layer }: { repository: string; tag: string; layer: string },
): Promise<string> {
  const demand = async (answer: Response): Promise<void> => {
    if (answer.status !== 201) throw new Error(`pushing: ${String(answer.status)} ${await answer.text()}`);
    await answer.arrayBuffer();
  };
  for (const body of ['{}', layer])
    await demand(await send('POST', `/v2/${repository}/blobs/uploads/?digest=${sha(body)}`, { body }));
  const bytes = JSON.stringify({
    ...{ schemaVersion: 2, mediaType: imageType },
    config: descriptor('application/vnd.oci.image.config.v1+json', '{}'),
    layers: [descriptor('application/vnd.oci.image.layer.v1.tar', layer)],
  });
  const headers = { 'content-type': imageType };
  await demand(await send('PUT', `/v2/${repository}/manifests/${tag}`, { body: bytes, headers }));
  return sha(bytes);
}

async function end(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const gone = once(child, 'exit');
  child.kill('SIGKILL');
  await gone;
}
