import { fail, type FailureError } from '../domain/failure.ts';
import type { SecretSource } from '../domain/step.ts';
import type { HashicorpVaultSettings } from '../domain/vaults.ts';
import { memberOf, type AskVault, type VaultAnswer } from './ask.ts';
import { readGiven } from './given.ts';
import type { SecretProvider } from './ports.ts';
import type { Token, TokenCache } from './token-cache.ts';

interface VaultOptions {
  readonly settings: HashicorpVaultSettings;
  readonly ask: AskVault;
  readonly cache: TokenCache;
  /** Milliseconds that a login may take. */
  readonly timeoutMs: number;
}

const field = 'secrets';

/** Parts of the API that answer with the server's own token, or manage the vault. */
const ownMounts = new Set(['sys', 'auth', 'identity', 'cubbyhole']);

/** The path below `/v1/`, decoded as the vault will decode it; undefined when it is none that holds secrets. */
function secretPath(url: URL, prefix: string): string | undefined {
  const parts = decodeURIComponent(url.pathname.slice(prefix.length)).split('/');
  const isStrange = parts.some((part) => part === '' || part === '.' || part === '..');
  const isOwn = ownMounts.has(parts[0] ?? '') || parts.includes('cubbyhole') || parts.join('/').includes('auth/token/');
  return isStrange || isOwn || parts.length < 2 ? undefined : parts.join('/');
}

function checkUrl(url: URL, prefix: string, { id }: SecretSource): string {
  const query = url.search === '' || /^\?version=\d{1,9}$/.test(url.search);
  try {
    if (query && secretPath(url, prefix) !== undefined) return `${url.origin}${url.pathname}${url.search}`;
  } catch {
    // Not decodable: refused like any other that is wrong.
  }
  const hint = 'for example https://vault.example.com:8200/v1/secret/data/app#password';
  throw fail('invalid-request', `the secret "${id}": its URL names no secret of the vault`, { field, hint });
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** The fields of a secret: version 2 of the key/value engine wraps them once more, beside its metadata. */
function fieldsOf(document: unknown): Readonly<Record<string, unknown>> | undefined {
  const data = memberOf(document, 'data');
  if (!isObject(data)) return undefined;
  const inner = memberOf(data, 'data');
  return isObject(memberOf(data, 'metadata')) ? (isObject(inner) ? inner : undefined) : data;
}

/** The field that the URL names after `#`; without one, the only one there is, or the one called `value`. */
function pickField(fields: Readonly<Record<string, unknown>>, url: URL, { id }: SecretSource): string {
  const names = Object.keys(fields);
  const asked = decodeURIComponent(url.hash.slice(1));
  const name = asked === '' ? (names.length === 1 ? names[0] : 'value') : asked;
  const value = name !== undefined && Object.hasOwn(fields, name) ? fields[name] : undefined;
  if (typeof value === 'string') return value;
  if (value !== undefined && value !== null) return JSON.stringify(value);
  const why = asked === '' ? 'it has several fields' : `it has no field "${asked.slice(0, 60)}"`;
  throw fail('not-found', `the secret "${id}": ${why}`, { field, hint: 'name one of its fields after # in the URL' });
}

function failureOf({ status }: VaultAnswer, { host }: URL, { id }: SecretSource): FailureError {
  if (status === 404 || status === 200)
    return fail('not-found', `the secret "${id}": the vault ${host} has nothing there (${status})`, { field });
  if (status === 401 || status === 403) {
    const hint = 'give the token or role of this server a policy with "read" on the path';
    return fail('forbidden', `the secret "${id}": the vault ${host} does not let this server read it (${status})`, {
      field,
      hint,
    });
  }
  return fail('source-unavailable', `the secret "${id}": the vault ${host} does not give it (${status})`, { field });
}

type AppRole = Extract<HashicorpVaultSettings['login'], { kind: 'approle' }>;

async function logIn(options: VaultOptions, { roleId, secretId }: AppRole, { id }: SecretSource): Promise<Token> {
  const { settings, ask, timeoutMs } = options;
  const body = JSON.stringify({ role_id: roleId, secret_id: await readGiven(secretId) });
  const headers = { ...headersOf(settings), 'content-type': 'application/json' };
  const signal = AbortSignal.timeout(timeoutMs);
  const { status, document } = await ask(`${settings.address}/v1/auth/approle/login`, { headers, body, signal });
  const auth = memberOf(document, 'auth');
  const text = memberOf(auth, 'client_token');
  if (status !== 200 || typeof text !== 'string') {
    const { host } = new URL(settings.address);
    throw fail(
      'source-unavailable',
      `the secret "${id}": the vault ${host} does not let this server log in (${status})`,
      { field },
    );
  }
  const lease = Number(memberOf(auth, 'lease_duration') ?? 0);
  return { text, lifeSeconds: lease > 0 ? lease : undefined };
}

function headersOf({ namespace }: HashicorpVaultSettings): Record<string, string> {
  const own = { accept: 'application/json', 'x-vault-request': 'true' };
  return namespace === undefined ? own : { ...own, 'x-vault-namespace': namespace };
}

const cacheKey = 'hashicorp';

/** Reads once, and once more after a new login where it is refused: a kept one may have been revoked. */
async function readWithToken(
  options: VaultOptions,
  source: SecretSource,
  read: (token: string) => Promise<VaultAnswer>,
) {
  const { login } = options.settings;
  if (login.kind === 'token') return read(await readGiven(login.token));
  const get = () => options.cache.get(cacheKey, () => logIn(options, login, source));
  const token = await get();
  const answer = await read(token);
  if (answer.status !== 403) return answer;
  options.cache.forget(cacheKey, token);
  return read(await get());
}

/**
 * Secrets of one HashiCorp Vault (or OpenBao): `https://ADDRESS/v1/MOUNT/[data/]PATH[?version=N][#FIELD]`, of both versions of its key/value
 * engine and of others that are read by GET. Nothing outside the address is asked, and nothing that would answer with our own token.
 */
export function createHashicorpVault(options: VaultOptions): SecretProvider {
  const { settings, ask } = options;
  const base = new URL(`${settings.address}/v1/`);
  return {
    owns: (url) => url.origin === base.origin && url.pathname.startsWith(base.pathname),
    async read(url, source, signal) {
      const target = checkUrl(url, base.pathname, source);
      const answer = await readWithToken(options, source, (token) =>
        ask(target, { headers: { ...headersOf(settings), 'x-vault-token': token }, signal }),
      );
      const fields = answer.status === 200 ? fieldsOf(answer.document) : undefined;
      if (fields === undefined) throw failureOf(answer, url, source);
      return pickField(fields, url, source);
    },
  };
}
