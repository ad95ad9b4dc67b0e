import type { Clock } from '../domain/clock.ts';
import type { Answer, AskRegistry, Method, RegistryRequest } from './ports.ts';
import { asRefusal, refusalOf } from './refusal.ts';
import { readSmall } from './small-body.ts';

/** What is read and sent at most. */
export interface ClientLimits {
  /** Bytes of a manifest, an index, or another document that is read whole. */
  readonly documentBytes: number;
  /** Bytes of one page of a list. */
  readonly pageBytes: number;
  /** Pages of one list. */
  readonly pages: number;
  /** Milliseconds of a request that reads or writes no blob. */
  readonly timeoutMs: number;
}

export const usualLimits: ClientLimits = {
  documentBytes: 4 * 1024 * 1024,
  pageBytes: 8 * 1024 * 1024,
  pages: 1000,
  timeoutMs: 30_000,
};

/** One request, within a repository. */
export interface Call extends Omit<RegistryRequest, 'place' | 'signal' | 'credentials'> {
  readonly repository: string;
  readonly method: Method;
}

/** One registry, and who asks it. */
export interface Caller {
  readonly registry: string;
  /** Where its API is, without a slash at the end. */
  readonly origin: string;
  /** It is our own: what it says of itself is believed, but for the name by which it is reached. */
  readonly isTrusted: boolean;
  readonly limits: ClientLimits;
  readonly signal: AbortSignal | undefined;
  readonly pause: (tries: number) => Promise<void>;
  /** Resolves with any of the statuses expected. Rejects with a RegistryRefusal; with the signal's reason. */
  expect(call: Call, expected: readonly number[]): Promise<Answer>;
  /** The same for an answer that is read whole, within the time limit; its body is empty where it is not 2xx. */
  read(call: Call, expected: readonly number[], maxBytes?: number): Promise<Answer & { readonly bytes: Buffer }>;
}

export interface CallerOptions extends Pick<
  Caller,
  'registry' | 'origin' | 'isTrusted' | 'limits' | 'signal' | 'pause'
> {
  readonly ask: AskRegistry;
  readonly clock: Clock;
}

/** `GET team/app/manifests/v1`: without the query, in which there may be a state or a signature. */
function describe({ method, repository, path }: Call): string {
  const plain = path.split('?', 1)[0] ?? '';
  return `${method} ${URL.canParse(plain) ? new URL(plain).pathname : `${repository}/${plain}`}`;
}

/** Makes a caller of one registry. */
export function createCaller(options: CallerOptions): Caller {
  const { ask, clock, ...about } = options;
  const { registry, limits, signal } = about;
  const expect: Caller['expect'] = async (call, expected) => {
    const { repository, ...request } = call;
    try {
      const answer = await ask({ ...request, place: { registry, repository }, signal });
      if (expected.includes(answer.status)) return answer;
      throw await refusalOf(registry, describe(call), answer, clock.now());
    } catch (error) {
      throw asRefusal(error);
    }
  };
  return {
    ...about,
    expect,
    async read(call, expected, maxBytes = limits.documentBytes) {
      const answer = await expect({ timeoutMs: limits.timeoutMs, ...call }, expected);
      try {
        const bytes = await readSmall(answer.body, maxBytes, `what the registry ${registry} sends`);
        return { ...answer, bytes };
      } catch (error) {
        throw asRefusal(error);
      }
    },
  };
}
