import ipaddr from 'ipaddr.js';

/** Addresses that are public by their range but belong to the cloud a machine runs in (Azure's platform address). */
const platformAddresses = new Set(['168.63.129.16']);

/** The words for a range of ipaddr.js that people meet; the others are called reserved. */
const rangeWords: Readonly<Record<string, string>> = {
  unspecified: 'an unspecified address',
  broadcast: 'a broadcast address',
  multicast: 'a multicast address',
  linkLocal: 'a link-local address (cloud metadata lives there)',
  loopback: 'a loopback address',
  carrierGradeNat: 'a carrier-grade NAT address',
  private: 'a private address',
  uniqueLocal: 'a private address',
  deprecatedSiteLocal: 'a private address',
};

/** The IPv4 address inside an IPv4-mapped IPv6 address, or the address itself; undefined when the text is no address. */
export function parseAddress(text: string): ipaddr.IPv4 | ipaddr.IPv6 | undefined {
  const bare = text.replace(/^\[(.*)\]$/, '$1');
  if (!ipaddr.IPv4.isValidFourPartDecimal(bare) && !ipaddr.IPv6.isValid(bare)) return undefined;
  return ipaddr.process(bare);
}

/**
 * Why an address must not be reached on behalf of a user: `a private address`, `a loopback address` …; undefined for
 * an address of the public internet. Whatever can carry an IPv4 address inside IPv6 (NAT64, 6to4, Teredo,
 * IPv4-compatible) counts as reserved, because what it leads to is not known here.
 */
export function whyRefused(text: string): string | undefined {
  const address = parseAddress(text);
  if (address === undefined) return 'no address';
  if (platformAddresses.has(address.toString())) return 'a cloud platform address';
  const range = address.range();
  if (range !== 'unicast') return rangeWords[range] ?? 'a reserved address';
  return isOutsideGlobalUnicast(address) ? 'a reserved address' : undefined;
}

/** Only 2000::/3 has been handed out (IANA IPv6 address space); `::a.b.c.d` and the rest have no business here. */
function isOutsideGlobalUnicast(address: ipaddr.IPv4 | ipaddr.IPv6): boolean {
  return address instanceof ipaddr.IPv6 && ((address.parts[0] ?? 0) & 0xe000) !== 0x2000;
}
