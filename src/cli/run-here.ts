import { readFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import { fail } from '../domain/failure.ts';
import { parseImageReference } from '../domain/image-reference.ts';
import type { Cli } from './cli.ts';
import { readClientConfig } from './client-config.ts';
import { listCredentials } from './credentials.ts';
import type { ExitCode } from './exit-codes.ts';
import { interruptedCode, withInterrupt, type CliIo } from './io.ts';
import type { LocalRun, LocalRunWish } from './local-host.ts';
import { findRegistryLogins } from './registry-logins.ts';
import { reportEnd, showRun } from './run-to-end.ts';

/** Steps at the same time. Throws `invalid-request`. */
export function parseMaxParallel(text: string): number {
  const number = /^\d{1,4}$/.test(text) ? Number(text) : 0;
  if (number >= 1 && number <= 1000) return number;
  throw fail('invalid-request', '--max-parallel must be a whole number from 1 to 1000', { field: '--max-parallel' });
}

/** `NAME=PATH`, each with what is in its file. Throws `invalid-request`. */
export async function readSecretFiles(io: CliIo, texts: readonly string[]): Promise<ReadonlyMap<string, Buffer>> {
  const field = '--secret-file';
  const secrets = new Map<string, Buffer>();
  for (const text of texts) {
    const equals = text.indexOf('=');
    const path = text.slice(equals + 1);
    if (equals < 1 || path === '') {
      throw fail('invalid-request', '--secret-file must be NAME=PATH', { field, hint: 'it is read from the file' });
    }
    const value = await readFile(resolve(io.cwd, path)).catch((cause: unknown) => {
      throw fail('invalid-request', `--secret-file: ${path} cannot be read`, { field, cause });
    });
    secrets.set(text.slice(0, equals), value);
  }
  return secrets;
}

/** A registry's host as it stands in image names. Throws `invalid-request` for a name that no engine takes for one. */
function parseRegistry(text: string): string {
  const isHost = !/[/@\s]/.test(text) && parseImageReference(`${text}/x`, '--registry').registry === text;
  if (isHost) return text;
  const hint = 'for example --registry registry.example.com or --registry localhost:5000';
  throw fail('invalid-request', `--registry ${text} is no host of a registry`, { field: '--registry', hint });
}

/** The registry that was named; else the one of the server that commands speak to, which is not asked. */
async function findRegistry(cli: Cli, given: string | undefined): Promise<string> {
  if (given !== undefined) return parseRegistry(given);
  const { dataDir, registryHost, url } = cli.config();
  const server = cli.server();
  if (server === url || readClientConfig(cli.io.env).server === undefined) return registryHost;
  const stored = (await listCredentials(dataDir)).find((account) => account.server === server);
  return stored?.registry ?? new URL(server).host;
}

/** What the flags of `slipway run` say of a run without a server. */
export interface RunHereWish extends Pick<
  LocalRunWish,
  'body' | 'context' | 'description' | 'secrets' | 'maxParallel'
> {
  readonly registry: string | undefined;
  readonly logs: boolean;
}

/** Shows a run to its end; when it cannot be shown any more, it is stopped. */
async function follow(cli: Cli, run: LocalRun, logs: boolean): Promise<ExitCode> {
  const { reader: client, id } = run;
  try {
    const view = await showRun(cli, { client, id, logs, showSteps: true, signal: new AbortController().signal });
    await run.gone;
    return await reportEnd(cli, view ?? (await client.run(id)), logs);
  } finally {
    run.cancel();
    await run.gone;
  }
}

/** Runs a task in this process, on the engine at hand. Ctrl-C cancels it. */
export async function runHere(cli: Cli, { registry, logs, ...wish }: RunHereWish): Promise<ExitCode> {
  const { credentials, unread } = await findRegistryLogins(cli);
  const registryHost = await findRegistry(cli, registry);
  const host = await cli.host();
  return withInterrupt(cli.io, async (signal) => {
    const run = await host.startRun(cli.config(), { ...wish, registryHost, credentials });
    if (signal.aborted) run.cancel();
    signal.addEventListener('abort', () => run.cancel());
    const code = await follow(cli, run, logs);
    if (code !== 0 && unread.length > 0) {
      cli.screen.note(`note: passwords in docker’s credential helpers are not read: ${unread.join(', ')}`);
    }
    return code !== 0 && signal.aborted ? interruptedCode : code;
  });
}
