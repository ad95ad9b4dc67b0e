import type { Clock } from '../../domain/clock.ts';
import { maxSecrets, type SecretEntry, type SecretStore } from '../ports.ts';
import { tooMany, type KindOfSecret } from '../secret-limit.ts';

/** What a memory store keeps of a kind: {@link SecretStore} to the letter. */
export function createMemorySecrets(kind: KindOfSecret, clock: Clock): SecretStore {
  const kept = new Map<string, { readonly entry: SecretEntry; readonly sealed: string }>();
  return {
    async put(name, sealed, who) {
      if (!kept.has(name) && kept.size >= maxSecrets) throw tooMany(kind);
      const entry = { name, lastUpdatedTime: new Date(clock.now()).toISOString(), updatedBy: who };
      kept.set(name, { entry, sealed });
      return entry;
    },
    get: async (name) => kept.get(name)?.sealed,
    list: async () => [...kept.values()].map(({ entry }) => entry).sort((a, b) => (a.name < b.name ? -1 : 1)),
    delete: async (name) => kept.delete(name),
  };
}
