import type { Clock } from '../domain/clock.ts';
import { systemClock } from '../domain/clock.ts';
import { fail } from '../domain/failure.ts';
import type { RegistryCredential } from '../domain/run-request.ts';
import type { Egress } from '../egress/ports.ts';
import { connectRegistry, createRegistryClients, type RegistryClient } from '../registry-client/client.ts';
import { RegistryRefusal } from '../registry-client/refusal.ts';
import { createSender } from '../registry-client/sender.ts';
import { FinalAnswer } from './download.ts';

/** A registry that artifacts are read from, and who asks. */
export interface ArtifactRegistry {
  /** Makes a client; everything that it does ends with the signal. */
  client(signal: AbortSignal): RegistryClient;
  /** Turns what the client rejects with into a failure of a source: final where the registry says no. */
  explain(error: unknown, what: string): unknown;
  /** That it has none of what was asked for. */
  absent(what: string): Error;
  close(): void;
}

export interface ArtifactRegistryOptions {
  /** What may reach it. */
  readonly egress: Egress;
  /** As it stands in the location. */
  readonly registry: string;
  /** Where our own registry is, without a slash at the end: it is sent the password unasked. */
  readonly ownOrigin?: string;
  readonly credential: RegistryCredential | undefined;
  readonly clock?: Clock;
}

/** Why a registry did not give something. A status of the registry's own trouble may pass, all others will not. */
function refusal(options: ArtifactRegistryOptions, status: number, what: string): Error {
  const message = `the registry ${options.registry} answered with status ${String(status)} for ${what}`;
  if (status >= 500 || status === 429) return fail('source-unavailable', message);
  const isLogin = status === 401 || status === 403;
  const hint =
    options.credential === undefined
      ? 'it may need a login: credentials.customRegistries'
      : 'the login may not read it';
  return new FinalAnswer({ reason: 'source-unavailable', message, ...(isLogin && { hint }) });
}

/** Opens a registry for reading; whoever downloads tries again by himself. */
export function openArtifactRegistry(options: ArtifactRegistryOptions): ArtifactRegistry {
  const { egress, registry, ownOrigin, credential, clock = systemClock } = options;
  const sender = createSender({ egress });
  const credentials = async () => (credential === undefined ? [] : [credential]);
  const clients = createRegistryClients({ sender, clock, credentials, tries: 1 });
  return {
    client: (signal) =>
      ownOrigin === undefined
        ? clients.at(registry, signal)
        : connectRegistry({ origin: ownOrigin, credential, signal, sender }),
    explain: (error, what) =>
      error instanceof RegistryRefusal && error.status !== undefined ? refusal(options, error.status, what) : error,
    absent: (what) => refusal(options, 404, what),
    close: () => sender.close(),
  };
}
