import { toFailure } from '../../domain/failure.ts';
import type { RunCause } from '../../domain/run-cause.ts';
import type { RunRequest } from '../../domain/run-request.ts';
import type { RunId } from '../../domain/run.ts';
import type { Plan } from '../../domain/step.ts';
import type { Task } from '../../domain/task.ts';
import type { LearnMeans, StandInRun } from './means.ts';

/** The same task planned for two runs: what differs in them hangs on the run. */
export interface PlansAhead {
  readonly plans: readonly [Plan, Plan];
  /** Why a run that a base image starts would come to nothing, if it would. */
  readonly problem?: string;
}

type Wish = Pick<StandInRun, 'context' | 'signal'>;

const epoch = '2000-01-01T00:00:00Z';
const standIns = [
  { runId: 'standin1' as RunId, startedAt: new Date(epoch), random: () => 0.25 },
  { runId: 'standin2' as RunId, startedAt: new Date('2001-02-03T04:05:06Z'), random: () => 0.75 },
] as const;

const imageUpdate: RunCause = { kind: 'image-update', id: 'standin', timestamp: epoch, images: [] };

/** The branch that the task's runs are likely to be of. */
function branchOf({ step, trigger }: Task): string {
  const [first] = trigger.sourceTriggers;
  const ref = /#([^:#]+)/.exec(step.contextPath ?? '')?.[1]?.replace(/^refs\/heads\//, '');
  return first?.sourceRepository.branch ?? ref ?? 'main';
}

function pushOf(task: Task): RunCause {
  const branchName = branchOf(task);
  const [trigger] = task.trigger.sourceTriggers;
  return {
    kind: 'source',
    trigger: trigger?.name ?? 'standin',
    id: 'standin',
    eventType: 'commit',
    repositoryUrl: trigger?.sourceRepository.repositoryUrl ?? task.step.contextPath ?? '',
    branchName,
    ref: `refs/heads/${branchName}`,
    providerType: 'standin',
    isTrusted: true,
  };
}

/**
 * Plans a task before any run of it, as a worker would: for a run that a base image starts, and where that cannot be planned, as a task that
 * names its branch cannot, for a push. Rejects as the means' `plan` does.
 */
export async function planAhead(
  request: RunRequest,
  task: Task,
  { plan }: Pick<LearnMeans, 'plan'>,
  wish: Wish,
): Promise<PlansAhead> {
  const planFor = async (cause: RunCause): Promise<PlansAhead['plans']> => {
    const [first, second] = standIns.map((one) => () => plan(request, { ...one, ...wish, task, cause }));
    return [await (first as () => Promise<Plan>)(), await (second as () => Promise<Plan>)()];
  };
  try {
    return { plans: await planFor(imageUpdate) };
  } catch (error) {
    const problem = `a run that a base image starts cannot be planned: ${toFailure(error).message}`;
    try {
      return { plans: await planFor(pushOf(task)), problem };
    } catch {
      throw error;
    }
  }
}
