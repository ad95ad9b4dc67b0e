import { describe, expect, it } from 'vitest';
import { createTokenCache } from '../../src/secret/token-cache.ts';

function setUp() {
  let now = 0;
  let made = 0;
  const cache = createTokenCache({ now: () => now });
  const get = (lifeSeconds: number | undefined, key = 'k') =>
    cache.get(key, () => Promise.resolve({ text: `t${++made}`, lifeSeconds }));
  return { cache, get, pass: (ms: number) => void (now += ms) };
}

describe('kept tokens', () => {
  it('are made once for all who ask meanwhile, and are kept until shortly before their end', async () => {
    const { get, pass } = setUp();
    expect(await Promise.all([get(3600), get(3600)])).toEqual(['t1', 't1']);
    pass(3_539_999);
    expect(await get(3600)).toBe('t1');
    pass(1);
    expect(await get(3600)).toBe('t2');
    expect(await get(3600, 'other')).toBe('t3');
  });

  it('of a short life are used for half of it, and those without an end for ever', async () => {
    const { get, pass } = setUp();
    await get(10);
    pass(5000);
    expect(await get(undefined)).toBe('t2');
    pass(1e12);
    expect(await get(undefined)).toBe('t2');
  });

  it('are let go when they are refused, but not the newer ones', async () => {
    const { cache, get } = setUp();
    await get(3600);
    cache.forget('k', 't1');
    expect(await get(3600)).toBe('t2');
    cache.forget('k', 't1');
    expect(await get(3600)).toBe('t2');
  });

  it('that could not be made are tried again', async () => {
    const { cache, get } = setUp();
    await expect(cache.get('k', () => Promise.reject(new Error('no')))).rejects.toThrow('no');
    expect(await get(3600)).toBe('t1');
  });
});
