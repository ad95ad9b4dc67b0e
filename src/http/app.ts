import type { RequestListener } from 'node:http';
import express from 'express';
import { fail } from '../domain/failure.ts';
import { requireCaller } from './middleware/authenticate.ts';
import { logRequests } from './middleware/log-requests.ts';
import { assignRequestId } from './middleware/request-id.ts';
import { setSecurityHeaders } from './middleware/security-headers.ts';
import { writeErrors } from './middleware/write-error.ts';
import type { AppOptions } from './options.ts';
import { createHealthRouter } from './routes/health.ts';
import { createHooksHandler } from './routes/hooks.ts';
import { createLogLinkRouter } from './routes/log.ts';
import { createRegistryHook } from './routes/registry-hook.ts';
import { createResourceRouter } from './routes/resources.ts';
import { createUploadsRouter } from './routes/uploads.ts';

function createExpressApp(options: AppOptions): RequestListener {
  const app = express();
  app.disable('x-powered-by');
  app.disable('etag');
  app.enable('case sensitive routing');
  app.use(assignRequestId(options.newId), logRequests(options.log, options.clock), setSecurityHeaders);
  app.use(createHealthRouter(options));
  app.use('/uploads', createUploadsRouter(options));
  app.use('/logs', createLogLinkRouter(options));
  app.use('/api/v1', requireCaller(options.authenticate), createResourceRouter(options));
  app.use((request) => {
    throw fail('not-found', `there is nothing at ${request.path.slice(0, 200)}`, {
      hint: 'the API lies under /api/v1',
    });
  });
  app.use(writeErrors(options.log));
  return app;
}

/** The API as a request handler: webhooks, health, signed URLs, and the resources behind an account. Listens on nothing by itself. */
export function createApp(options: AppOptions): RequestListener {
  const app = createExpressApp(options);
  const hooks = [
    ...(options.hooks ? [createHooksHandler(options, options.hooks)] : []),
    ...(options.registryHook ? [createRegistryHook(options, options.registryHook)] : []),
  ];
  return (request, response) => {
    if (!hooks.some((take) => take(request, response))) app(request, response);
  };
}
