import type { RequestHandler, Response } from 'express';
import type { Run } from '../../domain/run.ts';
import type { RunPage } from '../../store/ports.ts';
import { runDocument } from '../documents.ts';
import { callerOf } from '../middleware/authenticate.ts';
import { parseFilter } from '../odata.ts';
import type { AppOptions } from '../options.ts';
import { cancelRun } from '../../trigger/cancel.ts';
import { formatNextLink, readSkipToken } from '../paging.ts';
import { parseWhole, readQuery } from '../query.ts';
import { createBodyCheck } from '../schema.ts';
import { findRun, readRunId, requireRun } from './run-lookup.ts';
import { findWaiting } from './waiting.ts';

type Options = Pick<AppOptions, 'clock' | 'config' | 'log' | 'notices' | 'queue' | 'signer' | 'store'>;

const pageRuns = 100;
const maxTop = 1000;

/** Answers with a run's document. */
export async function sendRun(options: Options, run: Run, response: Response): Promise<void> {
  response.json(runDocument(options.config.name, run, await findWaiting(options, run)));
}

/** `GET …/runs/{id}` */
export function createRunHandler(options: Options): RequestHandler {
  return async (request, response) => {
    await sendRun(options, await findRun(request, options.store), response);
  };
}

type RunQuery = Parameters<Options['store']['runs']['list']>[0];

/** A page as the store gives it, or with `fill` as long as it was asked for: the store may give short ones. */
async function listRuns({ store }: Options, query: RunQuery, fill: boolean): Promise<RunPage> {
  let page = await store.runs.list(query);
  while (fill && page.runs.length < query.limit && page.next !== undefined) {
    const limit = query.limit - page.runs.length;
    const { runs, next } = await store.runs.list({ ...query, limit, after: page.next });
    page = { runs: [...page.runs, ...runs], ...(next !== undefined && { next }) };
  }
  return page;
}

/**
 * `GET …/runs?$top&$filter&$skiptoken`, newest first. With `$top` there is no link to a next page, because Azure's clients would
 * follow it beyond the number that they were asked for (azure-api.md §5).
 */
export function createRunsHandler(options: Options): RequestHandler {
  return async (request, response) => {
    const top = readQuery(request, '$top');
    const limit = top === undefined ? pageRuns : parseWhole(top, '$top', [1, maxTop]);
    const conditions = parseFilter(readQuery(request, '$filter') ?? '');
    const from = readSkipToken(request, options);
    const { runs, next } = await listRuns(options, { conditions, limit, ...from }, top !== undefined);
    const hasLink = next !== undefined && top === undefined;
    response.json({
      value: runs.map((run) => runDocument(options.config.name, run)),
      ...(hasLink && { nextLink: formatNextLink(request, next, options, ['$filter']) }),
    });
  };
}

/** `PATCH …/runs/{id}` with `{isArchiveEnabled}` */
export function createRunUpdateHandler(options: Options): RequestHandler {
  const check = createBodyCheck('api/run-update');
  return async (request, response) => {
    const { isArchiveEnabled } = check(request.body ?? {}) as { readonly isArchiveEnabled?: boolean };
    const id = readRunId(request);
    const change =
      isArchiveEnabled === undefined
        ? options.store.runs.get(id)
        : options.store.runs.setArchived(id, isArchiveEnabled);
    await sendRun(options, requireRun(await change, id), response);
  };
}

/** `POST …/runs/{id}/cancel`: answers at once with an empty body; no effect on a run that is over. */
export function createCancelHandler(options: Options): RequestHandler {
  return async (request, response) => {
    const id = readRunId(request);
    const { store, queue, notices, log } = options;
    const onWarning = (message: string, error: unknown): void => {
      log.warn({ err: error, runId: id }, message);
    };
    requireRun(await cancelRun({ runs: store.runs, queue, notices, onWarning }, id, callerOf(response).name), id);
    response.status(200).end();
  };
}
