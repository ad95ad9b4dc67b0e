import { fail } from '../domain/failure.ts';
import { connectRegistry, type RegistryClient } from '../registry-client/client.ts';
import { RegistryRefusal } from '../registry-client/refusal.ts';
import { createSender } from '../registry-client/sender.ts';

/** How the installation itself reaches our registry. */
export interface OwnRegistry {
  /** Its host as it stands in image names. */
  readonly registryHost: string;
  /** Where it is reached, without a slash at the end. */
  readonly url: string;
  /** A name and password with which it lets us read and write. */
  readonly credential: () => { readonly userName: string; readonly password: string };
}

/** What our registry did of what it was asked for, or the status (4xx) with which it did not. */
export type Asked<T> =
  { readonly kind: 'done'; readonly value: T } | { readonly kind: 'refused'; readonly status: number };

/**
 * Asks our registry for something. Rejects with `storage-unavailable` when it does not answer, or has trouble of its own.
 */
export type AskOwnRegistry = <T>(work: (client: RegistryClient) => Promise<T>) => Promise<Asked<T>>;

const limits = { timeoutMs: 10_000 };

/** Makes the function that asks our registry; it takes the credential anew for each question. */
export function openOwnRegistry({ url, credential }: OwnRegistry): AskOwnRegistry {
  const sender = createSender();
  return async (work) => {
    try {
      const client = connectRegistry({ origin: url, credential: credential(), sender, limits });
      return { kind: 'done', value: await work(client) };
    } catch (cause) {
      if (!(cause instanceof RegistryRefusal)) throw cause;
      const { status } = cause;
      if (status !== undefined && status < 500 && status !== 429) return { kind: 'refused', status };
      const how = status === undefined ? 'does not answer' : `answers ${String(status)}`;
      throw fail('storage-unavailable', `the registry ${how}`, { cause });
    }
  };
}
