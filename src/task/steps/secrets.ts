import type { Report } from '../diagnostic.ts';
import { secretKeys } from '../keys.ts';
import type { SecretSource } from '../../domain/step.ts';
import { readFields, readList, readMap, type Fields } from '../yaml/fields.ts';
import type { YamlNode } from '../yaml/tree.ts';

const uuid = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i;

function isVaultUrl(text: string): boolean {
  return /^https?:\/\/[^\s/]+\/\S+$/.test(text);
}

function checkVault({ keyvault, clientID }: Fields<typeof secretKeys>, report: Report): void {
  if (keyvault !== undefined && !isVaultUrl(keyvault.value)) {
    const hint =
      'for example https://myvault.vault.azure.net/secrets/name; without keyvault the secret comes from Slipway’s own store';
    report.error(keyvault.at, 'secret', 'keyvault must be the URL of a secret', hint);
  }
  if (clientID !== undefined && !uuid.test(clientID.value))
    report.error(clientID.at, 'secret', 'clientID must be a UUID');
}

function readSecret(node: YamlNode, report: Report): readonly (SecretSource & { readonly at: number })[] {
  const map = readMap(node, 'a secret', report);
  if (map === undefined) return [];
  const fields = readFields(map, { table: secretKeys, of: 'a secret' }, report);
  const { id, keyvault, clientID } = fields;
  if (id === undefined || id.value === '' || /\s/.test(id.value)) {
    report.error(id?.at ?? map.at, 'secret', 'a secret needs an id without spaces');
    return [];
  }
  checkVault(fields, report);
  const vault = keyvault === undefined ? {} : { keyvault: keyvault.value };
  const client = clientID === undefined ? {} : { clientId: clientID.value };
  return [{ id: id.value, ...vault, ...client, at: id.at }];
}

/** Reads `secrets`: each has an id of its own, and the URL of a key vault or none for the installation's own store. */
export function readSecrets(node: YamlNode | undefined, report: Report): readonly SecretSource[] {
  const items = node === undefined ? [] : (readList(node, 'secrets', report)?.items ?? []);
  const ids = new Set<string>();
  return items
    .flatMap((item) => readSecret(item, report))
    .map(({ at, ...secret }) => {
      if (ids.has(secret.id)) report.error(at, 'secret', `there is a secret "${secret.id}" already`);
      ids.add(secret.id);
      return secret;
    });
}
