import { Router, type Request, type RequestHandler, type Response } from 'express';
import { createEventRenderer } from '../../domain/event-text.ts';
import type { Run } from '../../domain/run.ts';
import { followEvents, readEvents } from '../event-source.ts';
import { openLiveResponse } from '../live-response.ts';
import { addRoute } from '../middleware/methods.ts';
import type { AppOptions } from '../options.ts';
import { readFlag } from '../query.ts';
import { checkSignature, signPath } from '../signed-url.ts';
import { findRun } from './run-lookup.ts';
import { findWaiting } from './waiting.ts';

type Options = Pick<AppOptions, 'archive' | 'clock' | 'config' | 'queue' | 'signer' | 'store'>;

/** How long a log link is good. */
const linkMs = 24 * 3600 * 1000;

/** Writes a run's log as text, a line each; with `follow` until the run has ended. */
async function writeLog(options: Options, run: Run, request: Request, response: Response): Promise<void> {
  const follow = readFlag(request, 'follow');
  const waiting = await findWaiting(options, run);
  response.status(200).set('Content-Type', 'text/plain; charset=utf-8');
  if (request.method === 'HEAD') {
    response.end();
    return;
  }
  const live = openLiveResponse(response);
  const render = createEventRenderer(run.runId);
  const from = { after: 0, signal: live.signal };
  const events = follow ? followEvents(options, run, from) : readEvents(options, run, 0);
  for await (const event of events) {
    if (live.signal.aborted) return;
    const line = render(event);
    if (line !== undefined) await live.write(`${line}\n`);
    if (event.kind === 'run-queued' && waiting !== undefined)
      await live.write(`Waiting for a worker: ${waiting.reason}\n`);
  }
  live.end();
}

/** `GET …/runs/{id}/log[?follow=true]` */
export function createLogHandler(options: Options): RequestHandler {
  return async (request, response) => {
    await writeLog(options, await findRun(request, options.store), request, response);
  };
}

function linkPath(id: string): string {
  return `/logs/${id}/rawtext.log`;
}

/** `POST …/runs/{id}/listLogSasUrl`: a URL that reads the log, and nothing else, without an account. */
export function createLogLinkHandler(options: Options): RequestHandler {
  return async (request, response) => {
    const { runId } = await findRun(request, options.store);
    const path = linkPath(runId);
    const signature = signPath(options.signer, 'log', path, options.clock.now() + linkMs);
    response.json({ logLink: `${options.config.url}${path}?sig=${signature}` });
  };
}

/** The route behind a log link: the URL's signature is the right. */
export function createLogLinkRouter(options: Options): Router {
  const router = Router({ caseSensitive: true });
  const handler: RequestHandler = async (request, response) => {
    const given = { sig: request.query['sig'], now: options.clock.now() };
    checkSignature(options.signer, 'log', linkPath(String(request.params['id'])), given);
    await writeLog(options, await findRun(request, options.store), request, response);
  };
  addRoute(router, '/:id/rawtext.log', { get: handler });
  return router;
}
