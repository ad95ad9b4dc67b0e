import { createHash } from 'node:crypto';
import { LRUCache } from 'lru-cache';
import type { Principal, PrincipalSource } from './principal.ts';

type Authenticate = (username: string, password: string) => Promise<Principal | undefined> | Principal | undefined;

const kept = 20_000;

/** Makes a source of a function that checks names and passwords. What it has let in is remembered, in this process alone. */
export function createGivenSource(authenticate: Authenticate): PrincipalSource {
  const principals = new LRUCache<string, Principal>({ max: kept });
  return {
    kind: 'given',
    login: async (username, password) => {
      const principal = await authenticate(username, password);
      if (principal === undefined) return undefined;
      const credential = createHash('sha256').update(`${username}:${password}`).digest('base64url');
      principals.set(credential, principal);
      return { kind: 'given', name: principal.name, credential };
    },
    find: ({ credential }) => principals.get(credential),
  };
}
