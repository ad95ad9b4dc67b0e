import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { readAccount, type Account } from '../../src/secret/account.ts';

const root = new URL('../..', import.meta.url).pathname;

/** A whole Slipway of its own: Redis, API and registry, trigger worker and run worker, each a real process. */
export interface Installation {
  readonly url: string;
  readonly registryHost: string;
  readonly dataDir: string;
  readonly account: Account;
  /** The environment that the processes have, for more of them or for the CLI. */
  readonly env: Readonly<Record<string, string>>;
  /** What the CLI finds it by and logs in with. */
  readonly cliEnv: Readonly<Record<'SLIPWAY_SERVER' | 'SLIPWAY_USERNAME' | 'SLIPWAY_PASSWORD', string>>;
  readonly processes: Readonly<Record<'redis' | 'api' | 'trigger' | 'worker', ManagedProcess>>;
  /** Calls the API with the admin account; rejects on an answer that is no success, with its text. */
  request(path: string, init?: RequestInit): Promise<Response>;
  stop(): Promise<void>;
}

export interface ManagedProcess {
  readonly pid: () => number;
  readonly output: () => string;
  stop(signal?: NodeJS.Signals): Promise<number | null>;
  start(): Promise<void>;
}

export interface InstallationOptions {
  readonly env?: Readonly<Record<string, string>>;
  /** Runs compiled code out of `dist/` instead of the sources: for benchmarks. */
  readonly compiled?: boolean;
}

/** A port that was free a moment ago. */
export async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  server.close();
  await once(server, 'close');
  if (address === null || typeof address === 'string') throw new Error('no port');
  return address.port;
}

/** Waits until `look` gives something; fails with `what` and the last error after `ms`. */
export async function eventually<T>(what: string, ms: number, look: () => Promise<T | undefined>): Promise<T> {
  const end = Date.now() + ms;
  let last: unknown;
  while (Date.now() < end) {
    try {
      const found = await look();
      if (found !== undefined) return found;
    } catch (error) {
      last = error;
    }
    await new Promise((resolve) => setTimeout(resolve, 25));
  }
  throw new Error(`${what} did not happen within ${ms} ms`, { cause: last });
}

function manage(command: string, args: readonly string[], env: NodeJS.ProcessEnv): ManagedProcess {
  let child: ChildProcess | undefined;
  let output = '';
  return {
    pid: () => child?.pid ?? -1,
    output: () => output,
    start() {
      const started = spawn(command, args, { env, cwd: root, stdio: ['ignore', 'pipe', 'pipe'] });
      for (const stream of [started.stdout, started.stderr]) {
        stream.on('data', (chunk: Buffer) => {
          output = (output + chunk.toString()).slice(-200_000);
        });
      }
      child = started;
      return once(started, 'spawn').then(() => undefined);
    },
    async stop(signal = 'SIGTERM') {
      if (child?.exitCode !== null || child.signalCode !== null) return child?.exitCode ?? null;
      const gone = once(child, 'exit');
      child.kill(signal);
      await gone;
      return child.exitCode;
    },
  };
}

function node(file: string, env: NodeJS.ProcessEnv, compiled: boolean): ManagedProcess {
  const args = compiled ? [join(root, 'dist', file.replace(/\.ts$/, '.js'))] : ['--import', 'tsx', join(root, file)];
  return manage(process.execPath, args, env);
}

function createProcesses(dataDir: string, env: NodeJS.ProcessEnv, compiled: boolean): Installation['processes'] {
  const redisArgs = [
    '--port',
    '0',
    '--unixsocket',
    join(dataDir, 'redis.sock'),
    '--dir',
    dataDir,
    '--appendonly',
    'yes',
  ];
  return {
    redis: manage('redis-server', redisArgs, process.env),
    api: node('src/main.ts', env, compiled),
    trigger: node('workers/trigger-worker.ts', env, compiled),
    worker: node('workers/run-worker.ts', env, compiled),
  };
}

async function waitUntilReady(url: string, processes: Installation['processes']): Promise<void> {
  try {
    await eventually('readiness', 30_000, async () => ((await fetch(`${url}/readyz`)).ok ? true : undefined));
  } catch (cause) {
    const logs = Object.entries(processes).map(([name, one]) => `--- ${name}\n${one.output().slice(-2000)}`);
    throw new Error(`the installation does not get ready\n${logs.join('\n')}`, { cause });
  }
}

/** Starts an installation on free ports with a data directory of its own. `stop` ends all of it and removes the directory. */
export async function startInstallation(options: InstallationOptions = {}): Promise<Installation> {
  const dataDir = await mkdtemp(join(tmpdir(), 'slipway-test-'));
  const port = await freePort();
  const env: Record<string, string> = {
    SLIPWAY_DATA: dataDir,
    SLIPWAY_PORT: String(port),
    SLIPWAY_LOG_LEVEL: 'info',
    // What failed runs leave would stay on the engine that all tests share.
    SLIPWAY_KEEP_FAILED: '0',
    REDIS_URL: `unix://${join(dataDir, 'redis.sock')}`,
    ...options.env,
  };
  const processes = createProcesses(dataDir, { ...process.env, ...env }, options.compiled ?? false);
  const url = `http://127.0.0.1:${port}`;
  const stop = async (): Promise<void> => {
    await Promise.all([processes.worker.stop(), processes.trigger.stop(), processes.api.stop()]);
    await processes.redis.stop();
    await rm(dataDir, { recursive: true, force: true });
  };
  try {
    for (const one of Object.values(processes)) await one.start();
    await waitUntilReady(url, processes);
    const account = await eventually('the admin account', 5000, () => readAccount(dataDir));
    const { username, password } = account;
    const authorization = `Basic ${Buffer.from(`${username}:${password}`).toString('base64')}`;
    const request = async (path: string, init: RequestInit = {}): Promise<Response> => {
      const response = await fetch(`${url}${path}`, {
        ...init,
        headers: { authorization, ...(init.headers as Record<string, string> | undefined) },
      });
      if (!response.ok) throw new Error(`${init.method ?? 'GET'} ${path}: ${response.status} ${await response.text()}`);
      return response;
    };
    const cliEnv = { SLIPWAY_SERVER: url, SLIPWAY_USERNAME: username, SLIPWAY_PASSWORD: password };
    return { url, registryHost: `127.0.0.1:${port}`, dataDir, account, env, cliEnv, processes, request, stop };
  } catch (error) {
    await stop();
    throw error;
  }
}
