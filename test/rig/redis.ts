import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { createConnection } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** A Redis of the test's own, on a unix socket in a directory of its own. */
export interface PrivateRedis {
  /** `unix:///…`, good for as long as the directory exists, also across a restart. */
  readonly url: string;
  /** Ends the server as a shutdown would; what it held is on disk. */
  stop(): Promise<void>;
  /** Starts the stopped server again with what it held. */
  start(): Promise<void>;
  /** The server stands still, with its connections open, until the returned function is called. */
  freeze(): () => void;
  /** Ends the server and removes its directory. */
  dispose(): Promise<void>;
}

const startTimeoutMs = 10_000;

function isAnswering(path: string): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = createConnection(path, () => socket.write('PING\r\n'));
    socket.once('data', (data) => {
      socket.destroy();
      resolve(data.toString().startsWith('+PONG'));
    });
    socket.once('error', () => {
      resolve(false);
    });
  });
}

async function launch(directory: string, socket: string): Promise<ChildProcess> {
  const settings = ['--port', '0', '--unixsocket', socket, '--dir', directory, '--appendonly', 'yes', '--save', ''];
  const server = spawn('redis-server', settings, { stdio: 'ignore' });
  let failure: Error | undefined;
  server.once('error', (error) => {
    failure = new Error('these tests need redis-server: install the package "redis-server"', { cause: error });
  });
  const deadline = Date.now() + startTimeoutMs;
  while (!(await isAnswering(socket))) {
    if (failure) throw failure;
    if (server.exitCode !== null) throw new Error(`redis-server ended with exit code ${server.exitCode}`);
    if (Date.now() > deadline) throw new Error('redis-server did not answer in time');
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
  return server;
}

/** Starts a Redis that keeps its data in an append-only file. Rejects with what to install when there is no redis-server. */
export async function startRedis(): Promise<PrivateRedis> {
  const directory = await mkdtemp(join(tmpdir(), 'slipway-redis-'));
  const socket = join(directory, 'redis.sock');
  let server: ChildProcess | undefined;
  const stop = async (): Promise<void> => {
    const ending = server;
    server = undefined;
    if (ending?.exitCode !== null) return;
    ending.kill('SIGCONT');
    ending.kill('SIGTERM');
    await once(ending, 'exit');
  };
  const dispose = async (): Promise<void> => {
    await stop();
    await rm(directory, { recursive: true, force: true });
  };
  const start = async (): Promise<void> => {
    server = await launch(directory, socket);
  };
  // A test that timed out does not get to dispose.
  process.once('exit', () => server?.kill('SIGKILL'));
  await start().catch(async (error: unknown) => {
    await dispose();
    throw error;
  });
  return {
    url: `unix://${socket}`,
    stop,
    start,
    freeze() {
      server?.kill('SIGSTOP');
      return () => server?.kill('SIGCONT');
    },
    dispose,
  };
}
