import type { RequestSecrets } from '../domain/request-secrets.ts';
import { seal, unseal } from '../secret/seal.ts';

const purpose = 'run-request';

/** Encrypts a request's secrets for a run's record, under the installation's key. */
export function sealRequestSecrets(key: Buffer, secrets: RequestSecrets): string {
  return seal(key, secrets, purpose);
}

/** Opens what {@link sealRequestSecrets} made. Throws `internal` when the key is another one. */
export function openRequestSecrets(key: Buffer, sealed: string): RequestSecrets {
  return unseal(key, sealed, purpose) as RequestSecrets;
}
