import { randomBytes } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createSigner } from '../../src/secret/sign.ts';

const key = randomBytes(32);
const signer = createSigner(key, 'upload');

describe('a signed token', () => {
  it('gives its claims back until it expires', () => {
    const token = signer.sign({ path: 'a/b' }, 1000);
    expect(signer.verify(token, 999)).toMatchObject({ path: 'a/b' });
    expect(signer.verify(token, 1000)).toBeUndefined();
  });

  it('is worth nothing under another key or for another purpose', () => {
    const token = signer.sign({ path: 'a/b' }, 1000);
    expect(createSigner(randomBytes(32), 'upload').verify(token, 0)).toBeUndefined();
    expect(createSigner(key, 'registry').verify(token, 0)).toBeUndefined();
  });

  it('cannot be made by changing one', () => {
    const token = signer.sign({ path: 'a/b' }, 1000);
    const forged = Buffer.from(JSON.stringify({ path: 'c', exp: 1e15 })).toString('base64url');
    expect(signer.verify(`${forged}.${token.split('.')[1] ?? ''}`, 0)).toBeUndefined();
  });

  it('never throws, whatever it is given', () => {
    fc.assert(
      fc.property(fc.string({ maxLength: 5000 }), (text) => {
        expect(signer.verify(text, 0)).toBeUndefined();
      }),
    );
  });

  it('signs with the first of several keys, and takes what any of them has signed', () => {
    const fresh = randomBytes(32);
    let keys: readonly [Buffer, ...Buffer[]] = [key];
    const ring = createSigner({ keys: () => keys }, 'upload');
    const old = ring.sign({ path: 'a' }, 100);
    keys = [fresh, key];
    expect(ring.verify(old, 0)).toMatchObject({ path: 'a' });
    expect(createSigner(fresh, 'upload').verify(ring.sign({ path: 'b' }, 100), 0)).toMatchObject({ path: 'b' });
    keys = [fresh];
    expect(ring.verify(old, 0)).toBeUndefined();
  });
});
