import { randomBytes } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createOwnSecrets, isSecretName, maxSecretBytes } from '../../src/secret/own-secrets.ts';

function setUp(key = Buffer.alloc(32, 1)) {
  const kept = new Map<string, string>();
  const secrets = createOwnSecrets(key, {
    put: (name, sealed, who) => (kept.set(name, sealed), Promise.resolve({ name, who })),
    get: (name) => Promise.resolve(kept.get(name)),
  });
  return { kept, secrets };
}

describe('own secrets', () => {
  it('come back byte for byte, and are kept sealed', async () => {
    const { kept, secrets } = setUp();
    const bytes = fc.uint8Array({ minLength: 1, maxLength: 300 });
    await fc.assert(
      fc.asyncProperty(bytes, async (value) => {
        await secrets.set('s', Buffer.from(value), 'ann');
        expect(await secrets.read('s')).toEqual(Buffer.from(value));
      }),
    );
    expect(await secrets.set('db', Buffer.from('hush'), 'ann')).toEqual({ name: 'db', who: 'ann' });
    expect(kept.get('db')).not.toMatch(/hush|aHVzaA/);
    expect(await secrets.read('none')).toBeUndefined();
    expect(await secrets.read('no name')).toBeUndefined();
  });

  it('cannot be put in the place of one another in the store, nor be opened with another key', async () => {
    const { kept, secrets } = setUp();
    await secrets.set('a', Buffer.from('1'), 'ann');
    kept.set('b', kept.get('a') ?? '');
    await expect(secrets.read('b')).rejects.toMatchObject({ failure: { reason: 'internal' } });
    const other = setUp(randomBytes(32));
    other.kept.set('a', kept.get('a') ?? '');
    await expect(other.secrets.read('a')).rejects.toMatchObject({ failure: { reason: 'internal' } });
  });

  it('have between 1 byte and 64 KiB', async () => {
    const { secrets } = setUp();
    await secrets.set('s', Buffer.alloc(maxSecretBytes), 'ann');
    const set = (bytes: number) => secrets.set('s', Buffer.alloc(bytes), 'ann');
    await expect(set(maxSecretBytes + 1)).rejects.toMatchObject({ failure: { reason: 'too-large', field: 'value' } });
    await expect(set(0)).rejects.toMatchObject({ failure: { reason: 'invalid-request', field: 'value' } });
    await expect(secrets.set('no name', Buffer.alloc(1), 'ann')).rejects.toMatchObject({ failure: { field: 'name' } });
  });

  it.each(['a', 'A9', 'db-password', 'tls.key', 'x_y', `a${'b'.repeat(126)}`])('may be called %s', (name) => {
    expect(isSecretName(name)).toBe(true);
  });

  it.each(['', '-a', '.a', '_a', 'a b', 'a/b', 'ä', 'a\n', '__proto__', `a${'b'.repeat(127)}`])(
    'may not be called %j',
    (name) => {
      expect(isSecretName(name)).toBe(false);
    },
  );
});
