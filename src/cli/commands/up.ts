import { setTimeout as sleep } from 'node:timers/promises';
import type { Command } from 'commander';
import { readLogTail } from '../../host/background.ts';
import { cleanLine } from '../clean-line.ts';
import type { Cli, Start } from '../cli.ts';
import type { ExitCode } from '../exit-codes.ts';
import { withInterrupt } from '../io.ts';
import type { LocalHost, LocalProcess } from '../local-host.ts';
import { startInstallation, type Started } from '../start.ts';
import { formatLogLine, tailFiles } from '../tail.ts';

const examples = `
Examples:
  slipway up                    in the foreground, with the logs; Ctrl-C stops all of it
  slipway up --detach           in the background; slipway down stops it
  slipway up --tls              over TLS, with a certificate of its own making; later starts and commands remember it
  SLIPWAY_PORT=5081 SLIPWAY_DATA=/srv/slipway slipway up --detach

Redis: REDIS_URL, else one that runs on this machine, else a private one. Container engine: DOCKER_HOST, else the usual sockets, else
(as root) a private one. As root on Debian and Ubuntu, missing packages are installed; every such step is said.`;

const lookMs = 250;

function describe({ config, foundation, account, processes }: Started): object {
  const { url, registryHost, dataDir } = config;
  const names = processes.map(({ role, pid, logFile }) => ({ role, pid, logFile }));
  const { redisUrl: _, ...rest } = foundation;
  return { url, registry: registryHost, username: account.username, dataDir, foundation: rest, processes: names };
}

async function reportStarted({ screen }: Cli, started: Started): Promise<void> {
  const { config, foundation, account, isNew } = started;
  await screen.result(describe(started));
  if (screen.json) return;
  const { colors } = screen;
  const engine = `${foundation.engineVersion} at ${foundation.engineHost}${foundation.isEnginePrivate ? ' (private)' : ''}`;
  await screen.print(colors.bold(isNew ? 'Slipway is up.' : 'Slipway is up already.'));
  await screen.print(`  API       ${config.url}`);
  await screen.print(`  Registry  ${config.registryHost}`);
  await screen.print(`  Engine    ${engine}`);
  await screen.print(`  Redis     ${foundation.isRedisPrivate ? 'private' : 'of this machine, or REDIS_URL'}`);
  await screen.print(`  Data      ${config.dataDir}`);
  if (config.tls?.isOwn === true)
    await screen.print('  TLS       by our own authority; slipway cert trust says how others trust it');
  await screen.print(`  Account   ${account.username}; slipway login --show prints its password`);
}

/** Prints what the processes log until the signal aborts. Gives the process that ended by itself, if one did. */
async function showLogs(
  cli: Cli,
  host: LocalHost,
  started: Started,
  signal: AbortSignal,
): Promise<LocalProcess | undefined> {
  const { processes, config } = started;
  const width = Math.max(...processes.map(({ role }) => role.length));
  const roleOf = new Map(processes.map(({ logFile, role }) => [logFile, role.padEnd(width)]));
  const tail = tailFiles([...roleOf.keys()]);
  cli.screen.note('Ctrl-C stops it.');
  for (;;) {
    for (const { file, line } of tail.next()) {
      await cli.screen.print(
        `${cli.screen.colors.dim(`${roleOf.get(file) ?? ''} |`)} ${cleanLine(formatLogLine(line), false)}`,
      );
    }
    if (signal.aborted) return undefined;
    const alive = new Set(host.listProcesses(config).map(({ role }) => role));
    const gone = processes.find(({ role }) => !alive.has(role));
    if (gone !== undefined) return gone;
    await sleep(lookMs, undefined, { signal }).catch(() => undefined);
  }
}

async function runForeground(cli: Cli, host: LocalHost): Promise<ExitCode> {
  const { screen } = cli;
  const say = (line: string): void => screen.note(line);
  return withInterrupt(cli.io, async (signal) => {
    const started = await startInstallation(cli, host, say);
    await reportStarted(cli, started);
    if (!started.isNew) {
      screen.note('It runs in the background; slipway down stops it.');
      return 0;
    }
    const gone = await showLogs(cli, host, started, signal);
    if (gone !== undefined) screen.note(`The process ${gone.role} ended by itself:\n${readLogTail(gone.logFile, 5)}`);
    screen.note('Stopping …');
    await host.stop(started.config, false, say);
    return gone === undefined ? 0 : 1;
  });
}

async function runDetached(cli: Cli, host: LocalHost): Promise<ExitCode> {
  const started = await startInstallation(cli, host, (line) => cli.screen.note(line));
  await reportStarted(cli, started);
  if (started.isNew) cli.screen.note('slipway down stops it.');
  return 0;
}

/** Adds `slipway up`. */
export function addUp(program: Command, start: Start): void {
  program
    .command('up')
    .summary('start API, registry and workers on this machine')
    .description(
      'Finds or starts Redis and a container engine, starts API, registry and workers, and waits until a build can run.',
    )
    .option('-d, --detach', 'leave it running in the background')
    .option('--tls', 'speak TLS, with a certificate that Slipway makes and renews (SLIPWAY_TLS=auto)')
    .option('--no-tls', 'speak plain HTTP again (SLIPWAY_TLS=off)')
    .addHelpText('after', examples)
    .action(({ detach, tls }: { detach?: true; tls?: boolean }, command: Command) =>
      start(command, async (given) => {
        const cli = tls === undefined ? given : given.withVariables({ SLIPWAY_TLS: tls ? 'auto' : 'off' });
        const host = await cli.host();
        return detach === true ? runDetached(cli, host) : runForeground(cli, host);
      }),
    );
}
