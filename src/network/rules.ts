import ipaddr from 'ipaddr.js';

type Address = ipaddr.IPv4 | ipaddr.IPv6;

/** A set of addresses. */
export interface Networks {
  /** How many entries it was read from; 0: it holds nothing. */
  readonly size: number;
  /** Whether it holds an address, as a socket or a proxy writes it; text that is no address is in no network. */
  has(address: string): boolean;
}

interface Network {
  readonly base: Address;
  readonly bits: number;
}

/** The most entries that one list may have, as in Azure Container Registry. */
export const maxNetworks = 200;

/** An address out of its text; an IPv4 address that is written as an IPv6 one (`::ffff:10.0.0.1`) becomes IPv4 again. */
function parseAddress(text: string): Address | undefined {
  // A socket names the interface of a link-local address (RFC 4007, section 11), a rule does not.
  const bare = text.replace(/%[^/%]*$/, '');
  if (!ipaddr.IPv4.isValidFourPartDecimal(bare) && !ipaddr.IPv6.isValid(bare)) return undefined;
  return ipaddr.process(bare);
}

function widthOf(address: Address): number {
  return address instanceof ipaddr.IPv4 ? 32 : 128;
}

/** `10.0.0.0/8`, `2001:db8::/32`, or one address; undefined for what is none of these. Bits behind the prefix are passed over. */
function parseNetwork(text: string): Network | undefined {
  const [, address = '', prefix] = /^([^/%]+)(?:\/(\d{1,3}))?$/.exec(text) ?? [];
  const base = parseAddress(address);
  if (base === undefined) return undefined;
  if (prefix === undefined) return { base, bits: widthOf(base) };
  const isMapped = base instanceof ipaddr.IPv4 && address.includes(':');
  const bits = Number(prefix) - (isMapped ? 96 : 0);
  return bits >= 0 && bits <= widthOf(base) ? { base, bits } : undefined;
}

function isInside(address: Address, { base, bits }: Network): boolean {
  if (address instanceof ipaddr.IPv4) return base instanceof ipaddr.IPv4 && address.match(base, bits);
  return base instanceof ipaddr.IPv6 && address.match(base, bits);
}

/** What is wrong with a list of addresses and networks, in words for the person who wrote it; nothing when all is well. */
export function findBadNetworks(entries: readonly string[]): readonly string[] {
  const bad = entries.filter((entry) => parseNetwork(entry) === undefined);
  return [
    ...bad.map((entry) => `"${entry}" is neither an address nor a network such as 10.0.0.0/8 or 2001:db8::/32`),
    ...(entries.length > maxNetworks ? [`${entries.length} entries are more than the ${maxNetworks} allowed`] : []),
  ];
}

/** Reads addresses and networks (IPv4 and IPv6); what {@link findBadNetworks} finds fault with holds nothing. */
export function parseNetworks(entries: readonly string[]): Networks {
  const networks = entries.flatMap((entry) => parseNetwork(entry) ?? []);
  const has = (text: string): boolean => {
    const address = parseAddress(text);
    return address !== undefined && networks.some((network) => isInside(address, network));
  };
  return { size: networks.length, has };
}

/** Whether an address is this machine's own (127.0.0.0/8, ::1). */
export function isLoopbackAddress(text: string): boolean {
  return parseAddress(text)?.range() === 'loopback';
}

/** One entry of `X-Forwarded-For`: an address, which some proxies write with a port. */
function parseHop(text: string): string | undefined {
  const trimmed = text.trim();
  const bare = /^\[([^\]]*)\](?::\d+)?$/.exec(trimmed)?.[1] ?? /^([\d.]+):\d+$/.exec(trimmed)?.[1] ?? trimmed;
  return parseAddress(bare)?.toString();
}

/**
 * Who made a request: the address that the connection comes from or, where that is a trusted proxy, the last address in
 * `X-Forwarded-For` that is no trusted proxy, since whatever stands before it may be the client's own invention.
 * @returns undefined when a trusted proxy names something that is no address.
 */
export function findClient(
  peer: string | undefined,
  forwardedFor: string | undefined,
  trusted: Networks,
): string | undefined {
  let client = peer === undefined ? undefined : parseAddress(peer)?.toString();
  if (client === undefined || forwardedFor === undefined || trusted.size === 0) return client;
  const hops = forwardedFor.split(',').filter((hop) => hop.trim() !== '');
  while (client !== undefined && trusted.has(client)) {
    const hop = hops.pop();
    if (hop === undefined) return client;
    client = parseHop(hop);
  }
  return client;
}
