import { createHash } from 'node:crypto';
import { eventOfEnd, type NotificationEvent } from '../../domain/notification.ts';
import { isFinal, type Run } from '../../domain/run.ts';
import type { RunNotice } from '../../queue/ports.ts';

/** A CloudEvent in structured mode (CloudEvents 1.0, JSON event format). */
export interface CloudEvent {
  readonly specversion: '1.0';
  readonly id: string;
  readonly source: string;
  readonly type: string;
  readonly subject?: string;
  /** ISO 8601. */
  readonly time: string;
  readonly datacontenttype: 'application/json';
  readonly data: object;
}

/** What is sent with every event. */
export const cloudEventType = 'application/cloudevents+json; charset=utf-8';

/** The event that a notice is of; undefined: the run is not over, so its end cannot be told. */
export function eventOf({ kind }: RunNotice, run: Run): NotificationEvent | undefined {
  if (kind !== 'ended') return `run.${kind}`;
  return isFinal(run.status) ? eventOfEnd(run.status) : undefined;
}

function timeOf({ kind }: RunNotice, run: Run): string {
  if (kind === 'queued') return run.createTime;
  return (kind === 'started' ? run.startTime : run.finishTime) ?? run.lastUpdatedTime;
}

/** The same for the same thing, and another one when run numbers begin anew. */
function idOf(source: string, { kind, attempt }: RunNotice, { runId, createTime }: Run): string {
  const text = JSON.stringify([source, runId, createTime, kind, attempt]);
  return `msg_${createHash('sha256').update(text).digest('hex').slice(0, 32)}`;
}

export interface EventSource {
  /** The installation, as a URI. */
  readonly source: string;
  /** What is told of a run: no secrets. */
  readonly describeRun: (run: Run) => object;
}

/** The event that tells of a notice: type `dev.slipway.run.failed` and the like, subject `runs/<id>`. */
export function runCloudEvent(
  event: NotificationEvent,
  notice: RunNotice,
  { run, source, describeRun }: EventSource & { readonly run: Run },
): CloudEvent {
  return {
    specversion: '1.0',
    id: idOf(source, notice, run),
    source,
    type: `dev.slipway.${event}`,
    subject: `runs/${run.runId}`,
    time: timeOf(notice, run),
    datacontenttype: 'application/json',
    data: describeRun(run),
  };
}

/** An event that says nothing but that deliveries arrive. */
export function pingCloudEvent(source: string, id: string, { time, name }: { time: string; name: string }): CloudEvent {
  return {
    specversion: '1.0',
    id,
    source,
    type: 'dev.slipway.ping',
    subject: `notifications/${name}`,
    time,
    datacontenttype: 'application/json',
    data: { notification: name },
  };
}
