import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { findBadNetworks, findClient, isLoopbackAddress, maxNetworks, parseNetworks } from '../../src/network/rules.ts';

const octet = fc.integer({ min: 0, max: 255 });
const ipv4 = fc.tuple(octet, octet, octet, octet).map((parts) => parts.join('.'));

/** An IPv4 address as a number of 32 bits. */
function numberOf(address: string): number {
  return address.split('.').reduce((sum, part) => sum * 256 + Number(part), 0);
}

describe('a list of networks', () => {
  it.each([
    ['10.0.0.0/8', '10.255.0.1', '11.0.0.0'],
    ['10.1.2.3/8', '10.255.0.1', '11.0.0.0'],
    ['192.0.2.7', '192.0.2.7', '192.0.2.8'],
    ['0.0.0.0/0', '255.255.255.255', '::2'],
    ['2001:db8::/33', '2001:db8:7fff::1', '2001:db8:8000::1'],
    ['::1', '::1', '::2'],
    ['::/0', '2001:db8::1', '10.0.0.1'],
    ['::ffff:10.0.0.0/104', '10.1.2.3', '11.0.0.1'],
    ['fe80::/10', 'fe80::1%eth0', 'fec0::1'],
  ])('%s holds %s and not %s', (entry, inside, outside) => {
    expect(findBadNetworks([entry])).toEqual([]);
    expect(parseNetworks([entry]).has(inside)).toBe(true);
    expect(parseNetworks([entry]).has(outside)).toBe(false);
  });

  it('takes an IPv4 address that a socket writes as an IPv6 one for what it is', () => {
    expect(parseNetworks(['10.0.0.0/8']).has('::ffff:10.1.2.3')).toBe(true);
    expect(parseNetworks(['10.0.0.0/8']).has('::ffff:11.1.2.3')).toBe(false);
  });

  it.each([
    '10.0.0.0/33',
    '10.0.0/8',
    '010.0.0.1',
    '0x7f.0.0.1',
    '2130706433',
    '10.0.0.1/-1',
    '10.0.0.1/',
    '/8',
    '10.0.0.1/8/8',
    '::/129',
    '::ffff:10.0.0.0/90',
    'example.com',
    '*',
    '10.0.0.0/8\n',
    '',
  ])('finds fault with %j', (entry) => {
    expect(findBadNetworks([entry])).toHaveLength(1);
    expect(parseNetworks([entry]).size).toBe(0);
  });

  it(`has ${maxNetworks} entries at most`, () => {
    const entries = Array.from({ length: maxNetworks }, (_, index) => `10.0.${index}.0/24`);
    expect(findBadNetworks(entries)).toEqual([]);
    expect(findBadNetworks([...entries, '::1'])).toEqual(['201 entries are more than the 200 allowed']);
  });

  it('holds exactly the addresses that share the first bits of one of its networks', () => {
    fc.assert(
      fc.property(ipv4, fc.integer({ min: 0, max: 32 }), ipv4, (base, bits, address) => {
        const size = 2 ** (32 - bits);
        const isInside = Math.floor(numberOf(base) / size) === Math.floor(numberOf(address) / size);
        expect(parseNetworks([`${base}/${bits}`]).has(address)).toBe(isInside);
      }),
    );
  });

  it('is not confused by any text', () => {
    fc.assert(
      fc.property(fc.string(), fc.string(), (entry, address) => {
        findBadNetworks([entry]);
        expect(typeof parseNetworks([entry]).has(address)).toBe('boolean');
      }),
    );
  });
});

describe('the client of a request', () => {
  const trusted = parseNetworks(['10.0.0.0/8', '2001:db8:ffff::/48']);
  const none = parseNetworks([]);

  it.each<[string | undefined, string | undefined, string | undefined, string]>([
    ['203.0.113.9', undefined, '203.0.113.9', 'it comes by itself'],
    ['203.0.113.9', '10.0.0.1, 198.51.100.1', '203.0.113.9', 'nobody trusts what it says of itself'],
    ['10.0.0.2', '198.51.100.1', '198.51.100.1', 'a proxy brings it'],
    ['10.0.0.2', '1.1.1.1, 198.51.100.1', '198.51.100.1', 'it invents an address in front'],
    ['10.0.0.2', '1.1.1.1, 198.51.100.1, 10.0.0.3', '198.51.100.1', 'two proxies bring it'],
    ['10.0.0.2', '10.9.9.9, 10.0.0.3', '10.9.9.9', 'all on the way are proxies: the farthest'],
    ['10.0.0.2', undefined, '10.0.0.2', 'the proxy asks for itself'],
    ['10.0.0.2', ' , ', '10.0.0.2', 'the proxy says nothing'],
    ['10.0.0.2', 'unknown', undefined, 'the proxy does not know'],
    ['10.0.0.2', '198.51.100.1, _hidden', undefined, 'the proxy hides it'],
    ['10.0.0.2', '198.51.100.1:4711', '198.51.100.1', 'the proxy adds a port'],
    ['10.0.0.2', '[2001:db8::5]:4711', '2001:db8::5', 'the proxy adds a port to IPv6'],
    ['::ffff:10.0.0.2', '::ffff:198.51.100.1', '198.51.100.1', 'IPv4 is written as IPv6'],
    ['2001:db8:ffff::1', '2001:db8::7', '2001:db8::7', 'the proxy speaks IPv6'],
    [undefined, '198.51.100.1', undefined, 'the connection is gone'],
  ])('from %s with %j is %s, when %s', (peer, forwarded, client) => {
    expect(findClient(peer, forwarded, trusted)).toBe(client);
  });

  it('is whoever connects as long as no proxy is trusted, whatever the header says', () => {
    fc.assert(
      fc.property(ipv4, fc.string(), (peer, forwarded) => {
        expect(findClient(peer, forwarded, none)).toBe(peer);
      }),
    );
  });

  it('cannot be changed by what a client writes before the proxy adds its own entry', () => {
    const outside = ipv4.filter((address) => !trusted.has(address));
    fc.assert(
      fc.property(outside, fc.string(), (client, invented) => {
        expect(findClient('10.0.0.2', `${invented}, ${client}`, trusted)).toBe(client);
      }),
    );
  });
});

describe('a loopback address', () => {
  it.each(['127.0.0.1', '127.9.9.9', '::1', '::ffff:127.0.0.1'])('is %s', (text) => {
    expect(isLoopbackAddress(text)).toBe(true);
  });

  it.each(['128.0.0.1', '::2', 'localhost', ''])('is not %s', (text) => {
    expect(isLoopbackAddress(text)).toBe(false);
  });
});
