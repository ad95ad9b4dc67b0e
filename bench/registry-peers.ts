import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { createServer, type AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';

/** A registry being measured. */
export interface Peer {
  readonly url: string;
  /** The most memory that it has held since its start, MiB (`VmHWM`). */
  peakMemory(): Promise<number>;
  stop(): Promise<void>;
}

/** Starts our registry in a process of its own, compiled or not as this file is. */
export async function startOurs(): Promise<Peer> {
  const data = await mkdtemp(join(tmpdir(), 'slipway-bench-ours-'));
  const extension = import.meta.url.endsWith('.ts') ? '.ts' : '.js';
  const script = fileURLToPath(new URL(`registry-server${extension}`, import.meta.url));
  const loader = extension === '.ts' ? ['--import', 'tsx'] : [];
  const child = spawn(process.execPath, [...loader, script, data], { stdio: ['ignore', 'pipe', 'inherit'] });
  for await (const line of createInterface({ input: child.stdout })) return peerOf(child, line, data);
  throw new Error('our registry did not start');
}

/** Starts Debian's `docker-registry` (distribution 2.8) with a file store. */
export async function startDistribution(): Promise<Peer> {
  const data = await mkdtemp(join(tmpdir(), 'slipway-bench-peer-'));
  const port = await freePort();
  const config = join(data, 'config.yml');
  const store = `storage: {filesystem: {rootdirectory: ${data}/store}}`;
  await writeFile(
    config,
    `version: 0.1\nlog: {level: error, accesslog: {disabled: true}}\n${store}\nhttp: {addr: "127.0.0.1:${String(port)}"}\n`,
  );
  const child = spawn('/usr/bin/docker-registry', ['serve', config], { stdio: 'ignore' });
  const url = `http://127.0.0.1:${String(port)}`;
  for (let tries = 0; tries < 200; tries += 1) {
    const answer = await fetch(`${url}/v2/`).catch(() => undefined);
    if (answer?.ok === true) return peerOf(child, url, data);
    await new Promise((next) => setTimeout(next, 50));
  }
  child.kill();
  throw new Error('docker-registry did not start: is the Debian package docker-registry installed?');
}

/** The most memory that a process has held since its start, MiB. */
export async function readPeakMemory(pid: number): Promise<number> {
  const status = await readFile(`/proc/${String(pid)}/status`, 'utf8');
  return Number(/VmHWM:\s+(\d+)/.exec(status)?.[1]) / 1024;
}

function peerOf(child: ChildProcess, url: string, data: string): Peer {
  return {
    url,
    peakMemory: () => readPeakMemory(child.pid ?? 0),
    stop: async () => {
      const gone = once(child, 'exit');
      child.kill('SIGKILL');
      await gone;
      await rm(data, { recursive: true, force: true });
    },
  };
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  return port;
}
