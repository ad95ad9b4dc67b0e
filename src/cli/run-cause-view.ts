import type { RunView } from './api-types.ts';

/** The word for what started a run, as az has it: the event of a repository, Timer, Image Update, Manual (azure-api.md §6.3). */
export function nameCause({ sourceTrigger, timerTrigger, imageUpdateTrigger, cause }: RunView): string {
  if (cause?.kind === 'scan') return 'Scan';
  if (sourceTrigger !== undefined) return sourceTrigger.eventType;
  if (timerTrigger !== undefined) return 'Timer';
  return imageUpdateTrigger === undefined ? 'Manual' : 'Image Update';
}

type Source = NonNullable<RunView['sourceTrigger']>;

function describeSource({ eventType, commitId, pullRequestId, branchName, tagName, repositoryUrl }: Source): string {
  const where = [
    ...(pullRequestId === undefined ? [] : [`#${pullRequestId}`]),
    ...(branchName === undefined ? [] : [branchName]),
    ...(tagName === undefined ? [] : [tagName]),
    ...(commitId === undefined ? [] : [commitId.slice(0, 12)]),
  ];
  const of = repositoryUrl === undefined ? '' : ` of ${repositoryUrl}`;
  return `${[eventType, ...where].join(' ')}${of}`;
}

function describeImages({ images }: NonNullable<RunView['imageUpdateTrigger']>): string {
  const names = images.map(({ registry, repository, tag }) =>
    [registry === undefined ? '' : `${registry}/`, repository, tag === undefined ? '' : `:${tag}`].join(''),
  );
  return `changed base image ${names.join(', ')}`;
}

function describeScan({ image }: NonNullable<RunView['cause']>): string {
  if (image === undefined) return 'scan';
  return `scan of ${image.repository}${image.tag === undefined ? `@${image.digest}` : `:${image.tag}`}`;
}

function describeTrigger({ sourceTrigger, timerTrigger, imageUpdateTrigger, cause }: RunView): string | undefined {
  if (sourceTrigger !== undefined) return describeSource(sourceTrigger);
  if (timerTrigger !== undefined) return `timer ${timerTrigger.timerTriggerName} at ${timerTrigger.scheduleOccurrence}`;
  if (cause?.kind === 'scan') return describeScan(cause);
  const campaign = cause?.campaign === undefined ? '' : `, campaign ${cause.campaign}`;
  return imageUpdateTrigger === undefined ? undefined : `${describeImages(imageUpdateTrigger)}${campaign}`;
}

function describeAgain(rerunOf: string, isFromFailed: boolean): string {
  return isFromFailed ? `, going on from where ${rerunOf} failed` : `, again what ${rerunOf} was`;
}

/** What started a run, for people: `commit main 0123456789ab of https://… by ann`. Undefined when it is not known. */
export function describeCause(run: RunView): string | undefined {
  const { cause } = run;
  const what = describeTrigger(run) ?? (cause === undefined ? undefined : 'by hand');
  if (what === undefined) return undefined;
  const who = cause?.by === undefined ? '' : `, by ${cause.by}`;
  const again = cause?.rerunOf === undefined ? '' : describeAgain(cause.rerunOf, cause.fromFailed === true);
  const trust = cause?.isTrusted === false ? ', not trusted: without secrets and pushes' : '';
  return `${what}${who}${again}${trust}`;
}
