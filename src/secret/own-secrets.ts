import { fail } from '../domain/failure.ts';
import type { InstallationKey } from './key-ring.ts';
import { seal, unseal } from './seal.ts';

/** Where sealed values are kept (`SecretStore`). */
interface SealedValues<Entry> {
  put(name: string, sealed: string, who: string): Promise<Entry>;
  get(name: string): Promise<string | undefined>;
}

/** The installation's own secrets, in the clear. */
export interface OwnSecrets<Entry> {
  /** Sets a value for `who`. Throws `invalid-request` for a name that is none, `too-large`, and what the store rejects with. */
  set(name: string, value: Buffer, who: string): Promise<Entry>;
  /** Undefined: no such secret. */
  read(name: string): Promise<Buffer | undefined>;
}

/** Bytes of a value. */
export const maxSecretBytes = 64 * 1024;

/** True for what a secret of the own store may be called. */
export function isSecretName(text: string): boolean {
  return /^[A-Za-z0-9][A-Za-z0-9_.-]{0,126}$/.test(text);
}

/** Throws `invalid-request` for a name that no secret can have. */
export function checkSecretName(name: string): string {
  if (isSecretName(name)) return name;
  throw fail(
    'invalid-request',
    'the name of a secret has 1 to 127 letters, digits, "_", "." and "-", and begins with a letter or digit',
    {
      field: 'name',
    },
  );
}

/** A value is sealed for its name, so that nobody who can write to the store can put one in the place of another. */
export function secretPurpose(name: string): string {
  return `secret:${name}`;
}

/** Seals values on their way into a store, and opens them on their way out. */
export function createOwnSecrets<Entry>(key: InstallationKey, values: SealedValues<Entry>): OwnSecrets<Entry> {
  return {
    async set(name, value, who) {
      checkSecretName(name);
      if (value.length === 0)
        throw fail('invalid-request', 'the value of a secret cannot be empty', { field: 'value' });
      if (value.length > maxSecretBytes)
        throw fail('too-large', `the value of a secret has at most ${maxSecretBytes / 1024} KiB`, { field: 'value' });
      return values.put(name, seal(key, value.toString('base64'), secretPurpose(name)), who);
    },
    async read(name) {
      const sealed = isSecretName(name) ? await values.get(name) : undefined;
      return sealed === undefined
        ? undefined
        : Buffer.from(unseal(key, sealed, secretPurpose(name)) as string, 'base64');
    },
  };
}
