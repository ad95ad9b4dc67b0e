import { accessSync, constants, existsSync } from 'node:fs';
import { dirname } from 'node:path';
import type { Config } from '../config.ts';
import type { Finding } from '../host/inspect.ts';
import { readAccount } from '../secret/account.ts';
import type { WorkerView } from './api-types.ts';
import { createClient } from './client.ts';
import type { LocalProcess } from './local-host.ts';
import { isPortTaken } from './port.ts';

function inspectDataDirectory(dataDir: string): Finding {
  const name = 'data directory';
  const isThere = existsSync(dataDir);
  let nearest = dataDir;
  while (!existsSync(nearest)) nearest = dirname(nearest);
  try {
    accessSync(nearest, constants.W_OK | constants.X_OK);
    return { name, status: 'ok', detail: isThere ? dataDir : `${dataDir} (slipway up makes it)` };
  } catch {
    const hint = 'Set SLIPWAY_DATA to a folder that this user may write to.';
    return { name, status: 'fail', detail: `${nearest} cannot be written to`, hint };
  }
}

async function inspectPort({ listen }: Config, hasApi: boolean): Promise<Finding> {
  const [name, port] = ['port', `${listen.host}:${listen.port}`];
  if (!(await isPortTaken(listen))) return { name, status: 'ok', detail: `${port} is free` };
  if (hasApi) return { name, status: 'ok', detail: `${port} is Slipway's` };
  const hint = 'If it is not a Slipway that was started in another way, choose another port with SLIPWAY_PORT.';
  return { name, status: 'warn', detail: `${port} is used by a program that slipway up did not start`, hint };
}

interface Readiness {
  readonly status?: string;
  readonly checks?: Readonly<Record<string, { readonly ok: boolean; readonly reason?: string }>>;
}

async function inspectReadiness({ url }: Config, isExpected: boolean): Promise<Finding> {
  const name = 'server';
  try {
    const response = await fetch(`${url}/readyz`, { signal: AbortSignal.timeout(5000) });
    const { status = 'unknown', checks = {} } = (await response.json()) as Readiness;
    const faults = Object.entries(checks).flatMap(([part, { ok, reason }]) =>
      ok ? [] : [`${part}: ${reason ?? 'down'}`],
    );
    return {
      name,
      status: response.ok ? 'ok' : 'fail',
      detail: `${status} at ${url}${faults.length > 0 ? ` (${faults.join('; ')})` : ''}`,
    };
  } catch {
    if (!isExpected) return { name, status: 'ok', detail: `not running at ${url}: slipway up starts it` };
    return { name, status: 'fail', detail: `does not answer at ${url}`, hint: 'slipway down, then slipway up' };
  }
}

function judgeWorkers(workers: readonly WorkerView[]): Finding {
  const name = 'workers';
  if (workers.length === 0) {
    return {
      name,
      status: 'fail',
      detail: 'none is connected: runs wait',
      hint: 'slipway up starts what does not run',
    };
  }
  const broken = workers.filter(({ engine }) => !engine.ok);
  const detail = workers.map(
    (one) => `${one.name} (${one.engine.ok ? `engine ${one.engine.version ?? ''}` : 'its engine is down'})`,
  );
  return {
    name,
    status: broken.length === workers.length ? 'fail' : broken.length > 0 ? 'warn' : 'ok',
    detail: detail.join(', '),
  };
}

async function inspectWorkers({ url, dataDir }: Config): Promise<readonly Finding[]> {
  const account = await readAccount(dataDir);
  if (account === undefined) return [];
  try {
    return [judgeWorkers(await createClient({ server: url, account, backoffMs: [] }).workers())];
  } catch {
    // What keeps the server from answering is its own finding.
    return [];
  }
}

/** Looks at what the installation itself should be doing: its files, its port, its API, its workers. Never rejects. */
export async function inspectServer(config: Config, processes: readonly LocalProcess[]): Promise<readonly Finding[]> {
  const hasApi = processes.some(({ role }) => role === 'api');
  const [port, server, workers] = await Promise.all([
    inspectPort(config, hasApi),
    inspectReadiness(config, hasApi),
    inspectWorkers(config),
  ]);
  return [
    inspectDataDirectory(config.dataDir),
    port,
    server,
    ...(server.detail.startsWith('not running') ? [] : workers),
  ];
}
