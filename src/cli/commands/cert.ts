import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import { InvalidArgumentError, type Command } from 'commander';
import { fail } from '../../domain/failure.ts';
import { findCertificate, makeCertificate, ownFilesIn, usualDays } from '../../tls/own-files.ts';
import { ownNames } from '../../tls/own-names.ts';
import { namesOf, readChain } from '../../tls/pair.ts';
import { fetchCertificate } from '../../tls/remote.ts';
import { formatCertificate, formatTrust, viewCertificate, type CertificateView } from '../cert-view.ts';
import type { Cli, Start } from '../cli.ts';
import type { ExitCode } from '../exit-codes.ts';
import { collect } from '../options.ts';

const examples = `
Examples:
  slipway up --tls                                  makes and renews a certificate by itself
  slipway cert create --host registry.example.com --ip 10.0.0.5
  slipway cert show                                 the certificate of the installation on this machine
  slipway cert show https://registry.example.com
  slipway cert trust                                how docker, podman, curl and others come to trust it

The authority is made once and kept; what it signs later is trusted by whoever trusts it. A server that runs takes a new certificate
over within a moment, without a restart.`;

interface MakeFlags {
  readonly host?: readonly string[];
  readonly ip?: readonly string[];
  readonly days?: number;
  readonly out?: string;
  readonly force?: true;
}

function parseDays(value: string): number {
  const days = Number(value);
  if (Number.isInteger(days) && days >= 1 && days <= 3650) return days;
  throw new InvalidArgumentError('It must be a whole number of days from 1 to 3650.');
}

function directoryOf({ io, config }: Cli, { out }: MakeFlags): string {
  return out === undefined ? config().trust.tlsDirectory : resolve(io.cwd, out);
}

function namesFor(cli: Cli, { host = [], ip = [] }: MakeFlags): readonly string[] {
  if (host.length + ip.length > 0) return [...host, ...ip];
  const { url, registryHost, listen, patching, tls } = cli.config();
  const { registryUrl } = patching;
  return ownNames({ url, registryHost, listenHost: listen.host, registryUrl, names: tls?.names ?? [] });
}

async function printCertificate({ screen }: Cli, view: CertificateView, more: readonly (readonly [string, string])[]) {
  for (const [word, text] of [...more, ...formatCertificate(view)]) await screen.print(`${word.padEnd(10)} ${text}`);
}

async function printUse(cli: Cli, directory: string): Promise<void> {
  const { url, registryHost, trust, tls } = cli.config();
  const { certFile, keyFile, caFile } = ownFilesIn(directory);
  const isOurs = directory === trust.tlsDirectory;
  const use = isOurs ? 'slipway up --tls' : `SLIPWAY_TLS_CERT=${certFile} SLIPWAY_TLS_KEY=${keyFile} slipway up`;
  if (tls?.certFile !== certFile) await cli.screen.print(`\nTo use it: ${use}`);
  await cli.screen.print('');
  for (const line of formatTrust(caFile, url.replace(/^http:/, 'https:'), registryHost)) await cli.screen.print(line);
}

/** Makes one, shows what came of it, and says what to do with it. */
async function make(cli: Cli, flags: MakeFlags, names: readonly string[]): Promise<ExitCode> {
  const directory = directoryOf(cli, flags);
  const now = cli.io.clock.now();
  const certificate = await makeCertificate(directory, { names, days: flags.days ?? usualDays, now });
  const view = viewCertificate(certificate, now);
  const files = ownFilesIn(directory);
  await cli.screen.result({ ...files, certificate: view });
  if (cli.screen.json) return 0;
  await printCertificate(cli, view, [
    ['File', files.certFile],
    ['Key file', files.keyFile],
  ]);
  await printUse(cli, directory);
  return 0;
}

async function create(cli: Cli, flags: MakeFlags): Promise<ExitCode> {
  const directory = directoryOf(cli, flags);
  if (flags.force !== true && (await findCertificate(directory)) !== undefined) {
    const hint = 'slipway cert renew makes a new one for the same names, slipway cert create --force one for others.';
    throw fail('conflict', `there is a certificate already: ${ownFilesIn(directory).certFile}`, { hint });
  }
  return make(cli, flags, namesFor(cli, flags));
}

async function renew(cli: Cli, flags: MakeFlags): Promise<ExitCode> {
  const directory = directoryOf(cli, flags);
  const present = await findCertificate(directory);
  if (present === undefined) {
    const { certFile } = ownFilesIn(directory);
    throw fail('not-found', `there is no certificate to renew: ${certFile}`, { hint: 'slipway cert create' });
  }
  return make(cli, flags, namesOf(present));
}

