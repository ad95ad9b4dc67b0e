/** Where a run is, as a commit shows it. */
export type CommitState = 'queued' | 'running' | 'success' | 'failure' | 'error' | 'canceled';

/** What is reported of one run of one task. */
export interface CommitStatus {
  readonly state: CommitState;
  /** The full commit id. */
  readonly commit: string;
  readonly task: string;
  /** The run's page. */
  readonly targetUrl: string;
  /** See {@link describeState}; what is longer than forges take is cut. */
  readonly description: string;
}

/** What makes up a description. */
export interface StateDetails {
  /** The step that failed. */
  readonly step?: string;
  /** Why, in a few words: `exit code 3`. */
  readonly because?: string;
  readonly seconds?: number;
}

/** GitHub's limit, the lowest of all (its docs: "Create a commit status"). */
const maxDescription = 140;

/** The name under which a task's states replace one another on a commit. */
export function contextOf(task: string): string {
  return `slipway/${task}`;
}

/** A state in at most 140 characters: `Step test failed: exit code 3`. */
export function describeState(state: CommitState, { step, because, seconds }: StateDetails = {}): string {
  const took = seconds === undefined ? '' : ` after ${String(Math.round(seconds))} s`;
  const why = because === undefined ? '' : `: ${because}`;
  const of = (alone: string, ofStep: string): string => (step === undefined ? alone : ofStep.replace('#', () => step));
  const texts: Readonly<Record<CommitState, string>> = {
    queued: `Queued${why}`,
    running: of('Running', 'Running step #'),
    success: `Succeeded${took}`,
    failure: `${of('Failed', 'Step # failed')}${took}${why}`,
    error: `${of('Could not be run', 'Step # could not be run')}${why}`,
    canceled: `Canceled${took}${why}`,
  };
  return cutDescription(texts[state]);
}

/** One line of at most 140 characters, by whole characters. */
export function cutDescription(text: string): string {
  const line = Array.from(text.slice(0, 2000).replace(/\s+/g, ' ').trim());
  return line.length <= maxDescription ? line.join('') : `${line.slice(0, maxDescription - 1).join('')}…`;
}
