import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { FailureError } from '../../src/domain/failure.ts';
import { isLocalRedis, parseRedisUrl } from '../../src/domain/redis-url.ts';

describe('a Redis URL', () => {
  it.each([
    ['redis://localhost', { host: 'localhost', port: 6379, db: 0 }],
    ['redis://10.0.0.1:7000/3', { host: '10.0.0.1', port: 7000, db: 3 }],
    ['redis://[::1]:6380', { host: '::1', port: 6380, db: 0 }],
    ['redis://:p%40ss@redis', { host: 'redis', port: 6379, db: 0, password: 'p@ss' }],
    ['redis://me:secret@redis?db=2', { host: 'redis', port: 6379, db: 2, username: 'me', password: 'secret' }],
    ['rediss://r.example', { host: 'r.example', port: 6379, db: 0, tls: { servername: 'r.example' } }],
    ['unix:///run/redis.sock', { path: '/run/redis.sock', db: 0 }],
    ['unix:///run/a%20b.sock?db=1', { path: '/run/a b.sock', db: 1 }],
  ])('%s is understood', (url, address) => {
    expect(parseRedisUrl(url)).toEqual(address);
  });

  it.each([
    '',
    'localhost:6379',
    'http://localhost',
    'redis://',
    'redis://h/x',
    'unix://',
    'unix://host/x',
    'redis://h/99999',
  ])('%s is refused', (url) => {
    expect(() => parseRedisUrl(url)).toThrow(FailureError);
  });

  it('is never repeated in what is said about it', () => {
    try {
      parseRedisUrl('redis://:hunter2@host/nodb');
      expect.unreachable();
    } catch (error) {
      expect(JSON.stringify((error as FailureError).failure)).not.toContain('hunter2');
    }
  });

  it('is understood or refused, never anything else', () => {
    const text = fc.oneof(
      fc.string(),
      fc.webUrl(),
      fc.string().map((rest) => `redis://${rest}`),
      fc.string().map((rest) => `unix://${rest}`),
    );
    fc.assert(
      fc.property(text, (url) => {
        try {
          parseRedisUrl(url);
        } catch (error) {
          expect(error).toBeInstanceOf(FailureError);
        }
      }),
    );
  });

  it.each([
    ['redis://localhost', true],
    ['redis://127.0.0.2', true],
    ['redis://[::1]', true],
    ['unix:///x', true],
    ['redis://10.0.0.1', false],
    ['redis://redis', false],
  ])('%s is reachable from this machine alone: %s', (url, isLocal) => {
    expect(isLocalRedis(parseRedisUrl(url))).toBe(isLocal);
  });
});
