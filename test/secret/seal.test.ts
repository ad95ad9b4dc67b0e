import { randomBytes } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { reseal, seal, unseal } from '../../src/secret/seal.ts';

const key = randomBytes(32);

describe('sealed secrets', () => {
  it('open to what was sealed', () => {
    fc.assert(
      fc.property(fc.jsonValue(), (value) => {
        expect(unseal(key, seal(key, value, 'test'), 'test')).toEqual(JSON.parse(JSON.stringify(value)));
      }),
    );
  });

  it('hold nothing of the secret in the clear, and differ each time', () => {
    const sealed = seal(key, { password: 'correct horse' }, 'test');
    expect(sealed).not.toContain('correct');
    expect(Buffer.from(sealed.slice(3), 'base64url').toString('latin1')).not.toContain('correct');
    expect(sealed).not.toBe(seal(key, { password: 'correct horse' }, 'test'));
  });

  it('do not open with another key, for another purpose, or after a changed byte', () => {
    const sealed = seal(key, 'x', 'test');
    const other = sealed[10] === 'A' ? 'B' : 'A';
    expect(() => unseal(randomBytes(32), sealed, 'test')).toThrow(/key is not the one/);
    expect(() => unseal(key, sealed, 'other')).toThrow(/key is not the one/);
    expect(() => unseal(key, `${sealed.slice(0, 10)}${other}${sealed.slice(11)}`, 'test')).toThrow(/cannot be opened/);
  });

  it('that are no sealed text at all are refused as damaged', () => {
    for (const text of ['', 'v1', 'v1.', 'v2.AAAA', 'nonsense', 'v1.AAAA']) {
      expect(() => unseal(key, text, 'test')).toThrow(/damaged/);
    }
  });

  it('of an older key open with a ring of keys, and are sealed anew with its first one', () => {
    const fresh = randomBytes(32);
    const ring = { keys: () => [fresh, key] as const };
    const old = seal(key, 'x', 'test');
    expect(unseal(ring, old, 'test')).toBe('x');
    const renewed = reseal(ring, old, 'test');
    expect(renewed && unseal(fresh, renewed, 'test')).toBe('x');
    expect(renewed && reseal(ring, renewed, 'test')).toBeUndefined();
    expect(unseal(fresh, seal(ring, 'y', 'test'), 'test')).toBe('y');
    expect(() => reseal(ring, seal(randomBytes(32), 'x', 'test'), 'test')).toThrow(/key is not the one/);
  });
});
