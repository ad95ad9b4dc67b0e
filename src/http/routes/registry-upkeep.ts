import type { RequestHandler, Response, Router } from 'express';
import type { CheckOrder, CollectionOrder, RegistryUpkeep } from '../../domain/registry-upkeep.ts';
import { readJson } from '../middleware/json-body.ts';
import { addRoute } from '../middleware/methods.ts';
import type { AppOptions } from '../options.ts';
import { createBodyCheck } from '../schema.ts';

/** What a check reads a second unless it is told otherwise: pushes and pulls go first. */
const usualBytesPerSecond = 100 * 1024 * 1024;

/** Writes a line, and waits while the receiver does not take more. */
async function writeLine(response: Response, line: object): Promise<void> {
  if (response.write(`${JSON.stringify(line)}\n`) || response.destroyed) return;
  await new Promise<void>((resolve) => {
    const go = (): void => {
      response.off('drain', go).off('close', go);
      resolve();
    };
    response.on('drain', go).on('close', go);
  });
}

/** Findings and progress as they come, one JSON document a line; an error in the middle is the last line. */
function createCheckHandler(upkeep: RegistryUpkeep): RequestHandler {
  const check = createBodyCheck('api/registry-check');
  return async (request, response) => {
    const order = check(request.body ?? {}) as CheckOrder;
    const stopper = new AbortController();
    response.on('close', () => {
      stopper.abort();
    });
    response.set({ 'content-type': 'application/x-ndjson', 'cache-control': 'no-store' }).flushHeaders();
    try {
      const usual = { bytesPerSecond: usualBytesPerSecond, ...order };
      for await (const message of upkeep.check(usual, stopper.signal)) await writeLine(response, message);
    } catch (error) {
      await writeLine(response, {
        is: 'failure',
        message: error instanceof Error ? error.message : 'the check failed',
      });
    }
    response.end();
  };
}

function createCollectHandler(upkeep: RegistryUpkeep): RequestHandler {
  const check = createBodyCheck('api/registry-gc');
  return async (request, response) => {
    response.json(await upkeep.collect(check(request.body ?? {}) as CollectionOrder));
  };
}

/** `POST /registry/gc` and `POST /registry/check`. */
export function addRegistryUpkeepRoutes(router: Router, { upkeep }: AppOptions): void {
  if (!upkeep) return;
  addRoute(router, '/registry/gc', { post: [...readJson, createCollectHandler(upkeep)] });
  addRoute(router, '/registry/check', { post: [...readJson, createCheckHandler(upkeep)] });
}
