import { Router } from 'express';
import { toFailure } from '../../domain/failure.ts';
import { addRoute } from '../middleware/methods.ts';
import type { AppOptions } from '../options.ts';

type CheckResult = { readonly ok: true } | { readonly ok: false; readonly reason: string };

const checkMs = 3000;

async function runCheck(check: () => Promise<void>): Promise<CheckResult> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<CheckResult>((resolve) => {
    timer = setTimeout(() => resolve({ ok: false, reason: `no answer within ${checkMs / 1000} s` }), checkMs);
  });
  const answer = check().then(
    (): CheckResult => ({ ok: true }),
    (error: unknown): CheckResult => ({ ok: false, reason: toFailure(error).message }),
  );
  try {
    return await Promise.race([answer, late]);
  } finally {
    clearTimeout(timer);
  }
}

/** `/healthz`: the process answers. `/readyz`: everything that it stands on does; 503 with what does not. */
export function createHealthRouter(options: Pick<AppOptions, 'checks'>): Router {
  const router = Router({ caseSensitive: true });
  addRoute(router, '/healthz', {
    get: (_request, response) => {
      response.json({ status: 'ok' });
    },
  });
  addRoute(router, '/readyz', {
    get: async (_request, response) => {
      const entries = Object.entries(options.checks);
      const results = await Promise.all(entries.map(async ([name, check]) => [name, await runCheck(check)] as const));
      const isReady = results.every(([, result]) => result.ok);
      response.status(isReady ? 200 : 503).json({
        status: isReady ? 'ready' : 'not ready',
        checks: Object.fromEntries(results),
      });
    },
  });
  return router;
}
