import { mkdir, open } from 'node:fs/promises';
import { dirname } from 'node:path';
import { systemCode } from './errors.ts';

/** Makes names durable: a rename or link survives a power cut only once its directory has been synced. */
export interface Directories {
  /** Resolves after a sync that began after the call; calls that come while one runs share the next. */
  sync(directory: string): Promise<void>;
  /** Runs `place`, a rename or link into `directory`; makes the directory, durably, when it was missing. */
  placeInto(directory: string, place: () => Promise<void>): Promise<void>;
  /** The same without the sync of the directory at the end. */
  moveInto(directory: string, place: () => Promise<void>): Promise<void>;
}

async function syncNow(directory: string): Promise<void> {
  const handle = await open(directory, 'r');
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}

/** @param root the directory that exists for certain; parents are synced up to it. */
export function createDirectories(root: string): Directories {
  const running = new Map<string, Promise<void>>();
  const waiting = new Map<string, Promise<void>>();

  const start = (directory: string): Promise<void> => {
    const sync = syncNow(directory).finally(() => {
      if (running.get(directory) === sync) running.delete(directory);
    });
    running.set(directory, sync);
    return sync;
  };

  const sync = (directory: string): Promise<void> => {
    const current = running.get(directory);
    if (current === undefined) return start(directory);
    const queued = waiting.get(directory);
    if (queued !== undefined) return queued;
    const next = current
      .catch(() => undefined)
      .then(() => {
        waiting.delete(directory);
        return start(directory);
      });
    waiting.set(directory, next);
    return next;
  };

  const make = async (directory: string): Promise<void> => {
    const first = await mkdir(directory, { recursive: true });
    if (first === undefined) return;
    for (let made = directory; made.length >= first.length && made !== root; made = dirname(made)) {
      await sync(dirname(made));
    }
  };

  return createPlacing(sync, make);
}

function createPlacing(sync: Directories['sync'], make: (directory: string) => Promise<void>): Directories {
  const moveInto: Directories['moveInto'] = async (directory, place) => {
    try {
      await place();
    } catch (error) {
      if (systemCode(error) !== 'ENOENT') throw error;
      await make(directory);
      await place();
    }
  };
  const placeInto: Directories['placeInto'] = async (directory, place) => {
    await moveInto(directory, place);
    await sync(directory);
  };
  return { sync, placeInto, moveInto };
}
