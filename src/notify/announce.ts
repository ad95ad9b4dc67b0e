import { isFinal, type Run, type RunId } from '../domain/run.ts';
import type { RunNotices } from '../queue/ports.ts';
import type { RunStore } from '../store/ports.ts';

type Publish = Pick<RunNotices, 'publish'>;

/** Tells that a worker has taken a run up, and waits for nobody; `onWarning` hears when it could not be told. */
export function createStartAnnouncer(notices: Publish, onWarning: (error: unknown, runId: RunId) => void) {
  return ({ runId, attempt }: Pick<Run, 'runId' | 'attempt'>): void => {
    notices.publish({ runId, kind: 'started', attempt }).catch((error: unknown) => {
      onWarning(error, runId);
    });
  };
}

/** What keeps the log of runs that are over. */
interface Saves {
  save(id: RunId): Promise<void>;
}

/**
 * An archive that tells of a run's end before it keeps its log. A run whose end could not be told stays among those that are not
 * archived, where the next sweep finds it: so no end is lost, whoever ended the run and whatever died then. Rejects as publishing does.
 */
export function announceBeforeArchive<T extends Saves>(
  archive: T,
  runs: Pick<RunStore, 'get'>,
  notices: Publish,
): T & Saves {
  return {
    ...archive,
    async save(id) {
      const run = await runs.get(id);
      if (run && isFinal(run.status)) await notices.publish({ runId: id, kind: 'ended', attempt: run.attempt });
      await archive.save(id);
    },
  };
}
