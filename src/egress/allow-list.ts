import ipaddr from 'ipaddr.js';
import { fail } from '../domain/failure.ts';
import { parseAddress } from './address.ts';

/** What the operator allows beyond the public internet. */
export interface AllowList {
  /** True when `host` (as written) or `address` (what it resolved to) may be reached on `port`. */
  permits(target: { readonly host: string; readonly port: number | undefined; readonly address: string }): boolean;
}

type Rule =
  | {
      readonly kind: 'network';
      readonly network: ipaddr.IPv4 | ipaddr.IPv6;
      readonly bits: number;
      readonly port?: number;
    }
  | { readonly kind: 'host'; readonly host: string; readonly port?: number }
  | { readonly kind: 'suffix'; readonly suffix: string; readonly port?: number };

const hostPattern = /^(?:[a-z0-9_](?:[a-z0-9_-]*[a-z0-9_])?)(?:\.[a-z0-9_](?:[a-z0-9_-]*[a-z0-9_])?)*$/;

/**
 * Reads the operator's list. An entry is `host`, `host:port`, `*.suffix`, `*.suffix:port`, an address, `address:port`,
 * `[v6]:port`, or a network such as `10.0.0.0/8`.
 * @throws `invalid-request` naming SLIPWAY_EGRESS_ALLOW and the entry that is none of these.
 */
export function parseAllowList(entries: readonly string[]): AllowList {
  const rules = entries
    .map((entry) => entry.trim().toLowerCase())
    .filter((entry) => entry !== '')
    .map(parseRule);
  return { permits: (target) => rules.some((rule) => matches(rule, target)) };
}

/** The host as it is compared: lower case, without brackets and without the dot that ends a full name. */
export function normalizeHost(host: string): string {
  return host
    .toLowerCase()
    .replace(/^\[(.*)\]$/, '$1')
    .replace(/\.$/, '');
}

function parseRule(entry: string): Rule {
  const network = parseNetwork(entry);
  if (network !== undefined) return network;
  const match = /^(\[[0-9a-f:.]+\]|[^:/[\]]+)(?::([0-9]{1,5}))?$/.exec(entry);
  const host = match?.[1] ?? '';
  const port = match?.[2] === undefined ? {} : { port: Number(match[2]) };
  const address = parseAddress(host);
  if (address !== undefined) return { kind: 'network', network: address, bits: widthOf(address), ...port };
  if (host.startsWith('*.') && hostPattern.test(host.slice(2)))
    return { kind: 'suffix', suffix: host.slice(1), ...port };
  if (hostPattern.test(host)) return { kind: 'host', host, ...port };
  throw badEntry(entry);
}

function parseNetwork(entry: string): Rule | undefined {
  const plain = parseAddress(entry);
  if (plain !== undefined) return { kind: 'network', network: plain, bits: widthOf(plain) };
  if (!entry.includes('/')) return undefined;
  if (!ipaddr.isValidCIDR(entry)) throw badEntry(entry);
  const [network, bits] = ipaddr.parseCIDR(entry);
  return { kind: 'network', network, bits };
}

function widthOf(address: ipaddr.IPv4 | ipaddr.IPv6): number {
  return address instanceof ipaddr.IPv4 ? 32 : 128;
}

function badEntry(entry: string): Error {
  return fail('invalid-request', `"${entry}" in SLIPWAY_EGRESS_ALLOW is no host, address or network`, {
    field: 'SLIPWAY_EGRESS_ALLOW',
    hint: 'write host, host:port, *.suffix, an address, or a network such as 10.0.0.0/8',
  });
}

function matches(rule: Rule, target: { host: string; port: number | undefined; address: string }): boolean {
  if (rule.port !== undefined && rule.port !== target.port) return false;
  switch (rule.kind) {
    case 'network':
      return isInside(target.address, rule.network, rule.bits);
    case 'host':
      return normalizeHost(target.host) === rule.host;
    case 'suffix':
      return normalizeHost(target.host).endsWith(rule.suffix);
  }
}

function isInside(text: string, network: ipaddr.IPv4 | ipaddr.IPv6, bits: number): boolean {
  const address = parseAddress(text);
  if (address instanceof ipaddr.IPv4 && network instanceof ipaddr.IPv4) return address.match(network, bits);
  if (address instanceof ipaddr.IPv6 && network instanceof ipaddr.IPv6) return address.match(network, bits);
  return false;
}
