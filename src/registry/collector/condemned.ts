import type { Digest } from '../../domain/digest.ts';
import type { Change } from '../changes.ts';
import { contentTouch } from '../holding.ts';
import type { Decision } from '../ledger.ts';
import type { CondemnedContent } from '../records.ts';
import { timeOf, type RegistryState } from '../state.ts';
import type { Touches } from '../touches.ts';

/*
 * The way of bytes that no repository holds: condemned, and some time later removing, which pushes of the same bytes wait for, and gone.
 * Each step is a commit that looks again whether somebody holds them.
 */

function touchesOf(digests: readonly Digest[]): Touches {
  return { own: digests.map(contentTouch) };
}

function changeEach(
  state: RegistryState,
  digests: readonly Digest[],
  decide: (digest: Digest, isHeld: boolean, now: CondemnedContent | undefined) => CondemnedContent | 'none' | undefined,
): Promise<Digest[]> {
  const { index, ledger } = state;
  const decideAll = (): Decision<Digest[]> => {
    const changes: Change[] = [];
    const changed: Digest[] = [];
    for (const digest of digests) {
      const next = decide(digest, index.holdersOf(digest).size > 0, index.condemned.get(digest));
      if (next === undefined) continue;
      changes.push(next === 'none' ? { is: 'content', digest } : { is: 'content', digest, record: next });
      if (next !== 'none' || index.condemned.get(digest)?.state === 'removing') changed.push(digest);
    }
    return { changes, result: changed };
  };
  return ledger.commit(decideAll, touchesOf(digests));
}

/** Condemns those that nobody holds; resolves to them. */
export function condemn(state: RegistryState, digests: readonly Digest[]): Promise<Digest[]> {
  const since = timeOf(state);
  return changeEach(state, digests, (_digest, isHeld, now) =>
    isHeld || now !== undefined ? undefined : { state: 'condemned', since },
  );
}

/** Says of those that have been condemned since `before` or earlier that they are being removed; resolves to them. One that is held is saved. */
export function beginRemoving(
  state: RegistryState,
  digests: readonly Digest[],
  { before, by }: { readonly before: number; readonly by: string },
): Promise<Digest[]> {
  const since = timeOf(state);
  return changeEach(state, digests, (_digest, isHeld, now) => {
    if (now?.state !== 'condemned') return undefined;
    if (isHeld) return 'none';
    return Date.parse(now.since) <= before ? { state: 'removing', since, by } : undefined;
  });
}

/** Takes over what a process that is gone was removing; resolves to what is ours now. */
export function takeOver(state: RegistryState, digests: readonly Digest[], by: string): Promise<Digest[]> {
  const since = timeOf(state);
  return changeEach(state, digests, (_digest, _isHeld, now) =>
    now?.state === 'removing' && now.by !== by ? { state: 'removing', since, by } : undefined,
  );
}

/** Says of those that this collector was removing that they are gone. */
export function endRemoving(state: RegistryState, digests: readonly Digest[], by: string): Promise<Digest[]> {
  return changeEach(state, digests, (_digest, _isHeld, now) =>
    now?.state === 'removing' && now.by === by ? 'none' : undefined,
  );
}

/** Says that they were not removed after all, and wait again. */
export function postpone(state: RegistryState, digests: readonly Digest[], by: string): Promise<Digest[]> {
  const since = timeOf(state);
  return changeEach(state, digests, (_digest, _isHeld, now) =>
    now?.state === 'removing' && now.by === by ? { state: 'condemned', since } : undefined,
  );
}
