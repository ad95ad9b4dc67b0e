import { readFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import type { Command } from 'commander';
import { fail } from '../../domain/failure.ts';
import type { Verdict } from '../../domain/registry-trust.ts';
import { parseImageReference } from '../../domain/image-reference.ts';
import { cleanLine } from '../clean-line.ts';
import type { Cli, Start } from '../cli.ts';
import type { ExitCode } from '../exit-codes.ts';
import { collect } from '../options.ts';
import type { TrustPolicyView } from '../trust-client.ts';
import { formatTable } from '../words.ts';

const examples = `
Examples:
  slipway registry trust create released --repository 'team/*' --key release.pub
  slipway registry trust create partners --repository partners/app --certificate ca.pem --mode warn
  slipway registry trust update released --key release.pub --key second.pub --min-signatures 2
  slipway registry trust verify team/app:v1                 exit code 1: it could not be pulled

Keys (PEM) are for cosign, certificates (PEM) for Notation. Who may sign (the role AcrImageSigner), and whoever looks after the registry,
can pull what is not signed: they must be able to sign it.`;

interface Flags {
  readonly repository?: readonly string[];
  readonly key?: readonly string[];
  readonly certificate?: readonly string[];
  readonly mode?: string;
  readonly minSignatures?: string;
  readonly certificateValidity?: string;
}

async function readPems({ io }: Cli, files: readonly string[], flag: string): Promise<readonly string[]> {
  const reading = files.map((file) =>
    readFile(resolve(io.cwd, file), 'utf8').catch((cause: unknown) => {
      throw fail('invalid-request', `${file} cannot be read`, { field: flag, cause });
    }),
  );
  return Promise.all(reading);
}

function readCount(text: string): number {
  if (/^\d{1,3}$/.test(text)) return Number(text);
  throw fail('invalid-request', '--min-signatures must be a number', { field: '--min-signatures' });
}

/** What the flags say of a policy. */
async function readFlags(cli: Cli, flags: Flags): Promise<object> {
  const { repository, key, certificate, mode, minSignatures, certificateValidity } = flags;
  return {
    ...(repository !== undefined && { repositories: repository }),
    ...(key !== undefined && { keys: await readPems(cli, key, '--key') }),
    ...(certificate !== undefined && { certificates: await readPems(cli, certificate, '--certificate') }),
    ...(mode !== undefined && { mode }),
    ...(minSignatures !== undefined && { minSignatures: readCount(minSignatures) }),
    ...(certificateValidity !== undefined && { certificateValidity }),
  };
}

/** `enforces 1 signature for team/*` */
function describePolicy({ properties: { mode, minSignatures, repositories } }: TrustPolicyView): string {
  const demand = minSignatures === 1 ? 'a signature' : `${String(minSignatures)} signatures`;
  return `${mode === 'enforce' ? 'demands' : 'warns without'} ${demand} in ${repositories.join(', ')}`;
}

async function print({ screen }: Cli, policy: TrustPolicyView): Promise<ExitCode> {
  await screen.result(policy);
  if (!screen.json) await screen.print(`Trust policy ${policy.name} ${describePolicy(policy)}.`);
  return 0;
}

async function create(cli: Cli, name: string, flags: Flags): Promise<ExitCode> {
  const properties = await readFlags(cli, flags);
  return print(cli, await (await cli.client()).trustPolicies.put(name, properties));
}

async function update(cli: Cli, name: string, flags: Flags): Promise<ExitCode> {
  const change = await readFlags(cli, flags);
  if (Object.keys(change).length === 0)
    throw fail('invalid-request', 'nothing is to be changed', { hint: 'give --key, --repository, --mode …' });
  const { trustPolicies } = await cli.client();
  const { properties } = await trustPolicies.get(name);
  return print(cli, await trustPolicies.put(name, { ...properties, ...change }));
}

async function list({ screen, client }: Cli): Promise<ExitCode> {
  const policies = await (await client()).trustPolicies.list();
  await screen.result(policies);
  if (screen.json) return 0;
  for (const line of formatTable(policies.map((policy) => [policy.name, describePolicy(policy)])))
    await screen.print(line);
  return 0;
}

async function show({ screen, client }: Cli, name: string): Promise<ExitCode> {
  const policy = await (await client()).trustPolicies.get(name);
  await screen.result(policy);
  if (screen.json) return 0;
  const { repositories, mode, minSignatures, keys, certificates, certificateValidity } = policy.properties;
  const rows = [
    ['name', policy.name],
    ['repositories', repositories.join(', ')],
    ['mode', mode],
    ['signatures', `${String(minSignatures)} of different keys or certificates`],
    ['keys', String(keys.length)],
    [
      'certificates',
      certificates.length === 0 ? '0' : `${String(certificates.length)}, valid at: ${certificateValidity}`,
    ],
  ];
  for (const line of formatTable(rows)) await screen.print(line);
  for (const pem of [...keys, ...certificates]) for (const line of pem.trim().split('\n')) await screen.print(line);
  return 0;
}

async function remove({ screen, client }: Cli, name: string): Promise<ExitCode> {
  await (await client()).trustPolicies.delete(name);
  await screen.result({ name, deleted: true });
  if (!screen.json) await screen.print(`Trust policy ${name} is deleted.`);
  return 0;
}

function describeSigners({ signers }: Verdict): string {
  return signers.map(({ name, id, format }) => `${name} (${format}, ${id.slice(0, 19)})`).join(', ');
}

async function verify({ screen, client }: Cli, image: string): Promise<ExitCode> {
  parseImageReference(image);
  const found = await (await client()).verifyTrust(image);
  const code = found.isAllowed ? 0 : 1;
  await screen.result(found);
  if (screen.json) return code;
  const { complaints, verdicts, isAllowed, repository, digest } = found;
  const lines = verdicts
    .filter(({ isTrusted }) => isTrusted)
    .map((verdict) => `${verdict.policy}: signed by ${describeSigners(verdict)}`);
  for (const line of [...lines, ...complaints]) await screen.print(cleanLine(line, false));
  if (verdicts.length === 0) await screen.print('No trust policy demands anything of it.');
  await screen.print(`${repository}@${digest} ${isAllowed ? 'can be pulled' : 'cannot be pulled'}.`);
  return code;
}

function addFlags(command: Command): Command {
  return command
    .option('--repository <pattern>', 'team/app, team/* or *; may be repeated', collect)
    .option('--key <file>', 'a public key (PEM), for cosign; may be repeated', collect)
    .option('--certificate <file>', 'a certificate (PEM), for Notation; may be repeated', collect)
    .option('--mode <mode>', 'enforce: what is not signed cannot be pulled; warn: it can, with a warning')
    .option('--min-signatures <count>', 'how many different keys or certificates must have signed')
    .option('--certificate-validity <when>', 'now (and at signing time), or signing-time alone');
}

function addWriting(trust: Command, start: Start): void {
  addFlags(trust.command('create'))
    .description('Makes a trust policy, or puts another in the place of one.')
    .argument('<name>', '1 to 64 letters, digits, "-", "_" and "."')
    .action((name: string, flags: Flags, command: Command) => start(command, (cli) => create(cli, name, flags)));
  addFlags(trust.command('update'))
    .description('Changes a trust policy; what is not given stays. A list takes the place of the one before.')
    .argument('<name>', 'its name')
    .action((name: string, flags: Flags, command: Command) => start(command, (cli) => update(cli, name, flags)));
}

/** Adds `slipway registry trust …`. */
export function addRegistryTrust(registry: Command, start: Start): void {
  const trust = registry
    .command('trust')
    .summary('demand signatures of images')
    .description('Says whose signature images must bear before they can be pulled.')
    .addHelpText('after', examples);
  addWriting(trust, start);
  trust
    .command('list')
    .description('Lists trust policies.')
    .action((_flags: unknown, command: Command) => start(command, list));
  const ofOne = [
    ['show', 'Shows a trust policy with its keys and certificates.', '<name>', show],
    ['delete', 'Deletes a trust policy.', '<name>', remove],
    ['verify', 'Says whether an image bears what is demanded; exit code 1: it does not.', '<image>', verify],
  ] as const;
  for (const [verb, description, argument, work] of ofOne)
    trust
      .command(verb)
      .description(description)
      .argument(argument)
      .action((word: string, _flags: unknown, command: Command) => start(command, (cli) => work(cli, word)));
}
