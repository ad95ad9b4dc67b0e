import type { RunCause } from '../domain/run-cause.ts';
import { isFinal, type Run, type RunStatus } from '../domain/run.ts';
import type { Task } from '../domain/task.ts';
import type { DeliveryStore, RunStore } from '../store/ports.ts';
import { cancelRun, type CancelDeps } from './cancel.ts';

type SourceCause = Extract<RunCause, { kind: 'source' }>;

export interface SupersedeDeps extends CancelDeps {
  readonly runs: Pick<RunStore, 'list' | 'requestCancel'>;
  readonly deliveries: Pick<DeliveryStore, 'get'>;
}

/** A run that is to be made, and the delivery that asks for it. */
export interface Newcomer {
  readonly task: Task;
  readonly cause: SourceCause;
  /** ISO 8601. */
  readonly receivedTime: string;
}

const pageRuns = 100;
/** More runs of one task are not at work or waiting with any sense. */
const mostPages = 20;

function isSameRef(run: Run, cause: SourceCause): boolean {
  const other = run.cause;
  return other?.kind === 'source' && other.ref === cause.ref && other.pullRequestId === cause.pullRequestId;
}

/** The task's runs in one status that were started by events of the same ref, those of this very delivery left out. */
async function listRivals(
  { runs }: SupersedeDeps,
  { task, cause }: Newcomer,
  status: RunStatus,
): Promise<readonly Run[]> {
  const conditions = [
    { field: 'taskName', operator: 'eq', value: task.name },
    { field: 'status', operator: 'eq', value: status },
  ] as const;
  const found: Run[] = [];
  let after: string | undefined;
  for (let page = 0; page < mostPages; page += 1) {
    const { runs: some, next } = await runs.list({
      conditions,
      limit: pageRuns,
      ...(after !== undefined && { after }),
    });
    found.push(...some.filter((run) => isSameRef(run, cause)));
    if (next === undefined) break;
    after = next;
  }
  return found.filter((run) => run.cause?.kind === 'source' && run.cause.id !== cause.id);
}

async function listActive(deps: SupersedeDeps, newcomer: Newcomer): Promise<readonly Run[]> {
  const lists = await Promise.all(
    (['Queued', 'Started', 'Running'] as const).map((status) => listRivals(deps, newcomer, status)),
  );
  return lists.flat();
}

/** When the delivery that started a run arrived; for a run whose delivery is forgotten, when the run was made. */
async function arrivalOf({ deliveries }: SupersedeDeps, run: Run): Promise<string> {
  const id = run.cause?.kind === 'source' ? run.cause.id : '';
  return (await deliveries.get(id))?.receivedTime ?? run.createTime;
}

/** Why the task's policy lets no run be made now; undefined when one is to be made. */
export async function findObstacle(deps: SupersedeDeps, newcomer: Newcomer): Promise<string | undefined> {
  switch (newcomer.task.whenSuperseded) {
    case 'queue':
      return undefined;
    case 'skip': {
      const [waiting] = await listRivals(deps, newcomer, 'Queued');
      return waiting && `run ${waiting.runId} of the same ref waits already`;
    }
    case 'cancel': {
      // Deliveries are worked off side by side: an older one must not take the place of a newer one.
      for (const run of await listActive(deps, newcomer)) {
        const isLater = (await arrivalOf(deps, run)) > newcomer.receivedTime;
        if (isLater) return `run ${run.runId} is of a later event of the same ref`;
      }
      return undefined;
    }
  }
}

/** With the policy `cancel`, cancels what the new run makes old. Safe to repeat. */
export async function cancelOlder(deps: SupersedeDeps, newcomer: Newcomer, run: Run): Promise<void> {
  if (newcomer.task.whenSuperseded !== 'cancel' || isFinal(run.status)) return;
  for (const old of await listActive(deps, newcomer)) {
    if (old.runId !== run.runId && (await arrivalOf(deps, old)) <= newcomer.receivedTime)
      await cancelRun(deps, old.runId, `superseded by ${run.runId}`);
  }
}
