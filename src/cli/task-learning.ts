import { setTimeout as sleep } from 'node:timers/promises';
import { beingLearned } from '../domain/base-image.ts';
import type { ApiClient } from './api-types.ts';
import type { Cli } from './cli.ts';
import { withInterrupt } from './io.ts';
import type { TaskDocument } from './task-types.ts';

const pauseMs = 200;
const usualMs = 10_000;

/** True as long as the server still reads what the task's images stand on. */
function isBeingLearned({ properties }: TaskDocument): boolean {
  return properties.watch?.some(({ because }) => because === beingLearned) ?? false;
}

async function askAgain(client: ApiClient, task: TaskDocument, mayAsk: () => boolean): Promise<TaskDocument> {
  let now = task;
  while (isBeingLearned(now) && mayAsk()) {
    await sleep(pauseMs);
    now = await client.task(task.name);
  }
  return now;
}

/**
 * Waits for the server to have read what a task's images stand on, which follows when a task was written: ten seconds at most, and not beyond
 * Ctrl-C. Resolves with the task as it is then.
 */
export async function waitForLearning(cli: Cli, client: ApiClient, task: TaskDocument): Promise<TaskDocument> {
  const { io, wiring } = cli;
  let left = Math.ceil((wiring.learningMs ?? usualMs) / pauseMs);
  return withInterrupt(io, async (signal) => {
    try {
      return await askAgain(client, task, () => !signal.aborted && left-- > 0);
    } catch {
      // The task is written: that it cannot be shown any better is no failure.
      return task;
    }
  });
}
