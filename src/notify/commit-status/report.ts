import { fail, FailureError } from '../../domain/failure.ts';
import { gitProviderNames } from '../../domain/git-repository.ts';
import type { RunCause } from '../../domain/run-cause.ts';
import { isFinal, type Run, type RunStatus, type StepRecord } from '../../domain/run.ts';
import type { Task, TaskSecrets } from '../../domain/task.ts';
import type { RunNotice } from '../../queue/ports.ts';
import type { RunStore, TaskStore } from '../../store/ports.ts';
import { openForge, type ForgeClient } from '../forge/api.ts';
import type { SendToForge } from '../forge/send.ts';
import { createCommitStatusReporter } from './reporter.ts';
import { describeState, type CommitState, type CommitStatus, type StateDetails } from './status.ts';

export interface StatusReportsDeps {
  readonly runs: Pick<RunStore, 'get'>;
  readonly tasks: Pick<TaskStore, 'get'>;
  /** Opens a task's `sealedSecrets`. */
  readonly openSecrets: (sealed: string | undefined) => TaskSecrets;
  readonly send: SendToForge;
  /** How people reach this installation, without a slash at the end: statuses lead to a run's page there. */
  readonly url: string;
  /** Hears why a commit gets no status. */
  readonly onDropped: (runId: Run['runId'], because: string) => void;
}

type SourceCause = Extract<RunCause, { kind: 'source' }>;

const states: Readonly<Record<RunStatus, CommitState>> = {
  Queued: 'queued',
  Started: 'running',
  Running: 'running',
  Succeeded: 'success',
  Failed: 'failure',
  Canceled: 'canceled',
  Error: 'error',
  Timeout: 'failure',
};

/** A run that changes while its state is on its way is reported again: the forge must be left with the last one. */
const mostReports = 4;

function isBad({ outcome }: StepRecord): boolean {
  return outcome?.kind === 'failed' || outcome?.kind === 'timed-out';
}

/** Why the step ended badly, in a few words. Messages of steps stay in the log: a commit may be public. */
function describeStep({ outcome }: StepRecord): string | undefined {
  if (outcome?.kind === 'timed-out') return 'timed out';
  if (outcome?.kind !== 'failed' || outcome.exitCode === undefined) return undefined;
  return `exit code ${String(outcome.exitCode)}`;
}

const badStatuses: ReadonlySet<RunStatus> = new Set<RunStatus>(['Failed', 'Timeout', 'Error']);

function secondsOf({ status, startTime, finishTime }: Run): number | undefined {
  if (!isFinal(status) || startTime === undefined || finishTime === undefined) return undefined;
  return (Date.parse(finishTime) - Date.parse(startTime)) / 1000;
}

function detailsOf(run: Run): StateDetails {
  const seconds = secondsOf(run);
  const took = seconds === undefined ? {} : { seconds };
  if (!badStatuses.has(run.status)) return took;
  const failed = run.steps.find(isBad);
  if (failed === undefined) return run.status === 'Timeout' ? { ...took, because: 'timed out' } : took;
  const because = describeStep(failed);
  return { ...took, step: failed.id, ...(because !== undefined && { because }) };
}

function statusOf(run: Run, commit: string, url: string): CommitStatus {
  const state = states[run.status];
  const targetUrl = `${url}/runs/${run.runId}`;
  return { state, commit, task: run.task ?? '', targetUrl, description: describeState(state, detailsOf(run)) };
}

function apiUrlOf({ trigger }: Task, cause: SourceCause): string | undefined {
  return trigger.sourceTriggers.find(({ name }) => name === cause.trigger)?.sourceRepository.apiUrl;
}

/** The forge with the task's token; a sentence where there is nothing to report with. */
async function findForge(deps: StatusReportsDeps, run: Run, cause: SourceCause): Promise<ForgeClient | string> {
  const task = run.task === undefined ? undefined : await deps.tasks.get(run.task);
  if (task === undefined) return 'its task is gone';
  const secrets = deps.openSecrets(task.sealedSecrets);
  const token = secrets.sources[cause.trigger] ?? secrets.context;
  if (token === undefined) return `the trigger ${cause.trigger} has no token for the forge`;
  const provider = gitProviderNames.find((name) => name === cause.providerType) ?? 'generic';
  try {
    const apiUrl = apiUrlOf(task, cause);
    return openForge({ provider, url: cause.repositoryUrl, ...(apiUrl !== undefined && { apiUrl }) }, { token });
  } catch (error) {
    if (error instanceof FailureError) return error.failure.message;
    throw error;
  }
}

async function reportLatest(deps: StatusReportsDeps, first: Run, forge: ForgeClient, commit: string): Promise<void> {
  const reporter = createCommitStatusReporter(forge, deps.send);
  let run = first;
  for (let reports = 1; reports <= mostReports; reports += 1) {
    const result = await reporter.report(statusOf(run, commit, deps.url));
    if (result.verdict === 'gone') {
      deps.onDropped(run.runId, result.because);
      return;
    }
    if (result.verdict === 'retry') throw fail('source-unavailable', `the commit status waits: ${result.because}`);
    const now = await deps.runs.get(run.runId);
    if (now === undefined || states[now.status] === states[run.status]) return;
    run = now;
  }
}

/**
 * Makes the listener that puts the state of runs on the commits that they build: of runs that a git event started, where the task has a
 * token for the forge. What is reported is the state that the run has then, whatever the notice says, so that notices may come late, twice
 * or in any order. Rejects where it is to be called again later.
 */
export function createStatusReports(deps: StatusReportsDeps): (notice: Pick<RunNotice, 'runId'>) => Promise<void> {
  return async ({ runId }) => {
    const run = await deps.runs.get(runId);
    const cause = run?.cause;
    if (run === undefined || cause?.kind !== 'source' || cause.commitId === undefined) return;
    const forge = await findForge(deps, run, cause);
    if (typeof forge === 'string') deps.onDropped(runId, forge);
    else await reportLatest(deps, run, forge, cause.commitId);
  };
}
