import { isIP } from 'node:net';
import type { ResolvedAddress } from '../egress/ports.ts';
import type { GitLocation } from './location.ts';

/** What the operator sets for all git contexts. */
export interface GitOptions {
  /** Private key for ssh locations; without one, only hosts that let anybody in can be reached by ssh. */
  readonly sshKeyFile?: string | undefined;
  /** Known host keys; without the file, a host's key is accepted when it is first seen, for that clone alone. */
  readonly knownHostsFile?: string | undefined;
  /** The ssh program. Default `ssh`. */
  readonly sshCommand?: string | undefined;
  /** Certificates of in-house authorities, PEM. */
  readonly caFile?: string | undefined;
  /** Where `git` and `ssh` are looked for. Default: the usual directories. */
  readonly path?: string | undefined;
}

export interface GitAccess {
  readonly location: GitLocation;
  /** Checked addresses of the location's host: git connects to them and resolves nothing itself. */
  readonly addresses: readonly ResolvedAddress[];
  /** The private directory of this clone. */
  readonly home: string;
  readonly options: GitOptions;
}

/** Settings that hold for every clone: no hooks, no template, no helpers, no redirects, no transport but these. */
const fixed: readonly (readonly [string, string])[] = [
  ['init.templateDir', ''],
  ['init.defaultBranch', 'main'],
  ['core.hooksPath', '/dev/null'],
  ['core.askPass', ''],
  ['core.fsmonitor', 'false'],
  ['credential.helper', ''],
  ['gc.auto', '0'],
  ['maintenance.auto', 'false'],
  ['submodule.recurse', 'false'],
  ['fetch.recurseSubmodules', 'false'],
  ['advice.detachedHead', 'false'],
  ['http.followRedirects', 'false'],
  ['http.proxy', ''],
  ['http.lowSpeedLimit', '1'],
  ['http.lowSpeedTime', '120'],
  ['protocol.allow', 'never'],
  ['protocol.https.allow', 'always'],
  ['protocol.ssh.allow', 'always'],
];

/**
 * The text of git's configuration file for one fetch. It holds the token, so that no command line and no environment
 * does: write it with mode 0600 and remove it with the clone.
 */
export function writeGitConfig(access: GitAccess): string {
  const { location, options } = access;
  const settings = [...fixed];
  if (location.transport === 'http') settings.push(['protocol.http.allow', 'always']);
  if (location.transport === 'ssh') settings.push(['core.sshCommand', sshCommandFor(access)]);
  else settings.push(...pinHost(access));
  if (options.caFile !== undefined) settings.push(['http.sslCAInfo', options.caFile]);
  if (location.token !== undefined && location.transport === 'https')
    settings.push(headerFor(location, location.token));
  return settings.map(([key, value]) => formatSetting(key, value)).join('');
}

export function portOf(location: GitLocation): number {
  return location.port ?? { https: 443, http: 80, ssh: 22 }[location.transport];
}

/** `Authorization: Basic`, sent to this scheme, host and port alone (git-config, `http.<url>.*`). */
function headerFor(location: GitLocation, token: string): readonly [string, string] {
  const login = Buffer.from(`${location.user ?? 'x-access-token'}:${token}`).toString('base64');
  return [`http.${new URL(location.url).origin}/.extraHeader`, `Authorization: Basic ${login}`];
}

function pinHost({ location, addresses }: GitAccess): (readonly [string, string])[] {
  // An address needs no pin: there is nothing to resolve.
  if (location.host.startsWith('[') || isIP(location.host) !== 0) return [];
  const list = addresses.map(({ address, family }) => (family === 6 ? `[${address}]` : address)).join(',');
  return [['http.curloptResolve', `${location.host}:${String(portOf(location))}:${list}`]];
}

function sshCommandFor({ location, addresses, home, options }: GitAccess): string {
  const port = portOf(location);
  const settings = [
    'BatchMode=yes',
    'IdentityAgent=none',
    'ProxyCommand=none',
    'ConnectTimeout=30',
    `HostName=${addresses[0]?.address ?? ''}`,
    `HostKeyAlias=${port === 22 ? location.host : `[${location.host}]:${String(port)}`}`,
    `StrictHostKeyChecking=${options.knownHostsFile === undefined ? 'accept-new' : 'yes'}`,
    `UserKnownHostsFile=${options.knownHostsFile ?? `${home}/known_hosts`}`,
    'GlobalKnownHostsFile=/dev/null',
  ];
  const key = options.sshKeyFile === undefined ? [] : ['-i', options.sshKeyFile, '-o', 'IdentitiesOnly=yes'];
  const words = [options.sshCommand ?? 'ssh', '-F', '/dev/null', ...settings.flatMap((one) => ['-o', one]), ...key];
  return words.map(quoteWord).join(' ');
}

/** git hands the command to a shell; every word in it is ours or the operator's, and is quoted all the same. */
function quoteWord(word: string): string {
  return /^[A-Za-z0-9_./=-]+$/.test(word) ? word : `'${word.replaceAll("'", `'\\''`)}'`;
}

/** `section.sub.section.key` in the syntax of git-config. */
function formatSetting(key: string, value: string): string {
  const first = key.indexOf('.');
  const last = key.lastIndexOf('.');
  const section =
    first === last ? key.slice(0, first) : `${key.slice(0, first)} ${quoteValue(key.slice(first + 1, last))}`;
  return `[${section}]\n\t${key.slice(last + 1)} = ${quoteValue(value)}\n`;
}

function quoteValue(text: string): string {
  return `"${text.replace(/[\r\n\0]/g, '').replace(/[\\"]/g, '\\$&')}"`;
}
