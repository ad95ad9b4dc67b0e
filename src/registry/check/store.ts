import type { Digest } from '../../domain/digest.ts';
import type { CheckMessage } from '../../domain/registry-upkeep.ts';
import { condemn } from '../collector/condemned.ts';
import { isOrphan, walkContents } from '../collector/orphans.ts';
import { contentKey, stagedPrefix } from '../layout.ts';
import { Progress, type CheckRun } from './rooms.ts';

/** What was stored this recently may belong to a push that is under way. */
const youngMs = 10 * 60 * 1000;
const pauseMs = 5;

/** What lies in the store and belongs to nothing: bytes that a crash left, foreign files, uploads that nobody continues. */
export async function* checkStore(run: CheckRun): AsyncGenerator<CheckMessage> {
  const progress = new Progress(run, 'store');
  for await (const page of walkContents(run.state, run.order.bytesPerSecond === undefined ? 0 : pauseMs)) {
    run.signal.throwIfAborted();
    for (const digest of page.orphans) yield* reportOrphan(run, digest);
    for (const key of page.unknown) {
      const message = 'the registry has not put this into its store';
      yield run.found({
        kind: 'unknown-object',
        severity: 'warning',
        where: key,
        message,
        hint: 'look at it, and remove it',
      });
    }
    yield* progress.step(page.keys);
  }
  yield progress.end();
  yield* checkUploads(run);
}

async function* reportOrphan(run: CheckRun, digest: Digest): AsyncGenerator<CheckMessage> {
  const { storage, index, clock } = run.state;
  const found = await storage.stat(contentKey(digest));
  if (found === undefined || clock.now() - found.modifiedAt < youngMs || !isOrphan(index, digest)) return;
  const isRepaired = run.order.repair === true && (await condemn(run.state, [digest])).length > 0;
  yield run.found({
    ...{ kind: 'orphan', severity: 'note', where: digest },
    message: `${String(found.size)} bytes belong to no repository`,
    ...(isRepaired ? { repaired: 'condemned: garbage collection removes them' } : {}),
  });
}

async function* checkUploads(run: CheckRun): AsyncGenerator<CheckMessage> {
  const { storage, clock, limits } = run.state;
  const stale = (await storage.listStaged(stagedPrefix)).filter(
    ({ modifiedAt }) => clock.now() - modifiedAt > limits.uploadIdleMs,
  );
  if (stale.length === 0) return;
  const isRepaired = run.order.repair === true;
  if (isRepaired) await run.sessions.removeExpired();
  for (const { id, modifiedAt } of stale) {
    yield run.found({
      ...{ kind: 'stale-upload', severity: 'note', where: id },
      message: `nobody has continued this upload since ${new Date(modifiedAt).toISOString()}`,
      ...(isRepaired && { repaired: 'removed' }),
    });
  }
}
