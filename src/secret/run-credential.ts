import type { Clock } from '../domain/clock.ts';
import type { Signer } from './sign.ts';

/** Who holds a run's credential: its run and attempt, and nothing beyond the time it is good for. */
export interface RunIdentity {
  readonly runId: string;
  readonly attempt: number;
}

const userName = 'run';

/** How long a run's credential outlives the run's own timeout, for the time before its steps. */
const spareMs = 600_000;

/** A name and password for the registry that are good for one attempt of one run, until `timeoutSeconds` are long over. */
export function issueRunCredential(
  signer: Signer,
  clock: Clock,
  { runId, attempt, timeoutSeconds }: RunIdentity & { readonly timeoutSeconds: number },
): { userName: string; password: string } {
  const expiresAtMs = clock.now() + timeoutSeconds * 1000 + spareMs;
  return { userName, password: signer.sign({ runId, attempt }, expiresAtMs) };
}

/** Whose credential a name and password are; undefined when they are no run's, or are over. */
export function checkRunCredential(
  signer: Signer,
  given: { readonly username: string; readonly password: string },
  clock: Clock,
): RunIdentity | undefined {
  if (given.username !== userName) return undefined;
  const claims = signer.verify(given.password, clock.now());
  const { runId, attempt } = claims ?? {};
  return typeof runId === 'string' && typeof attempt === 'number' ? { runId, attempt } : undefined;
}
