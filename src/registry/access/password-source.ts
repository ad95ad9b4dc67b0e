import type { Clock } from '../../domain/clock.ts';
import type { AccessStatus, KeptPassword } from '../../domain/registry-access.ts';
import type { Principal, PrincipalSource } from './principal.ts';
import { isPassword } from './secrets.ts';

/** A record that has passwords. */
interface Holder {
  readonly name: string;
  readonly status: AccessStatus;
  readonly passwords: readonly KeptPassword[];
}

interface PasswordSourceOptions<T extends Holder> {
  readonly kind: string;
  readonly clock: Clock;
  /** The record of a user name, from memory. */
  readonly record: (name: string) => T | undefined;
  /** What the holder of a record may do. */
  readonly may: (record: T) => Principal['may'] | undefined;
}

/** A source of principals that have a record with passwords: tokens, service principals. */
export function createPasswordSource<T extends Holder>(options: PasswordSourceOptions<T>): PrincipalSource {
  const { kind, clock, record, may } = options;
  const isGood = ({ expiry }: KeptPassword): boolean => expiry === undefined || Date.parse(expiry) > clock.now();
  return {
    kind,
    login: async (username, password) => {
      const found = record(username);
      if (found?.status !== 'enabled') return undefined;
      for (const one of found.passwords) {
        if (isGood(one) && (await isPassword(one.hash, password)))
          return { kind, name: found.name, credential: one.id };
      }
      return undefined;
    },
    find: ({ name, credential }) => {
      const found = record(name);
      const password = found?.passwords.find(({ id }) => id === credential);
      if (found?.status !== 'enabled' || password === undefined || !isGood(password)) return undefined;
      const allowed = may(found);
      return allowed && { name: `${kind}:${found.name}`, may: allowed };
    },
  };
}
