import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createMasker } from '../../src/secret/mask.ts';

describe('the masker', () => {
  it('replaces a secret wherever it stands in a line', () => {
    const mask = createMasker(['s3cret-value']);
    expect(mask('a s3cret-value b s3cret-value')).toBe('a ******** b ********');
  });

  it('leaves lines alone when there is no secret', () => {
    expect(createMasker([])('nothing here')).toBe('nothing here');
  });

  it('learns more secrets, and says which it knows', () => {
    const mask = createMasker(['first-secret']);
    expect(mask('first-secret second-secret')).toBe('******** second-secret');
    mask.learn(['second-secret', 'first-secret']);
    expect(mask('first-secret second-secret')).toBe('******** ********');
    expect(mask.known()).toEqual(['first-secret', 'second-secret']);
  });

  it('does not mask values that are too short to be secrets', () => {
    expect(createMasker(['abc'])('abc')).toBe('abc');
  });

  it('knows the URL-encoded, JSON-escaped and hexadecimal forms', () => {
    const secret = 'p&ss"w\\rd!?';
    const mask = createMasker([secret]);
    for (const form of [encodeURIComponent(secret), JSON.stringify(secret), Buffer.from(secret).toString('hex')]) {
      expect(mask(`x ${form} y`)).not.toContain(form.replaceAll('"', ''));
      expect(mask(`x ${form} y`)).toContain('********');
    }
  });

  it('knows the base64 form whatever stands before and after the secret', () => {
    const secret = 'a-token-of-some-length';
    const mask = createMasker([secret]);
    fc.assert(
      fc.property(fc.string({ maxLength: 9 }), fc.string({ maxLength: 9 }), (before, after) => {
        const line = mask(Buffer.from(before + secret + after).toString('base64'));
        expect(line).toContain('********');
        expect(Buffer.from(line.replaceAll('*', ''), 'base64').toString('latin1')).not.toContain('some-leng');
      }),
    );
  });

  it('masks each line of a secret of several lines', () => {
    const mask = createMasker(['first-line\nsecond-line']);
    expect(mask('got second-line')).toBe('got ********');
  });

  it('masks the longer of two secrets that begin alike', () => {
    const mask = createMasker(['token', 'token-extended']);
    expect(mask('token-extended')).toBe('********');
  });
});
