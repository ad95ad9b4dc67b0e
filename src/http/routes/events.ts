import type { Request, RequestHandler } from 'express';
import type { SequencedEvent } from '../../domain/event.ts';
import { isFinal, type Run } from '../../domain/run.ts';
import { followEvents, readEvents } from '../event-source.ts';
import { openLiveResponse, type LiveResponse } from '../live-response.ts';
import type { AppOptions } from '../options.ts';
import { parseWhole, readQuery } from '../query.ts';
import { findRun } from './run-lookup.ts';

type Options = Pick<AppOptions, 'archive' | 'config' | 'log' | 'store'>;

const defaultHeartbeatMs = 15_000;

/** The last event that the client has: `Last-Event-ID`, which a reconnecting client sends, goes before `?after=`. */
function readAfter(request: Request): number {
  const header = request.get('last-event-id');
  const range = [0, Number.MAX_SAFE_INTEGER] as const;
  if (header !== undefined && header !== '') return parseWhole(header, 'Last-Event-ID', range);
  return parseWhole(readQuery(request, 'after') ?? '0', 'after', range);
}

/** One event in the form of server-sent events (WHATWG HTML, 9.2). */
function formatEvent(event: SequencedEvent): string {
  return `id: ${event.seq}\nevent: ${event.kind}\ndata: ${JSON.stringify(event)}\n\n`;
}

async function writeAll(events: AsyncIterable<SequencedEvent>, live: LiveResponse): Promise<number | undefined> {
  let last: number | undefined;
  for await (const event of events) {
    if (live.signal.aborted) return last;
    await live.write(formatEvent(event));
    last = event.seq;
  }
  return last;
}

/**
 * At each beat, a sign of life is sent; and a run that turns out to be over ends the following, should its last event never come this
 * way (a client that asked for what lies beyond the end, a log that was let go).
 */
function startHeart(options: Options, run: Run, live: LiveResponse): { readonly over: AbortSignal; stop(): void } {
  const over = new AbortController();
  const beat = async (): Promise<void> => {
    live.writeIfIdle(': still here\n\n');
    const now = await options.store.runs.get(run.runId);
    if (now === undefined || isFinal(now.status)) over.abort();
  };
  const timer = setInterval(() => {
    beat().catch((error: unknown) => {
      options.log.warn({ err: error, runId: run.runId }, 'could not look after a followed run');
    });
  }, options.config.heartbeatMs ?? defaultHeartbeatMs);
  return {
    over: over.signal,
    stop: () => {
      clearInterval(timer);
    },
  };
}

async function stream(options: Options, run: Run, after: number, live: LiveResponse): Promise<void> {
  const heart = startHeart(options, run, live);
  try {
    const signal = AbortSignal.any([live.signal, heart.over]);
    const last = (await writeAll(followEvents(options, run, { after, signal }), live)) ?? after;
    const now = (await options.store.runs.get(run.runId)) ?? run;
    if (isFinal(now.status)) {
      await writeAll(readEvents(options, now, last), live);
      await live.write(`event: end\ndata: ${JSON.stringify({ runId: now.runId, status: now.status })}\n\n`);
    }
    live.end();
  } finally {
    heart.stop();
  }
}

/**
 * `GET …/runs/{id}/events`: a run's events as server-sent events, from the beginning or from behind the one that the client has, until
 * `event: end`. When the stream ends without it, the client connects again with the last id it saw, and misses nothing.
 */
export function createEventsHandler(options: Options): RequestHandler {
  return async (request, response) => {
    const after = readAfter(request);
    const run = await findRun(request, options.store);
    response.status(200).set({ 'Content-Type': 'text/event-stream; charset=utf-8', 'X-Accel-Buffering': 'no' });
    if (request.method === 'HEAD') response.end();
    else await stream(options, run, after, openLiveResponse(response));
  };
}
