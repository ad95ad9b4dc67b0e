import { setTimeout as sleep } from 'node:timers/promises';
import type { Config } from '../config.ts';
import { fail, FailureError } from '../domain/failure.ts';
import { readLogTail } from '../host/background.ts';
import { readAccount, type Account } from '../secret/account.ts';
import type { Cli } from './cli.ts';
import { createClient } from './client.ts';
import type { Foundation, LocalHost, LocalProcess, Say } from './local-host.ts';
import { isPortTaken } from './port.ts';

/** An installation on this machine that takes runs. */
export interface Started {
  readonly config: Config;
  readonly account: Account;
  readonly foundation: Foundation;
  readonly processes: readonly LocalProcess[];
  /** False when all of it ran before. */
  readonly isNew: boolean;
}

const readyMs = 60_000;
const pollMs = 50;

/** What would be started must not already run with another address, and its port must be free. */
async function checkAddress(host: LocalHost, config: Config): Promise<void> {
  const running = host.listProcesses(config);
  const known = host.recall(config);
  if (running.length > 0 && known !== undefined && known.url !== config.url) {
    const hint = `Speak to it there (SLIPWAY_SERVER=${known.url}), or stop it first: slipway down`;
    throw fail('conflict', `Slipway runs already, at ${known.url} and not at ${config.url}`, { hint });
  }
  if (running.some(({ role }) => role === 'api') || !(await isPortTaken(config.listen))) return;
  const hint = 'Choose another one, for example: SLIPWAY_PORT=5081 slipway up';
  throw fail('conflict', `port ${config.listen.port} is used by another program`, { field: 'SLIPWAY_PORT', hint });
}

function endedEarly(gone: LocalProcess): FailureError {
  const said = readLogTail(gone.logFile, 5);
  return fail('internal', `the process ${gone.role} ended while it started${said === '' ? '' : `:\n${said}`}`, {
    hint: `Its log is ${gone.logFile}.`,
  });
}

/** Asks until `probe` gives something; a process that ends before is the reason why it never will. */
async function awaitAnswer<T>(
  host: LocalHost,
  config: Config,
  processes: readonly LocalProcess[],
  probe: () => Promise<T | undefined>,
): Promise<T> {
  const deadline = performance.now() + readyMs;
  for (;;) {
    const found = await probe();
    if (found !== undefined) return found;
    const alive = new Set(host.listProcesses(config).map(({ role }) => role));
    const gone = processes.find(({ role }) => !alive.has(role));
    if (gone !== undefined) throw endedEarly(gone);
    if (performance.now() > deadline) throw tooLate(processes);
    await sleep(pollMs);
  }
}

function tooLate(processes: readonly LocalProcess[]): FailureError {
  const logs = processes.map(({ logFile }) => logFile).join(', ');
  return fail('timed-out', `Slipway was not ready within ${readyMs / 1000} s`, { hint: `The logs are ${logs}.` });
}

async function isReady(config: Config): Promise<true | undefined> {
  try {
    const { ok } = await fetch(`${config.url}/readyz`, { signal: AbortSignal.timeout(2000) });
    return ok || undefined;
  } catch {
    return undefined;
  }
}

/** The account once there is a worker to take runs; an account that is refused means that somebody else answers. */
async function findWorker(config: Config): Promise<Account | undefined> {
  const account = await readAccount(config.dataDir);
  if (account === undefined) return undefined;
  try {
    const workers = await createClient({ server: config.url, account, backoffMs: [] }).workers();
    return workers.length > 0 ? account : undefined;
  } catch (error) {
    const isStranger = error instanceof FailureError && error.failure.reason === 'unauthenticated';
    if (!isStranger) return undefined;
    const hint = 'Choose another port with SLIPWAY_PORT, and set SLIPWAY_URL if it names another server.';
    throw fail('conflict', `another Slipway answers at ${config.url}`, { hint });
  }
}

/**
 * Brings up what is not up: Redis, a container engine, API and registry, the workers. Resolves when the API is ready and a worker has
 * said that it takes runs.
 * @throws what is missing and what to do about it; what was started stays for `slipway down`.
 */
export async function startInstallation(cli: Cli, host: LocalHost, say: Say): Promise<Started> {
  const config = cli.config();
  await checkAddress(host, config);
  const foundation = await host.prepare(config, say);
  const processes = await host.startProcesses(config, foundation);
  const isNew = processes.some((one) => one.isNew);
  if (isNew) say('Starting API, registry and workers …');
  await awaitAnswer(host, config, processes, () => isReady(config));
  const account = await awaitAnswer(host, config, processes, () => findWorker(config));
  return { config, account, foundation, processes, isNew };
}
