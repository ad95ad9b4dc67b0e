import type { RegistryCredential } from '../domain/run-request.ts';
import type { InstallationKey } from './key-ring.ts';
import { seal, unseal } from './seal.ts';

/** A credential is sealed for its registry, so that nobody who can write to the store can have it sent to another. */
export function registryCredentialPurpose(registry: string): string {
  return `registry-credential:${registry}`;
}

/** Seals what a registry is asked with; `registry` is its host as images name it. */
export function sealRegistryCredential(key: InstallationKey, registry: string, credential: RegistryCredential): string {
  const { userName, password } = credential;
  return seal(key, { userName, password }, registryCredentialPurpose(registry));
}

/** Opens what {@link sealRegistryCredential} made for the same registry. Throws `internal` where another key has sealed it. */
export function openRegistryCredential(key: InstallationKey, registry: string, sealed: string): RegistryCredential {
  return unseal(key, sealed, registryCredentialPurpose(registry)) as RegistryCredential;
}
