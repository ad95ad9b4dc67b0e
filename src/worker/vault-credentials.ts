import type { CustomCredential, RegistryCredential } from '../domain/run-request.ts';
import type { SecretSource } from '../domain/step.ts';

type Part = keyof RegistryCredential;

/**
 * Credentials of foreign registries with what lies in vaults filled in (Azure's `Vaultsecret`), all asked at the same time. `resolve` gives
 * the value of one secret; what it rejects with names the registry and the part.
 */
export async function fillInCredentials(
  credentials: Readonly<Record<string, CustomCredential>>,
  resolve: (source: SecretSource) => Promise<string>,
): Promise<Record<string, RegistryCredential>> {
  const fillIn = async (
    host: string,
    { vaulted = [], clientId, ...given }: CustomCredential,
  ): Promise<RegistryCredential> => {
    const read = async (part: Part): Promise<readonly [Part, string]> => {
      const source = { id: `${part} of ${host}`, keyvault: given[part], ...(clientId !== undefined && { clientId }) };
      return [part, await resolve(source)];
    };
    return { ...given, ...Object.fromEntries(await Promise.all(vaulted.map(read))) };
  };
  const filled = Object.entries(credentials).map(async ([host, one]) => [host, await fillIn(host, one)] as const);
  return Object.fromEntries(await Promise.all(filled));
}
