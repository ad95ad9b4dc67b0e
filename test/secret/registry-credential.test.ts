import { describe, expect, it } from 'vitest';
import { openRegistryCredential, sealRegistryCredential } from '../../src/secret/registry-credential.ts';

const key = Buffer.alloc(32, 7);
const credential = { userName: 'bot', password: 'hush' };

describe('a credential for a registry', () => {
  it('is opened by the key that has sealed it, and shows nothing until then', () => {
    const sealed = sealRegistryCredential(key, 'docker.io', { ...credential, more: 'x' } as typeof credential);
    expect(sealed).not.toMatch(/bot|hush/);
    expect(openRegistryCredential(key, 'docker.io', sealed)).toEqual(credential);
  });

  it('is no credential for another registry, so that it cannot be put in the place of one', () => {
    const sealed = sealRegistryCredential(key, 'docker.io', credential);
    expect(() => openRegistryCredential(key, 'ghcr.io', sealed)).toThrow(/cannot be opened/);
  });
});
