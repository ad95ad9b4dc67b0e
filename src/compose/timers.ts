import type { Installation } from '../installation.ts';
import type { TimerQueue } from '../queue/ports.ts';
import type { TaskRunDeps } from '../trigger/run-of-task.ts';
import type { SubmitDeps } from '../trigger/submit.ts';
import { createTimerTrigger, reconcileTimers } from '../trigger/timer.ts';
import { periodically } from '../worker/periodically.ts';

const reconcileMs = 5 * 60_000;

export interface TimersOptions {
  readonly installation: Pick<Installation, 'logger' | 'store'>;
  readonly submit: SubmitDeps & TaskRunDeps;
  readonly timers: TimerQueue;
}

/** Starts the runs of timers until it is closed; sets the timers of all tasks at once and every few minutes. */
export async function startTimers({ installation, submit, timers }: TimersOptions) {
  const { logger, store } = installation;
  const consumer = await timers.consume(createTimerTrigger({ ...submit, tasks: store.tasks, logger }), (error) => {
    logger.warn({ err: error }, 'a timer could not be worked off this time');
  });
  const reconciling = periodically(
    reconcileMs,
    () => reconcileTimers({ timers, tasks: store.tasks, logger }),
    (error) => {
      logger.warn({ err: error }, 'the timers could not be set this time');
    },
  );
  return {
    async close() {
      await reconciling.close();
      await consumer.close();
      await timers.close();
    },
  };
}
