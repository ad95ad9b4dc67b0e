import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { createServer, request, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PassThrough, type Readable } from 'node:stream';
import { setTimeout as sleep } from 'node:timers/promises';
import { createGzip } from 'node:zlib';
import { pack } from 'tar-stream';
import type { OutputImage, RunId } from '../../src/domain/run.ts';
import type { OutputStream } from '../../src/domain/event.ts';
import type { BuildStep, PushStep } from '../../src/domain/step.ts';
import { createBuildStep, createPushStep } from '../../src/domain/step-defaults.ts';
import type { RunSetup, StepIo } from '../../src/engine/ports.ts';
import type { Context } from '../../src/source/ports.ts';

/** The engine that the tests use. */
export const engineHost = process.env['DOCKER_HOST'] ?? 'unix:///var/run/docker.sock';

/** A tar of files, byte for byte the same for the same files. */
export function packFiles(files: Readonly<Record<string, string>>): Readable {
  const tar = pack();
  for (const [name, text] of Object.entries(files)) tar.entry({ name, mtime: new Date(0) }, text);
  tar.finalize();
  return tar.pipe(new PassThrough());
}

export function aContext(files: Readonly<Record<string, string>>, { gzip = false } = {}): Context {
  return {
    description: 'files of a test',
    open: async () => (gzip ? packFiles(files).pipe(createGzip()) : packFiles(files)),
    readFile: async (path) => files[path],
    dispose: async () => {},
  };
}

export function aBuild(change: Partial<BuildStep> = {}): BuildStep {
  return createBuildStep('build', { dockerfile: 'Dockerfile', ...change });
}

export function aPush(...images: string[]): PushStep {
  return createPushStep('push', { images });
}

export function aSetup(change: Partial<RunSetup> = {}): RunSetup {
  return { runId: 'ca1' as RunId, attempt: 1, registryCredentials: {}, ...change };
}

/** Keeps what a step says. */
export interface RecordedIo extends StepIo {
  readonly lines: { readonly stream: OutputStream; readonly text: string }[];
  readonly images: OutputImage[];
  text(): string;
}

export function recordIo(): RecordedIo {
  const lines: { stream: OutputStream; text: string }[] = [];
  const images: OutputImage[] = [];
  return {
    lines,
    images,
    output: (stream, text) => lines.push({ stream, text }),
    pushed: (image) => images.push(image),
    builtOn: () => {},
    text: () => lines.map((line) => line.text).join('\n'),
  };
}

/** Waits until `check` holds, at most 20 s. */
export async function until(check: () => boolean | Promise<boolean>): Promise<void> {
  const deadline = Date.now() + 20_000;
  while (!(await check())) {
    if (Date.now() > deadline) throw new Error('what was waited for did not happen within 20 s');
    await sleep(20);
  }
}

/** True while a process of this host has `words` in its command line. */
export async function isProcessAlive(words: string): Promise<boolean> {
  const ids = (await readdir('/proc')).filter((name) => /^\d+$/.test(name) && name !== String(process.pid));
  const lines = await Promise.all(ids.map((id) => readFile(`/proc/${id}/cmdline`, 'utf8').catch(() => '')));
  return lines.some((line) => line.replaceAll('\0', ' ').includes(words));
}

export async function listen(server: Server): Promise<number> {
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return (server.address() as AddressInfo).port;
}

async function freePort(): Promise<number> {
  const server = createServer();
  const port = await listen(server);
  server.close();
  await once(server, 'close');
  return port;
}

/** Debian's registry behind a door that asks for a name and password. */
export interface TestRegistry {
  readonly host: string;
  /** Decides on the status to answer instead of asking the registry; undefined lets a request through. */
  outage: (method: string, url: string) => number | undefined;
  stop(): Promise<void>;
}

const realm = { 'WWW-Authenticate': 'Basic realm="test"', 'Docker-Distribution-Api-Version': 'registry/2.0' };

/** Starts a registry; with `userName` and `password` it lets nobody else in. */
export async function startRegistry(account?: { userName: string; password: string }): Promise<TestRegistry> {
  const directory = await mkdtemp(join(tmpdir(), 'runner-registry-'));
  const port = await freePort();
  const storage = `storage: {filesystem: {rootdirectory: ${directory}/data}, delete: {enabled: true}}`;
  await writeFile(
    join(directory, 'config.yml'),
    `version: 0.1\nlog: {level: error}\n${storage}\nhttp: {addr: 127.0.0.1:${port}}\n`,
  );
  const child = spawn('docker-registry', ['serve', join(directory, 'config.yml')], { stdio: 'ignore' });
  const exited = once(child, 'exit');
  const wanted = account && `Basic ${Buffer.from(`${account.userName}:${account.password}`).toString('base64')}`;
  const registry: { outage: TestRegistry['outage'] } = { outage: () => undefined };
  const door = createServer((incoming, answer) => {
    const outage = registry.outage(incoming.method ?? '', incoming.url ?? '');
    if (outage !== undefined) {
      incoming.resume();
      answer.writeHead(outage).end();
      return;
    }
    if (wanted !== undefined && incoming.headers.authorization !== wanted) {
      incoming.resume();
      answer.writeHead(401, realm).end();
      return;
    }
    const { method, url, headers } = incoming;
    const onward = request({ port, host: '127.0.0.1', method, path: url, headers }, (response) => {
      answer.writeHead(response.statusCode ?? 500, response.headers);
      response.pipe(answer);
    });
    onward.on('error', () => answer.destroy());
    incoming.pipe(onward);
  });
  const host = `127.0.0.1:${await listen(door)}`;
  await until(() =>
    fetch(`http://127.0.0.1:${port}/v2/`).then(
      (answer) => answer.ok,
      () => false,
    ),
  );
  return Object.assign(registry, {
    host,
    stop: async () => {
      door.close();
      door.closeAllConnections();
      child.kill('SIGKILL');
      await exited;
      await rm(directory, { recursive: true, force: true });
    },
  });
}
