import { resolve } from 'node:path';
import type { GivenSecret, VaultSettings } from '../domain/vaults.ts';
import type { Reader } from './reader.ts';

/** A credential in `name`, or in the file that `name_FILE` gives the path of. */
export function readGiven(reader: Reader, name: string): GivenSecret | undefined {
  const [value, file] = [reader.text(name), reader.text(`${name}_FILE`)];
  if (value !== undefined && file !== undefined) reader.faults.push(`${name} and ${name}_FILE exclude each other`);
  if (value !== undefined) return { value };
  return file === undefined ? undefined : { file: resolve(file) };
}

/** Adds a fault unless `text` is the URL of a server, which may stand under a path where `path` says so. */
export function checkServerUrl(reader: Reader, name: string, text: string, path: 'path' | 'no path'): string {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  const isServer =
    url !== undefined && /^https?:$/.test(url.protocol) && `${url.search}${url.hash}${url.username}` === '';
  if (!isServer || (path === 'no path' && url.pathname !== '/'))
    reader.faults.push(`${name} must be the http or https URL of a server`);
  return text.replace(/\/+$/, '');
}

type Azure = NonNullable<VaultSettings['azure']>;

function readAzureClient(reader: Reader): Azure['client'] {
  const tenantId = reader.text('SLIPWAY_AZURE_TENANT_ID');
  const clientId = reader.text('SLIPWAY_AZURE_CLIENT_ID');
  const secret = readGiven(reader, 'SLIPWAY_AZURE_CLIENT_SECRET');
  if (tenantId !== undefined && clientId !== undefined && secret !== undefined) return { tenantId, clientId, secret };
  if ((tenantId ?? clientId ?? secret) !== undefined)
    reader.faults.push('SLIPWAY_AZURE_TENANT_ID, SLIPWAY_AZURE_CLIENT_ID and SLIPWAY_AZURE_CLIENT_SECRET go together');
  return undefined;
}

function readAzure(reader: Reader): Azure | undefined {
  const client = readAzureClient(reader);
  const authority = reader.text('SLIPWAY_AZURE_AUTHORITY');
  const managedIdentity = reader.flag('SLIPWAY_AZURE_MANAGED_IDENTITY', false);
  const servers = reader.list('SLIPWAY_AZURE_VAULTS');
  const isSet = managedIdentity || servers.length > 0 || (client ?? authority) !== undefined;
  if (!isSet) return undefined;
  return {
    client,
    authority: authority && checkServerUrl(reader, 'SLIPWAY_AZURE_AUTHORITY', authority, 'path'),
    managedIdentity,
    servers: servers.map((server) => checkServerUrl(reader, 'SLIPWAY_AZURE_VAULTS', server, 'no path')),
  };
}

type Hashicorp = NonNullable<VaultSettings['hashicorp']>;

/** One of the two ways to log in; undefined for none, half of one, and both. */
function readVaultLogin(reader: Reader): Hashicorp['login'] | undefined {
  const token = readGiven(reader, 'SLIPWAY_VAULT_TOKEN');
  const roleId = reader.text('SLIPWAY_VAULT_ROLE_ID');
  const secretId = readGiven(reader, 'SLIPWAY_VAULT_SECRET_ID');
  if (token !== undefined) return (roleId ?? secretId) === undefined ? { kind: 'token', token } : undefined;
  return roleId !== undefined && secretId !== undefined ? { kind: 'approle', roleId, secretId } : undefined;
}

function readHashicorp(reader: Reader): Hashicorp | undefined {
  const address = reader.text('SLIPWAY_VAULT_ADDR');
  const login = readVaultLogin(reader);
  if (address === undefined) {
    if (login !== undefined) reader.faults.push('SLIPWAY_VAULT_ADDR is missing');
    return undefined;
  }
  if (login === undefined)
    reader.faults.push(
      'SLIPWAY_VAULT_ADDR needs SLIPWAY_VAULT_TOKEN, or SLIPWAY_VAULT_ROLE_ID and SLIPWAY_VAULT_SECRET_ID, and not both',
    );
  const checked = checkServerUrl(reader, 'SLIPWAY_VAULT_ADDR', address, 'path');
  return login && { address: checked, namespace: reader.text('SLIPWAY_VAULT_NAMESPACE'), login };
}

/** Where secrets of tasks may come from besides the own store (`SLIPWAY_AZURE_*`, `SLIPWAY_VAULT_*`). */
export function readVaults(reader: Reader): VaultSettings {
  return { azure: readAzure(reader), hashicorp: readHashicorp(reader) };
}
