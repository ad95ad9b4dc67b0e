import type { Command } from 'commander';
import type { Cli, Start } from '../cli.ts';
import type { ExitCode } from '../exit-codes.ts';

const examples = `
Examples:
  slipway down                  stop what slipway up started; images, runs and accounts stay
  slipway down --purge          stop it and remove all of it, the images in the registry too`;

async function stop(cli: Cli, purge: boolean): Promise<ExitCode> {
  const { screen } = cli;
  const host = await cli.host();
  const config = cli.config();
  const report = await host.stop(config, purge, (line) => screen.note(line));
  await screen.result({ dataDir: config.dataDir, ...report });
  if (screen.json) return 0;
  await screen.print(report.stopped.length === 0 ? 'Nothing was running.' : `Stopped: ${report.stopped.join(', ')}`);
  if (report.removed.length > 0) await screen.print(`Removed: ${report.removed.join(', ')}`);
  return 0;
}

/** Adds `slipway down`. */
export function addDown(program: Command, start: Start): void {
  program
    .command('down')
    .summary('stop what slipway up started')
    .description(
      'Stops API, registry, workers, and the Redis and the container engine that slipway up started. Others are left alone.',
    )
    .option('--purge', 'remove the data directory and what was made on the engine and in Redis, too')
    .addHelpText('after', examples)
    .action(({ purge }: { purge?: true }, command: Command) => start(command, (cli) => stop(cli, purge === true)));
}
