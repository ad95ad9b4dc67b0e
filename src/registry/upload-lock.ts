import { setTimeout as sleep } from 'node:timers/promises';
import { oci } from './errors.ts';
import { sessionLockKey } from './layout.ts';
import type { RegistryState } from './state.ts';

/** A lock that nobody has renewed for so long is of a process that is no more. */
const staleMs = 60_000;
const renewEveryMs = 15_000;
/** How long a request waits for the one before it, which may still be letting go at another process. */
const mostWaitMs = 5000;

/**
 * Runs `work` while no other process uses the upload: an object in the store, which only one can make, stands for it meanwhile.
 * @throws BLOB_UPLOAD_INVALID (416) when another request keeps it.
 */
export async function withUploadLock<T>(state: RegistryState, id: string, work: () => Promise<T>): Promise<T> {
  const { storage, processId } = state;
  const key = sessionLockKey(id);
  const mark = Buffer.from(processId);
  await take(state, key, mark);
  const renewal = setInterval(() => {
    storage.put(key, mark).catch(() => undefined); // the next one comes in time
  }, renewEveryMs).unref();
  try {
    return await work();
  } finally {
    clearInterval(renewal);
    await storage.delete(key).catch(() => undefined); // it gets stale
  }
}

async function take({ storage, clock }: RegistryState, key: string, mark: Buffer): Promise<void> {
  const deadline = performance.now() + mostWaitMs;
  while (!(await storage.put(key, mark, { ifAbsent: true }))) {
    const found = await storage.stat(key);
    if (found === undefined) continue;
    if (clock.now() - found.modifiedAt > staleMs) await storage.delete(key);
    else if (performance.now() > deadline) throw uploadIsHeld();
    else await sleep(25);
  }
}

/** What a request meets that comes while another one writes to the same upload. */
export function uploadIsHeld(): Error {
  return oci('BLOB_UPLOAD_INVALID', 'another request is writing to this upload', { status: 416 });
}
