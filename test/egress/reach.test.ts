import { describe, expect, it } from 'vitest';
import { createReach } from '../../src/egress/reach.ts';

describe('whether a URL may be reached, as far as its host tells', () => {
  it.each([
    ['http://localhost:5000', 'localhost is a loopback address'],
    ['http://registry.LOCALHOST', 'registry.localhost is a loopback address'],
    ['http://127.0.0.1:5000', '127.0.0.1 is a loopback address'],
    ['http://[::1]:5000', '::1 is a loopback address'],
    ['https://10.1.2.3', '10.1.2.3 is a private address'],
  ])('%s may not, and is told why', (url, why) => {
    expect(createReach([])(url)).toBe(why);
  });

  it.each([
    'https://registry.example.com',
    'https://8.8.8.8',
    'https://localhost.example.com',
    'no URL',
    'http://a:99999',
  ])('nothing is said against %s', (url) => {
    expect(createReach([])(url)).toBeUndefined();
  });

  it('what the operator allows may be reached, on its port', () => {
    const whyUnreachable = createReach(['localhost:5000', '10.0.0.0/8', '192.168.1.1:443']);
    for (const url of ['http://localhost:5000/v2/', 'https://10.1.2.3', 'https://192.168.1.1']) {
      expect(whyUnreachable(url)).toBeUndefined();
    }
    expect(whyUnreachable('http://localhost')).toBe('localhost is a loopback address');
  });
});
