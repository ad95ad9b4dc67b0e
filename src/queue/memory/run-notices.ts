import { noticeKinds, noticeListeners, type NoticeListener, type RunNotice, type RunNotices } from '../ports.ts';
import { MemoryJobs } from './retry.ts';

/** Notices of runs in this process's memory; the pause before a second try is `backoffMs`, doubled each time after. */
export function createMemoryRunNotices({ attempts = 10, backoffMs = 5000 } = {}): RunNotices {
  const retry = { attempts, pauseMs: (made: number) => backoffMs * 2 ** (made - 1) };
  const jobs = new Map<NoticeListener, MemoryJobs<RunNotice>>(
    noticeListeners.map((listener) => [listener, new MemoryJobs<RunNotice>(retry)]),
  );
  const tell = (listener: NoticeListener, { runId, kind, attempt }: RunNotice): void => {
    if (!noticeKinds[listener].includes(kind)) return;
    jobs.get(listener)?.add(`${runId}-${kind}-${attempt}`, { runId, kind, attempt });
  };
  return {
    async publish(notice) {
      for (const listener of noticeListeners) tell(listener, notice);
    },
    async publishMany(notices, listeners = noticeListeners) {
      for (const listener of listeners) for (const notice of notices) tell(listener, notice);
    },
    async consume(listener, handle, onError) {
      const own = jobs.get(listener) ?? new MemoryJobs<RunNotice>(retry);
      return own.consume({ handle, onError });
    },
    async close() {
      for (const one of jobs.values()) one.close();
    },
  };
}
