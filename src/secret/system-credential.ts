import type { Clock } from '../domain/clock.ts';
import type { Signer } from './sign.ts';

const userName = 'system';
const lifeMs = 5 * 60_000;

/** Under what purpose the signer of system credentials is made. */
export const systemPurpose = 'system';

/**
 * A name and password for our own registry with which a process of the installation acts for itself, good for five minutes. `name` is what
 * the registry writes into its records: `campaign:cp1`.
 */
export function issueSystemCredential(
  signer: Signer,
  clock: Clock,
  name: string,
): { readonly userName: string; readonly password: string } {
  return { userName, password: signer.sign({ name }, clock.now() + lifeMs) };
}

/** In whose name a system credential acts; undefined when it is none, or is over. */
export function checkSystemCredential(
  signer: Signer,
  given: { readonly username: string; readonly password: string },
  clock: Clock,
): string | undefined {
  if (given.username !== userName) return undefined;
  const name = signer.verify(given.password, clock.now())?.['name'];
  return typeof name === 'string' ? name : undefined;
}
