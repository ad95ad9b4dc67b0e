import { createHash } from 'node:crypto';
import { LRUCache } from 'lru-cache';
import type { RegistryCredential } from '../../domain/run-request.ts';
import type { Answer, AskRegistry, RegistryRequest } from '../../registry-client/ports.ts';
import { discard } from '../../registry-client/small-body.ts';
import { registryOf } from './intervals.ts';

export interface OperatorCredentialsOptions {
  /** What the operator has set for a registry, sealed; undefined: nothing. Rejects with `redis-unavailable`. */
  readonly sealedFor: (registry: string) => Promise<string | undefined>;
  /** Opens that. Throws where another key has sealed it. */
  readonly open: (registry: string, sealed: string) => RegistryCredential;
  /** Opens a session that keeps its logins. */
  readonly openSession: () => AskRegistry;
  /** Told of what is set for a registry and cannot be opened, once. */
  readonly onUnusable: (registry: string, error: unknown) => void;
  /** Told of credentials that a registry takes none of, once for the same; `status`: how it answered the last, 401 or 403. */
  readonly onRefused: (registry: string, status: number) => void;
}

/** Registries whose logins are kept, and refusals that are remembered. */
const mostKept = 1000;

/** The logins with a registry under what was set for it then. */
interface Logins {
  readonly sealed: string | undefined;
  readonly credential: RegistryCredential | undefined;
  readonly ask: AskRegistry;
}

function isNo({ status }: Answer): boolean {
  return status === 401 || status === 403;
}

function keyOf({ userName, password }: RegistryCredential): string {
  return JSON.stringify([userName, password]);
}

function withoutTwins(all: readonly RegistryCredential[]): readonly RegistryCredential[] {
  return [...new Map(all.map((one) => [keyOf(one), one] as const)).values()];
}

/** What a refusal is remembered by, which holds no password. */
function fingerprint(registry: string, tried: readonly RegistryCredential[]): string {
  const digest = createHash('sha256').update(tried.map(keyOf).join('\n')).digest('base64');
  return `${registry} ${digest}`;
}

class OperatorCredentials {
  readonly #options: OperatorCredentialsOptions;
  readonly #logins = new LRUCache<string, Logins>({ max: mostKept });
  readonly #refusals = new LRUCache<string, true>({ max: mostKept });

  constructor(options: OperatorCredentialsOptions) {
    this.#options = options;
  }

  async ask(request: RegistryRequest): Promise<Answer> {
    const registry = registryOf(request.place.registry);
    const { ask, credential } = await this.#loginsOf(registry);
    let tried: readonly RegistryCredential[] = [];
    const credentials = async (): Promise<readonly RegistryCredential[]> => {
      const given = (await request.credentials?.()) ?? [];
      tried = withoutTwins(credential === undefined ? given : [...given, credential]);
      return tried;
    };
    const answer = await ask({ ...request, credentials });
    if (tried.length === 0 || !isNo(answer)) return answer;
    discard(answer);
    this.#tell(registry, tried, answer);
    return ask({ ...request, credentials: () => Promise.resolve([]) });
  }

  /** Whoever sets another credential, or takes it away, wants no login of the one before to be used. */
  async #loginsOf(registry: string): Promise<Logins> {
    const sealed = await this.#options.sealedFor(registry);
    const kept = this.#logins.get(registry);
    if (kept !== undefined && kept.sealed === sealed) return kept;
    const opened = { sealed, credential: this.#open(registry, sealed), ask: this.#options.openSession() };
    this.#logins.set(registry, opened);
    return opened;
  }

  #open(registry: string, sealed: string | undefined): RegistryCredential | undefined {
    try {
      return sealed === undefined ? undefined : this.#options.open(registry, sealed);
    } catch (error) {
      this.#options.onUnusable(registry, error);
      return undefined;
    }
  }

  #tell(registry: string, tried: readonly RegistryCredential[], { status }: Answer): void {
    const key = fingerprint(registry, tried);
    if (this.#refusals.has(key)) return;
    this.#refusals.set(key, true);
    this.#options.onRefused(registry, status);
  }
}

/**
 * Makes a client of registries that are not ours: where one asks for a login, with the credentials that a request brings, then with the one that
 * the operator has set for it, then as a stranger, whom some things are shown. Any status is an answer; rejects as a session does, and with
 * `redis-unavailable`.
 */
export function createOperatorAsk(options: OperatorCredentialsOptions): AskRegistry {
  const credentials = new OperatorCredentials(options);
  return (request) => credentials.ask(request);
}