/** Something that was shown: where it was found, and what is wrong with it there. */
interface Shown {
  readonly from: string;
  readonly view: CertificateView;
  readonly protocol?: string;
  /** Why this machine does not trust it; null: it does. Missing for a file. */
  readonly fault?: string | null;
}

async function showServer(cli: Cli, url: URL): Promise<Shown> {
  const { leaf, protocol, fault = null } = await fetchCertificate(url);
  return { from: url.host, view: viewCertificate(leaf, cli.io.clock.now()), protocol, fault };
}

async function showFile(cli: Cli, file: string): Promise<Shown> {
  const pem = await readFile(file, 'utf8').catch((cause: unknown) => {
    throw fail('not-found', `${file} cannot be read`, { hint: 'slipway cert create makes a certificate.', cause });
  });
  const [leaf] = readChain(file, pem);
  return { from: file, view: viewCertificate(leaf, cli.io.clock.now()) };
}

function find(cli: Cli, place: string | undefined): Promise<Shown> {
  if (place === undefined) {
    const { tls, trust } = cli.config();
    return showFile(cli, tls?.certFile ?? ownFilesIn(trust.tlsDirectory).certFile);
  }
  const file = resolve(cli.io.cwd, place);
  const url = /^https:\/\//i.test(place) ? place : `https://${place}`;
  const isServer = url === place || (!existsSync(file) && /^[\w.-]+:\d+$|^\[[\da-f:.]+\]:\d+$/i.test(place));
  return isServer && URL.canParse(url) ? showServer(cli, new URL(url)) : showFile(cli, file);
}

async function show(cli: Cli, place: string | undefined): Promise<ExitCode> {
  const { from, view, protocol, fault } = await find(cli, place);
  await cli.screen.result({ from, ...(protocol !== undefined && { protocol, fault }), certificate: view });
  if (cli.screen.json) return 0;
  await printCertificate(cli, view, [['From', protocol === undefined ? from : `${from} (${protocol})`]]);
  if (fault !== undefined) await cli.screen.print(`Trusted    ${fault === null ? 'yes' : `no: ${fault}`}`);
  return 0;
}

async function trust(cli: Cli): Promise<ExitCode> {
  const { trust: settings, url, registryHost } = cli.config();
  const { caFile } = ownFilesIn(settings.tlsDirectory);
  if (!existsSync(caFile))
    throw fail('not-found', `there is no authority: ${caFile}`, { hint: 'slipway cert create makes one.' });
  await cli.screen.result({ caFile, registry: registryHost });
  if (cli.screen.json) return 0;
  for (const line of formatTrust(caFile, url.replace(/^http:/, 'https:'), registryHost)) await cli.screen.print(line);
  return 0;
}

function addPlaceOptions(command: Command): Command {
  return command
    .option('--days <n>', `for how many days it is good (${usualDays} when not given)`, parseDays)
    .option('--out <dir>', 'where authority and certificate lie (tls/ in the data directory when not given)');
}

/** Adds `slipway cert …`. */
export function addCert(program: Command, start: Start): void {
  const cert = program
    .command('cert')
    .summary('make and show certificates for TLS')
    .description('Makes, renews and shows the certificate of the server on this machine.')
    .addHelpText('after', examples);
  addPlaceOptions(cert.command('create'))
    .description('Makes a certificate and, where there is none yet, a local authority that signs it.')
    .option('--host <name>', 'a host name that it is good for; may be repeated', collect)
    .option('--ip <address>', 'an address that it is good for; may be repeated', collect)
    .option('--force', 'replace a certificate that is there; the authority stays')
    .action((flags: MakeFlags, command: Command) => start(command, (cli) => create(cli, flags)));
  addPlaceOptions(cert.command('renew'))
    .description('Makes a new certificate and key for the same names.')
    .action((flags: MakeFlags, command: Command) => start(command, (cli) => renew(cli, flags)));
  cert
    .command('show')
    .argument('[place]', 'a PEM file, https://host[:port], or host:port')
    .description('Shows a certificate: of this installation, in a file, or of a server.')
    .action((place: string | undefined, _flags: unknown, command: Command) =>
      start(command, (cli) => show(cli, place)),
    );
  cert
    .command('trust')
    .description('Says what to do so that programs trust the authority of this installation.')
    .action((_flags: unknown, command: Command) => start(command, trust));
}
