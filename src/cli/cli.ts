import type { Command } from 'commander';
import { readConfig, readDataDir, type Config } from '../config.ts';
import { readAccount, type Account } from '../secret/account.ts';
import type { ApiClient } from './api-types.ts';
import { createClient } from './client.ts';
import { parseServer, readClientConfig } from './client-config.ts';
import { readCredential } from './credentials.ts';
import type { ExitCode } from './exit-codes.ts';
import { readMemory } from './host-memory.ts';
import type { CliIo } from './io.ts';
import type { LocalHost } from './local-host.ts';
import type { Product } from './product.ts';
import { createScreen, type Screen, type ScreenOptions } from './screen.ts';

/** The options that every command has. */
export interface GlobalOptions extends ScreenOptions {
  readonly server?: string | undefined;
}

/** What tests put in the place of the real thing. */
export interface Wiring {
  readonly host?: (io: CliIo) => Promise<LocalHost>;
  /** Milliseconds between tries of calls, and before the first new try of a lost stream. */
  readonly backoffMs?: readonly number[];
  /** Milliseconds until a queued run is asked why it waits. */
  readonly patienceMs?: number;
  /** Milliseconds between two looks at a campaign that is followed. */
  readonly pollMs?: number;
  /** Milliseconds for which a task that was written is waited for to be read. */
  readonly learningMs?: number;
}

/** What a command works with. */
export interface Cli {
  readonly io: CliIo;
  readonly screen: Screen;
  readonly product: Product;
  readonly wiring: Wiring;
  /** The configuration of the installation on this machine. Throws `invalid-request` when it is wrong. */
  readonly config: () => Config;
  /** The address that commands speak to. */
  readonly server: () => string;
  /** A client of {@link server} with the account that is known for it. */
  readonly client: () => Promise<ApiClient>;
  /** The same with further environment variables. */
  readonly withVariables: (variables: CliIo['env']) => Cli;
  /** What only this machine has; loaded when it is needed, because it brings the whole product with it. */
  readonly host: () => Promise<LocalHost>;
}

/** A command's work; resolves with its exit code, rejects with a failure. */
export type Work = (cli: Cli) => Promise<ExitCode>;

/** Runs a command's work, with the options that the command line gave. */
export type Start = (command: Command, work: Work) => Promise<void>;

/**
 * The account for a server: of the environment, else the one that was stored for it, else this machine's own when the server is this
 * machine's. A server that is not ours is never sent ours.
 */
export async function findAccount(cli: Cli, server: string): Promise<Account | undefined> {
  const { username, password } = readClientConfig(cli.io.env);
  if (username !== undefined && password !== undefined) return { username, password };
  const { dataDir, url } = cli.config();
  const stored = await readCredential(dataDir, server);
  return stored ?? (server === url ? readAccount(dataDir) : undefined);
}

async function loadHost(io: CliIo): Promise<LocalHost> {
  const { createLocalHost } = await import('./compose.ts');
  return createLocalHost(io);
}

/** Whether the installation on this machine has TLS is what `slipway up` was told last, where the environment says nothing of it. */
function recallTls(env: CliIo['env']): CliIo['env'] {
  const isSaid = ['SLIPWAY_TLS', 'SLIPWAY_TLS_CERT', 'SLIPWAY_TLS_KEY', 'SLIPWAY_URL'].some((name) =>
    Boolean(env[name]),
  );
  if (isSaid || readMemory(readDataDir(env))?.hasOwnTls !== true) return env;
  return { ...env, SLIPWAY_TLS: 'auto' };
}

/** Prepares what a command works with; nothing is read or opened yet. */
export function createCli(io: CliIo, product: Product, options: GlobalOptions, wiring: Wiring): Cli {
  let config: Config | undefined;
  const cli: Cli = {
    io,
    product,
    wiring,
    screen: createScreen(io, options),
    config: () => (config ??= readConfig(recallTls(io.env))),
    server: () => {
      const given = options.server === undefined ? readClientConfig(io.env).server : parseServer(options.server);
      return given ?? cli.config().url;
    },
    client: async () => {
      const server = cli.server();
      const { backoffMs } = wiring;
      return createClient({ server, account: await findAccount(cli, server), ...(backoffMs && { backoffMs }) });
    },
    host: () => (wiring.host ?? loadHost)(io),
    withVariables: (more) => createCli({ ...io, env: { ...io.env, ...more } }, product, options, wiring),
  };
  return cli;
}
