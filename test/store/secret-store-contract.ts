import { describe, expect, it } from 'vitest';
import { maxSecrets, type Store } from '../../src/store/ports.ts';
import { useStore, type OpenStore } from './fixtures.ts';

const kinds = [
  { kind: 'secrets', of: ({ secrets }: Store) => secrets },
  { kind: 'credentials for registries', of: ({ registryCredentials }: Store) => registryCredentials },
];

/** The part of the store's contract about what is kept sealed by name (src/store/ports.ts). */
export function describeSecretStore(open: OpenStore): void {
  describe.each(kinds)('$kind', ({ kind, of }) => {
    const { at } = useStore(open);

    it('give back what was set last, by name', async () => {
      const secrets = of(at.store);
      await secrets.put('db', 'v1.one', 'ann');
      await secrets.put('db', 'v1.two', 'bob');
      await secrets.put('__proto__', 'v1.odd', 'ann');
      expect(await secrets.get('db')).toBe('v1.two');
      expect(await secrets.get('__proto__')).toBe('v1.odd');
      expect(await secrets.get('DB')).toBeUndefined();
    });

    it('are listed by name with their times and who set them, and never with a value', async () => {
      const secrets = of(at.store);
      const first = await secrets.put('zeta', 'v1.z', 'ann');
      await secrets.put('alpha', 'v1.a', 'ann');
      const second = await secrets.put('alpha', 'v1.b', 'bob');
      expect(await secrets.list()).toEqual([second, first]);
      expect(second).toMatchObject({ name: 'alpha', updatedBy: 'bob' });
      expect(new Date(second.lastUpdatedTime).toISOString()).toBe(second.lastUpdatedTime);
      expect(JSON.stringify(await secrets.list())).not.toContain('v1.');
    });

    it('are gone once they are deleted, which is done once', async () => {
      const secrets = of(at.store);
      await secrets.put('db', 'v1.one', 'ann');
      expect(await secrets.delete('db')).toBe(true);
      expect(await secrets.delete('db')).toBe(false);
      expect(await secrets.get('db')).toBeUndefined();
      expect(await secrets.list()).toEqual([]);
    });

    it('are bounded in number, while those that are there can be changed', async () => {
      const secrets = of(at.store);
      const names = Array.from({ length: maxSecrets }, (_, index) => `s${index}`);
      await Promise.all(names.map((name) => secrets.put(name, 'x', 'ann')));
      const message = `there are ${String(maxSecrets)} ${kind} already, and no more are kept`;
      await expect(secrets.put('more', 'x', 'ann')).rejects.toMatchObject({ failure: { reason: 'conflict', message } });
      await secrets.put('s7', 'y', 'ann');
      expect(await secrets.get('s7')).toBe('y');
      await secrets.delete('s8');
      await secrets.put('more', 'x', 'ann');
      expect(await secrets.list()).toHaveLength(maxSecrets);
    });
  });

  describe('secrets and credentials for registries', () => {
    const { at } = useStore(open);

    it('know nothing of each other', async () => {
      const { secrets, registryCredentials } = at.store;
      await secrets.put('docker.io', 'v1.one', 'ann');
      await registryCredentials.put('docker.io', 'v1.two', 'ann');
      expect(await secrets.get('docker.io')).toBe('v1.one');
      expect(await secrets.delete('docker.io')).toBe(true);
      expect(await registryCredentials.get('docker.io')).toBe('v1.two');
    });
  });
}
