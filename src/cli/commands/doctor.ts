import type { Command } from 'commander';
import type { Finding } from '../../host/inspect.ts';
import type { Cli, Start } from '../cli.ts';
import { listSettings } from '../config-table.ts';
import type { ExitCode } from '../exit-codes.ts';
import { inspectServer } from '../inspect-server.ts';
import type { Screen } from '../screen.ts';
import { formatTable } from '../words.ts';

const examples = `
Examples:
  slipway doctor
  slipway doctor --json | jq '.findings[] | select(.status != "ok")'

Nothing is started or changed. The exit code is 1 when something would keep Slipway from working.`;

function paint({ colors }: Screen, status: Finding['status']): string {
  switch (status) {
    case 'ok':
      return colors.green('ok  ');
    case 'warn':
      return colors.yellow('warn');
    case 'fail':
      return colors.red('FAIL');
  }
}

async function printFindings(screen: Screen, findings: readonly Finding[]): Promise<void> {
  const width = Math.max(...findings.map(({ name }) => name.length));
  for (const { name, status, detail, hint } of findings) {
    await screen.print(`${paint(screen, status)}  ${name.padEnd(width)}  ${detail}`);
    if (hint !== undefined) await screen.print(`${' '.repeat(width + 8)}${screen.colors.dim(`→ ${hint}`)}`);
  }
}

async function examine(cli: Cli): Promise<ExitCode> {
  const { screen, io } = cli;
  const config = cli.config();
  const host = await cli.host();
  const findings = [...(await host.inspect(config)), ...(await inspectServer(config, host.listProcesses(config)))];
  const settings = listSettings(config, io.env);
  const ok = findings.every(({ status }) => status !== 'fail');
  await screen.result({ ok, version: cli.product.version, findings, configuration: settings });
  if (screen.json) return ok ? 0 : 1;
  await screen.print(screen.colors.bold(`Slipway ${cli.product.version}`));
  await printFindings(screen, findings);
  await screen.print('');
  await screen.print(screen.colors.bold('Configuration (environment; * is set)'));
  const rows = settings.map(({ name, value, isSet }) => [`${isSet ? '*' : ' '} ${name}`, value ?? '-']);
  for (const line of formatTable(rows)) await screen.print(line);
  return ok ? 0 : 1;
}

/** Adds `slipway doctor`. */
export function addDoctor(program: Command, start: Start): void {
  program
    .command('doctor')
    .summary('look at everything that Slipway needs, and show the configuration')
    .description(
      'Looks at Node.js, git, Redis, the container engine, disk, ports and the server, and prints the configuration.',
    )
    .addHelpText('after', examples)
    .action((_flags: unknown, command: Command) => start(command, examine));
}
