import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { whyRefused } from '../../src/egress/address.ts';
import { parseAllowList } from '../../src/egress/allow-list.ts';

describe('whyRefused', () => {
  it.each([
    '0.0.0.0',
    '10.1.2.3',
    '100.64.0.1',
    '100.100.100.200',
    '127.0.0.1',
    '127.255.255.254',
    '168.63.129.16',
    '169.254.169.254',
    '172.16.0.1',
    '192.0.0.192',
    '192.168.1.1',
    '198.18.0.1',
    '224.0.0.1',
    '240.0.0.1',
    '255.255.255.255',
    '::',
    '::1',
    '[::1]',
    '::ffff:127.0.0.1',
    '::ffff:7f00:1',
    '::127.0.0.1',
    '64:ff9b::7f00:1',
    '64:ff9b:1::1',
    '2002:7f00:1::',
    '2001:0:4136:e378::1',
    'fe80::1',
    'fec0::1',
    'fc00::1',
    'fd00:ec2::254',
    'ff02::1',
    '2001:db8::1',
    '4000::1',
    'no address',
    '1.2.3',
    '0x7f.1',
    '2130706433',
  ])('refuses %s', (address) => {
    expect(whyRefused(address)).toBeTypeOf('string');
  });

  it.each(['1.1.1.1', '8.8.8.8', '140.82.121.4', '2606:4700:4700::1111', '::ffff:8.8.8.8'])(
    'lets %s pass',
    (address) => {
      expect(whyRefused(address)).toBeUndefined();
    },
  );

  it('says which kind of address it is', () => {
    expect(whyRefused('192.168.1.1')).toBe('a private address');
    expect(whyRefused('127.0.0.1')).toBe('a loopback address');
    expect(whyRefused('169.254.169.254')).toContain('metadata');
  });

  it('refuses every IPv4-mapped address whose IPv4 address it refuses', () => {
    fc.assert(
      fc.property(fc.ipV4(), (address) => {
        expect(whyRefused(`::ffff:${address}`)).toBe(whyRefused(address));
      }),
    );
  });
});

describe('parseAllowList', () => {
  it.each([
    ['git.local', { host: 'GIT.local.', port: 443, address: '10.0.0.1' }, true],
    ['git.local', { host: 'a.git.local', port: 443, address: '10.0.0.1' }, false],
    ['git.local:8443', { host: 'git.local', port: 443, address: '10.0.0.1' }, false],
    ['git.local:8443', { host: 'git.local', port: 8443, address: '10.0.0.1' }, true],
    ['*.corp', { host: 'git.corp', port: 443, address: '10.0.0.1' }, true],
    ['*.corp', { host: 'corp', port: 443, address: '10.0.0.1' }, false],
    ['*.corp', { host: 'evilcorp', port: 443, address: '10.0.0.1' }, false],
    ['10.0.0.0/8', { host: 'x', port: undefined, address: '10.9.9.9' }, true],
    ['10.0.0.0/8', { host: 'x', port: undefined, address: '11.0.0.1' }, false],
    ['10.0.0.0/8', { host: 'x', port: undefined, address: '::ffff:10.0.0.1' }, true],
    ['10.0.0.0/8', { host: '10.evil.example', port: undefined, address: '127.0.0.1' }, false],
    ['127.0.0.1:8080', { host: '127.0.0.1', port: 8080, address: '127.0.0.1' }, true],
    ['127.0.0.1:8080', { host: '127.0.0.1', port: 8081, address: '127.0.0.1' }, false],
    ['[::1]:80', { host: '[::1]', port: 80, address: '::1' }, true],
    ['fd00::/8', { host: 'x', port: 1, address: 'fd12::1' }, true],
    ['::1', { host: 'x', port: 1, address: '127.0.0.1' }, false],
  ] as const)('%s and %o: %s', (entry, target, expected) => {
    expect(parseAllowList([entry]).permits(target)).toBe(expected);
  });

  it('permits nothing when it is empty', () => {
    expect(parseAllowList(['', ' ']).permits({ host: 'a', port: 1, address: '10.0.0.1' })).toBe(false);
  });

  it.each(['*', 'a b', 'http://x', '10.0.0.0/40', 'x:99999999', '*.', '-x', 'a/b'])(
    'refuses the entry %j by name',
    (entry) => {
      expect(() => parseAllowList([entry])).toThrow('SLIPWAY_EGRESS_ALLOW');
    },
  );
});
