import { fail } from '../domain/failure.ts';
import type { SecretSource } from '../domain/step.ts';
import type { AzureVaultSettings } from '../domain/vaults.ts';
import { memberOf, type AskVault, type VaultAnswer } from './ask.ts';
import type { AzureCloud } from './azure-cloud.ts';
import { readGiven } from './given.ts';
import type { Token, TokenCache } from './token-cache.ts';

/** Tokens for the key vaults of one cloud, as one identity. */
export interface AzureTokens {
  get(): Promise<string>;
  /** Lets a token go that was refused. */
  forget(token: string): void;
}

interface TokensOptions {
  readonly settings: AzureVaultSettings | undefined;
  readonly cloud: AzureCloud;
  readonly source: SecretSource;
  readonly ask: AskVault;
  readonly cache: TokenCache;
  readonly metadataUrl?: string | undefined;
  readonly timeoutMs: number;
}

/** The instance metadata service of Azure's machines: the same address on all of them, not to be reached from elsewhere. */
export const azureMetadataUrl = 'http://169.254.169.254';

/** The word by which an authority calls a fault; its texts may repeat what was sent. */
function wordOf(document: unknown): string {
  const word = memberOf(document, 'error');
  return typeof word === 'string' && /^[a-z_]{1,60}$/i.test(word) ? `, ${word}` : '';
}

function readToken({ status, document }: VaultAnswer, giver: string, { id }: SecretSource): Token {
  const text = memberOf(document, 'access_token');
  // The metadata service writes numbers as texts.
  const lifeSeconds = Number(memberOf(document, 'expires_in') ?? 300);
  if (status === 200 && typeof text === 'string') return { text, lifeSeconds: lifeSeconds > 0 ? lifeSeconds : 300 };
  const why = `${giver} gives no token to read it with (${status}${wordOf(document)})`;
  throw fail('source-unavailable', `the secret "${id}": ${why}`, { field: 'secrets' });
}

type Client = NonNullable<AzureVaultSettings['client']>;

/** OAuth 2.0 client credentials (RFC 6749 §4.4, Microsoft identity platform v2.0). */
async function askAuthority(options: TokensOptions, client: Client, signal: AbortSignal): Promise<Token> {
  const { settings, cloud, ask, source } = options;
  const authority = settings?.authority ?? cloud.authority;
  const body = new URLSearchParams({
    grant_type: 'client_credentials',
    client_id: client.clientId,
    client_secret: await readGiven(client.secret),
    scope: `https://${cloud.suffix}/.default`,
  }).toString();
  const headers = { 'content-type': 'application/x-www-form-urlencoded', accept: 'application/json' };
  const url = `${authority}/${encodeURIComponent(client.tenantId)}/oauth2/v2.0/token`;
  return readToken(await ask(url, { headers, body, signal }), new URL(authority).host, source);
}

/** The machine's identity, or the one of its user-assigned ones that the secret names (Azure Instance Metadata Service). */
async function askMetadata(options: TokensOptions, signal: AbortSignal): Promise<Token> {
  const { cloud, ask, source, metadataUrl = azureMetadataUrl } = options;
  const query = new URLSearchParams({
    'api-version': '2018-02-01',
    resource: `https://${cloud.suffix}`,
    ...(source.clientId !== undefined && { client_id: source.clientId }),
  });
  const url = `${metadataUrl}/metadata/identity/oauth2/token?${query.toString()}`;
  return readToken(await ask(url, { headers: { metadata: 'true' }, signal }), 'the managed identity', source);
}

function notSetUp({ id }: SecretSource): Error {
  return fail('unsupported', `the secret "${id}" lies in a key vault, and this server has no identity in Azure`, {
    field: 'secrets',
    hint: 'set SLIPWAY_AZURE_TENANT_ID, _CLIENT_ID and _CLIENT_SECRET, or SLIPWAY_AZURE_MANAGED_IDENTITY, for the run workers',
  });
}

/**
 * Tokens for one secret. A secret that names an identity by `clientID` is read as that one where managed identities are on; all others, and
 * where they are not, as the service principal if there is one.
 */
export function createAzureTokens(options: TokensOptions): AzureTokens {
  const { settings, cloud, source, cache, timeoutMs } = options;
  const client = settings?.client;
  const isManaged = settings?.managedIdentity === true && (client === undefined || source.clientId !== undefined);
  const key = JSON.stringify(['azure', cloud.suffix, isManaged ? (source.clientId ?? '') : 'client']);
  // Whoever asks first may be stopped while others wait for the same token: it has a time limit of its own.
  const make = async (): Promise<Token> => {
    if (isManaged) return askMetadata(options, AbortSignal.timeout(timeoutMs));
    if (client === undefined) throw notSetUp(source);
    return askAuthority(options, client, AbortSignal.timeout(timeoutMs));
  };
  return {
    get: () => cache.get(key, make),
    forget: (token) => {
      cache.forget(key, token);
    },
  };
}
