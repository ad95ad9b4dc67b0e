import { describe, expect, it } from 'vitest';
import { hasSecrets, joinSecrets, secretValues, splitSecrets } from '../../src/domain/request-secrets.ts';
import { aRequest } from '../rig/runs.ts';

const request = aRequest({
  arguments: [
    { name: 'PLAIN', value: 'shown', isSecret: false },
    { name: 'TOKEN', value: 'hidden-1', isSecret: true },
  ],
  credentials: {
    sourceRegistry: { loginMode: 'Default' },
    customRegistries: { 'reg.example.com': { userName: 'u', password: 'hidden-2' } },
  },
});

describe("a request's secrets", () => {
  it('are all taken out of what is stored', () => {
    const split = splitSecrets(request, 'user:hidden-3');
    expect(JSON.stringify(split.request)).not.toContain('hidden');
    expect(JSON.stringify(split.request)).toContain('shown');
    expect(hasSecrets(split.secrets)).toBe(true);
  });

  it('can be put back', () => {
    const split = splitSecrets(request);
    expect(joinSecrets(split.request, split.secrets)).toEqual(request);
  });

  it('are known one by one for masking, the parts of user:password too', () => {
    expect(secretValues(splitSecrets(request, 'user:hidden-3').secrets)).toEqual([
      'user:hidden-3',
      'user',
      'hidden-3',
      'hidden-1',
      'hidden-2',
    ]);
  });

  it('are none in a plain request', () => {
    expect(hasSecrets(splitSecrets(aRequest()).secrets)).toBe(false);
  });
});
