import { setTimeout as sleep } from 'node:timers/promises';
import { splitDigest, type Digest } from '../../domain/digest.ts';
import type { Change } from '../changes.ts';
import { contentKey, damagedKey, stagedPrefix } from '../layout.ts';
import type { Decision } from '../ledger.ts';
import { timeOf } from '../state.ts';
import { examine } from './examine.ts';
import type { CheckRun } from './rooms.ts';

/** How long a push that is putting the bytes at this moment is given to end. */
const settleMs = 1500;

/** What is given up with the bytes, and how that is taken back when they are good after all. */
export interface GivenUp {
  readonly changes: readonly Change[];
  readonly takenBack: () => readonly Change[];
}

/**
 * Takes bytes that are wrong or missing out of use: in one commit what stands for them is given up, and they are said to be removing, so that
 * pushes of the same bytes wait. Then they are looked at once more, and moved to `registry/damaged/`.
 * @param giveUp decides what goes; undefined: nothing is done. Must look at nothing but the index.
 * @returns where the bytes lie now, `nowhere` when there were none; undefined when nothing was done.
 */
export async function setAside(
  run: CheckRun,
  digest: Digest,
  size: number | undefined,
  giveUp: () => GivenUp | undefined,
): Promise<string | undefined> {
  const { ledger } = run.state;
  if ((await examine(run, digest, size)).is === 'good') return undefined;
  const by = `${run.state.processId}/check`;
  const given = await ledger.commit(() => beginSettingAside(run, digest, by, giveUp()));
  if (given === undefined) return undefined;
  const end: Change = { is: 'content', digest };
  const takeBack = (): Promise<void> =>
    ledger.commit(() => ({ changes: [...given.takenBack(), end], result: undefined }));
  try {
    await sleep(settleMs);
    const content = await examine(run, digest, size);
    if (content.is === 'good') {
      await takeBack();
      return undefined;
    }
    const place = content.is === 'missing' ? 'nowhere' : await move(run, digest);
    await ledger.commit(() => ({ changes: [end], result: undefined }));
    return place;
  } catch (error) {
    await takeBack().catch(() => undefined); // the next start ends it
    throw error;
  }
}

function beginSettingAside(
  { state }: CheckRun,
  digest: Digest,
  by: string,
  given: GivenUp | undefined,
): Decision<GivenUp | undefined> {
  if (given === undefined || state.index.condemned.get(digest)?.state === 'removing') {
    return { changes: [], result: undefined };
  }
  const record = { state: 'removing', since: timeOf(state), by } as const;
  return { changes: [...given.changes, { is: 'content', digest, record }], result: given };
}

/** Copies the bytes, durably, before they are deleted. */
async function move({ state }: CheckRun, digest: Digest): Promise<string> {
  const { storage, clock, newId } = state;
  const { algorithm, hex } = splitDigest(digest);
  const key = damagedKey(algorithm, hex, clock.now());
  const reading = await storage.read(contentKey(digest));
  if (reading === undefined) return 'nowhere';
  const staged = await storage.begin(`${stagedPrefix}${newId()}`);
  try {
    await staged.append(reading.stream as AsyncIterable<Uint8Array>);
    await staged.commit(key);
  } finally {
    await staged.discard();
  }
  await storage.delete(contentKey(digest));
  return key;
}
