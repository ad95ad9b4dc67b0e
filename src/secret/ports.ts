import type { Readable } from 'node:stream';
import type { SecretSource } from '../domain/step.ts';

/** A request to a vault or to what gives out tokens for it. */
export interface VaultRequest {
  readonly headers?: Readonly<Record<string, string>>;
  /** Sent by POST; undefined: a GET. */
  readonly body?: string;
  readonly signal: AbortSignal;
  readonly maxBytes: number;
  /** The field that failures name. */
  readonly field: string;
  /** Tokens are for one host: a redirect is an answer. */
  readonly redirects: 'none';
}

/** The guarded client for outgoing requests, as far as vaults need it (`Egress.fetch`). Any status is an answer. */
export type VaultFetch = (
  url: string,
  request: VaultRequest,
) => Promise<{
  readonly status: number;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly body: Readable;
}>;

/** What answers for the secrets at some URLs. */
export interface SecretProvider {
  /** True for a URL that this provider answers for. */
  owns(url: URL): boolean;
  /**
   * The secret's value.
   * @throws `invalid-request` for a URL that names no secret, `not-found`, `forbidden`, `unsupported` when it is not set up,
   * `source-unavailable` when the vault does not answer; the messages name the secret and never hold a value.
   */
  read(url: URL, source: SecretSource, signal: AbortSignal): Promise<string>;
}

/** Finds the values of secrets, wherever they are. */
export interface SecretResolver {
  /**
   * The value of one secret. A value of the own store that is no UTF-8 comes in base64.
   * @throws like {@link SecretProvider}, `timed-out` after the time that one secret may take, and the signal's reason when it aborts.
   */
  resolve(source: SecretSource, signal: AbortSignal): Promise<string>;
}
