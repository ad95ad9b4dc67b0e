import type { Command } from 'commander';
import { fail } from '../../domain/failure.ts';
import type { Cli, Start } from '../cli.ts';
import type { ExitCode } from '../exit-codes.ts';
import { collect } from '../options.ts';
import { runToEnd } from '../run-to-end.ts';
import type { ScanPolicyView } from '../trust-client.ts';
import { formatTable } from '../words.ts';

const examples = `
Examples:
  slipway registry scan set --repository 'team/*' --image registry.example/trivy:0.70 \\
      --args 'image --format sarif {{.Values.image}}' --fail-on critical=1 --fail-on high=10
  slipway registry scan set --repository '*' --task scan-image --fail-on critical=1 --quarantine
  slipway registry scan run team/app:v1
  slipway registry scan off

The scanner is any image. It is told of the image by {{.Values.image}} (also .registry, .repository, .tag, .digest) and the variables
SCAN_IMAGE, SCAN_REGISTRY, SCAN_REPOSITORY, SCAN_TAG and SCAN_DIGEST, and finds a login for the registry where DOCKER_CONFIG and
REGISTRY_AUTH_FILE say. Its report is the file /workspace/report.json, or else what it writes on its standard output.`;

interface Flags {
  readonly repository?: readonly string[];
  readonly image?: string;
  readonly args?: string;
  readonly task?: string;
  readonly timeout?: string;
  readonly failOn?: readonly string[];
  readonly uncounted?: string;
  readonly quarantine?: true;
}

function readLimit(text: string): readonly [string, number] {
  const [, severity = '', count = ''] = /^([a-z]+)=(\d{1,9})$/.exec(text) ?? [];
  if (severity !== '') return [severity, Number(count)];
  const hint = 'such as --fail-on critical=1: one critical finding is too many';
  throw fail('invalid-request', `"${text.slice(0, 60)}" is no limit`, { field: '--fail-on', hint });
}

function readTimeout(text: string): number {
  if (/^\d{1,6}$/.test(text)) return Number(text);
  throw fail('invalid-request', '--timeout must be a number of seconds', { field: '--timeout' });
}

function readRule({ failOn, uncounted }: Flags): object {
  if (failOn === undefined && uncounted === undefined) return {};
  const limits = Object.fromEntries((failOn ?? []).map(readLimit));
  return { failOn: { ...limits, ...(uncounted !== undefined && { uncounted }) } };
}

function readPolicy(flags: Flags): object {
  const { repository, image, args, task, timeout, quarantine } = flags;
  return {
    repositories: repository,
    ...(image !== undefined && { image }),
    ...(args !== undefined && { arguments: args }),
    ...(task !== undefined && { task }),
    ...(timeout !== undefined && { timeout: readTimeout(timeout) }),
    ...readRule(flags),
    ...(quarantine === true && { quarantine }),
  };
}

async function print({ screen }: Cli, policy: ScanPolicyView): Promise<ExitCode> {
  await screen.result(policy);
  if (screen.json) return 0;
  const { repositories, image, arguments: args = '', task, timeout, failOn, quarantine } = policy.properties;
  const rule = Object.entries(failOn ?? {}).map(([name, limit]) => `${name}=${String(limit)}`);
  const rows = [
    ['repositories', repositories.join(', ')],
    task === undefined ? ['scanner', `${image ?? ''} ${args}`.trim()] : ['task', task],
    ['timeout', `${String(timeout)} s`],
    ['fails on', rule.length === 0 ? 'nothing' : rule.join(', ')],
    ['quarantine', quarantine ? 'decided by the report' : 'not decided'],
  ];
  for (const line of formatTable(rows)) await screen.print(line);
  return 0;
}

async function set(cli: Cli, flags: Flags): Promise<ExitCode> {
  const policy = readPolicy(flags);
  return print(cli, await (await cli.client()).scanPolicy.put(policy));
}

async function show(cli: Cli): Promise<ExitCode> {
  return print(cli, await (await cli.client()).scanPolicy.get());
}

async function off({ screen, client }: Cli): Promise<ExitCode> {
  await (await client()).scanPolicy.delete();
  await screen.result({ deleted: true });
  if (!screen.json) await screen.print('Images are not scanned any more.');
  return 0;
}

async function run(cli: Cli, image: string, { wait }: { readonly wait: boolean }): Promise<ExitCode> {
  const client = await cli.client();
  return runToEnd(cli, client, { submit: () => client.scan(image), wait, logs: true });
}

function addSet(scan: Command, start: Start): void {
  scan
    .command('set')
    .description('Says what scans images when they are pushed; takes the place of what was said before.')
    .requiredOption('--repository <pattern>', 'team/app, team/* or *; may be repeated', collect)
    .option('--image <image>', 'the image that scans')
    .option('--args <text>', 'what follows it, as in a cmd step')
    .option('--task <name>', 'a task that scans, in place of an image')
    .option('--timeout <seconds>', '300 to 28800; 1800 when not given')
    .option('--fail-on <severity=count>', 'so many findings are too many; may be repeated', collect)
    .option('--uncounted <what>', 'fail or pass: what a report that cannot be counted means (fail when not given)')
    .option('--quarantine', 'let the report decide whether the image leaves quarantine')
    .action((flags: Flags, command: Command) => start(command, (cli) => set(cli, flags)));
}

/** Adds `slipway registry scan …`. */
export function addRegistryScan(registry: Command, start: Start): void {
  const scan = registry
    .command('scan')
    .summary('have images scanned when they are pushed')
    .description('Has each image that is pushed looked at by a scanner, and keeps its report with the image.')
    .addHelpText('after', examples);
  addSet(scan, start);
  scan
    .command('show')
    .description('Shows what scans images.')
    .action((_flags: unknown, command: Command) => start(command, show));
  scan
    .command('off')
    .description('Ends the scanning of images.')
    .action((_flags: unknown, command: Command) => start(command, off));
  scan
    .command('run')
    .description('Scans an image now, whichever repository it is in.')
    .argument('<image>', 'team/app:v1 or team/app@sha256:…')
    .option('--no-wait', 'print the run’s id and end')
    .action((image: string, flags: { wait: boolean }, command: Command) =>
      start(command, (cli) => run(cli, image, flags)),
    );
}
