import type { Request, Response, Router } from 'express';
import { setTimeout as sleep } from 'node:timers/promises';
import { fail } from '../../domain/failure.ts';
import type { ImportDesk, ImportJob } from '../../domain/registry-import.ts';
import { resourceId } from '../documents.ts';
import { readImportOrder, type ImportBody } from '../import-order.ts';
import { openLiveResponse } from '../live-response.ts';
import { callerOf } from '../middleware/authenticate.ts';
import { readJson } from '../middleware/json-body.ts';
import { addRoute } from '../middleware/methods.ts';
import type { AppConfig, AppOptions } from '../options.ts';
import { createBodyCheck } from '../schema.ts';

/** The words of Azure's long-running operations. */
const statusOf = { running: 'InProgress', succeeded: 'Succeeded', failed: 'Failed' } as const;
const lookEveryMs = 250;
const usualHeartbeatMs = 15_000;

function importDocument({ name }: Pick<AppConfig, 'name'>, job: ImportJob): object {
  const { id, state, startedTime, updatedTime, error, ...properties } = job;
  return {
    id: resourceId(name, 'imports', id),
    name: id,
    status: statusOf[state],
    startTime: startedTime,
    ...(state !== 'running' && { endTime: updatedTime }),
    ...(error && { error: { code: error.reason, message: error.message, ...(error.hint && { hint: error.hint }) } }),
    properties,
  };
}

async function requireImport(imports: ImportDesk, id: string): Promise<ImportJob> {
  const job = await imports.get(id);
  if (job === undefined) throw fail('not-found', `there is no import "${id.slice(0, 100)}"`);
  return job;
}

/** Sends the document each time that it changes, as server-sent events `progress`, the last one as `end`. */
async function stream(
  { imports, config }: Required<Pick<AppOptions, 'imports'>> & AppOptions,
  first: ImportJob,
  response: Response,
) {
  response.set({ 'content-type': 'text/event-stream', 'cache-control': 'no-store' });
  const live = openLiveResponse(response);
  const heartbeat = setInterval(() => {
    live.writeIfIdle(':\n\n');
  }, config.heartbeatMs ?? usualHeartbeatMs);
  try {
    let told = '';
    for (
      let job: ImportJob | undefined = first;
      job !== undefined && !live.signal.aborted;
      job = await imports.get(job.id)
    ) {
      const isOver = job.state !== 'running';
      const text = JSON.stringify(importDocument(config, job));
      if (text !== told) await live.write(`event: ${isOver ? 'end' : 'progress'}\ndata: ${text}\n\n`);
      told = text;
      if (isOver) break;
      await sleep(lookEveryMs);
    }
  } finally {
    clearInterval(heartbeat);
    live.end();
  }
}

/** `POST …/importImage` begins an import, `GET …/imports/{id}` tells how far it is. */
export function addRegistryImportRoutes(router: Router, options: AppOptions): void {
  const { imports, config } = options;
  if (!imports) return;
  const check = createBodyCheck('api/import-image');
  addRoute(router, '/importImage', {
    post: [
      ...readJson,
      async (request: Request, response: Response) => {
        const order = readImportOrder(check(request.body ?? {}) as ImportBody, config);
        const job = await imports.start(order, callerOf(response).name);
        const url = `${config.url}/api/v1/imports/${job.id}`;
        response
          .status(202)
          .set({ location: url, 'azure-asyncoperation': url, 'retry-after': '1' })
          .json(importDocument(config, job));
      },
    ],
  });
  addRoute(router, '/imports/:id', {
    get: async (request, response) => {
      const job = await requireImport(imports, String(request.params['id']));
      const wantsStream = request.accepts(['application/json', 'text/event-stream']) === 'text/event-stream';
      if (wantsStream) await stream({ ...options, imports }, job, response);
      else response.set('cache-control', 'no-store').json(importDocument(config, job));
    },
  });
}
