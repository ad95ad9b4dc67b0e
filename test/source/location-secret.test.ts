import { describe, expect, it } from 'vitest';
import { joinSecret, splitSecret } from '../../src/source/location-secret.ts';

describe('the secret of a location', () => {
  it.each([
    ['https://user:pat-1234@git.example.com/a.git#main', 'pat-1234'],
    ['https://pat-1234@git.example.com/a.git', 'pat-1234'],
    ['https://files.example.com/a.tar.gz?sig=abcdef', 'abcdef'],
  ])('is taken out of %s, and what is left does not show it', (text, secret) => {
    const split = splitSecret(text);
    expect(split.location).not.toContain(secret);
    const joined = joinSecret(split.location, split.secret);
    expect(joined.token ?? joined.location).toContain(secret);
  });

  it('is none in a plain location, which stays as it is', () => {
    for (const text of ['https://git.example.com/a.git#main:app', 'source/202611210000/x.tar.gz']) {
      expect(splitSecret(text)).toEqual({ location: text });
      expect(joinSecret(text)).toEqual({ location: text });
    }
  });
});
