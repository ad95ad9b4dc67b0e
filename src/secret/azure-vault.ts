import { fail, type FailureError } from '../domain/failure.ts';
import type { SecretSource } from '../domain/step.ts';
import type { AzureVaultSettings } from '../domain/vaults.ts';
import { memberOf, type AskVault, type VaultAnswer } from './ask.ts';
import { cloudOf, publicCloud } from './azure-cloud.ts';
import { createAzureTokens, type AzureTokens } from './azure-tokens.ts';
import type { SecretProvider } from './ports.ts';
import type { TokenCache } from './token-cache.ts';

const apiVersion = '7.4';
const secretPath = /^\/secrets\/[0-9A-Za-z-]{1,127}(?:\/[0-9A-Za-z]{1,64})?\/?$/;

function checkUrl(url: URL, { id }: SecretSource): string {
  if (secretPath.test(url.pathname) && url.search === '' && url.hash === '')
    return `${url.origin}${url.pathname.replace(/\/$/, '')}?api-version=${apiVersion}`;
  throw fail(
    'invalid-request',
    `the secret "${id}": its key vault URL must end with /secrets/NAME or /secrets/NAME/VERSION`,
    {
      field: 'secrets',
    },
  );
}

/** What Azure calls the fault: a word, never its text. */
function codeOf(document: unknown): string {
  const code = memberOf(memberOf(document, 'error'), 'code');
  return typeof code === 'string' && /^[A-Za-z]{1,60}$/.test(code) ? `, ${code}` : '';
}

function failureOf({ status, document }: VaultAnswer, { host }: URL, { id }: SecretSource): FailureError {
  const answer = `(${status}${codeOf(document)})`;
  const field = 'secrets';
  if (status === 404)
    return fail('not-found', `the secret "${id}": the key vault ${host} has no such secret ${answer}`, { field });
  if (status === 401 || status === 403) {
    const hint =
      'let the identity read secrets of the vault: the role "Key Vault Secrets User", or "get" in its access policy';
    return fail('forbidden', `the secret "${id}": the key vault ${host} does not let this server read it ${answer}`, {
      field,
      hint,
    });
  }
  return fail('source-unavailable', `the secret "${id}": the key vault ${host} does not give it ${answer}`, { field });
}

interface AzureOptions {
  readonly settings: AzureVaultSettings | undefined;
  readonly ask: AskVault;
  readonly cache: TokenCache;
  /** Where a machine's own identity is asked for tokens; Azure's address for it when not given. */
  readonly metadataUrl?: string | undefined;
  /** Milliseconds that getting a token may take. */
  readonly timeoutMs: number;
}

/** Reads once, and once more with a new token where one was refused: a kept one may have been revoked. */
async function readWith(tokens: AzureTokens, ask: (token: string) => Promise<VaultAnswer>): Promise<VaultAnswer> {
  const token = await tokens.get();
  const answer = await ask(token);
  if (answer.status !== 401) return answer;
  tokens.forget(token);
  return ask(await tokens.get());
}

/**
 * Secrets of Azure Key Vaults: `https://NAME.vault.azure.net/secrets/X[/VERSION]`, the sovereign clouds' and those of the servers that were
 * set up as key vaults (Key Vault REST API, "Get Secret"). Other hosts are never asked: a token is worth something to whoever gets it.
 */
export function createAzureVault(options: AzureOptions): SecretProvider {
  const { settings, ask } = options;
  const servers = new Set(settings?.servers.map((server) => new URL(server).origin));
  return {
    owns: (url) => servers.has(url.origin) || cloudOf(url) !== undefined,
    async read(url, source, signal) {
      const target = checkUrl(url, source);
      const tokens = createAzureTokens({ ...options, cloud: cloudOf(url) ?? publicCloud, source });
      const answer = await readWith(tokens, (token) =>
        ask(target, { headers: { authorization: `Bearer ${token}`, accept: 'application/json' }, signal }),
      );
      const value = memberOf(answer.document, 'value');
      if (answer.status === 200 && typeof value === 'string') return value;
      throw failureOf(answer, url, source);
    },
  };
}
