import { Router } from 'express';
import { registryDocument } from '../documents.ts';
import { readJson } from '../middleware/json-body.ts';
import { addRoute } from '../middleware/methods.ts';
import type { AppOptions } from '../options.ts';
import { addBaseImageCredentialRoutes } from './base-image-credentials.ts';
import { addBaseImageRoutes } from './base-images.ts';
import { addCampaignRoutes } from './campaigns.ts';
import { createEventsHandler } from './events.ts';
import { createLogHandler, createLogLinkHandler } from './log.ts';
import { addNotificationRoutes } from './notifications.ts';
import { addRegistryAccessRoutes } from './registry-access.ts';
import { addAdminCredentialRoutes } from './registry-credential.ts';
import { addRegistryUpkeepRoutes } from './registry-upkeep.ts';
import { addRegistryCareRoutes } from './registry-care.ts';
import { addRegistryImportRoutes } from './registry-import.ts';
import { addRegistryTrustRoutes } from './registry-trust.ts';
import { createRerunHandler } from './rerun.ts';
import { createCancelHandler, createRunHandler, createRunsHandler, createRunUpdateHandler } from './runs.ts';
import { createScheduleHandler } from './schedule.ts';
import { createSecretDeleteHandler, createSecretHandler, createSecretsHandler } from './secrets.ts';
import {
  createSecretRotationHandler,
  createTaskDeleteHandler,
  createTaskDetailsHandler,
  createTaskHandler,
  createTaskPatchHandler,
  createTaskPutHandler,
  createTasksHandler,
} from './tasks.ts';
import { createUploadUrlHandler } from './uploads.ts';
import { createDeliveriesHandler, createDeliveryHandler, createRedeliverHandler } from './webhook-deliveries.ts';
import { addWebhookRoutes } from './webhooks.ts';
import { createWebhookSetupHandler } from './webhook-setup.ts';

function addTaskRoutes(router: Router, options: AppOptions): void {
  addRoute(router, '/tasks', { get: createTasksHandler(options) });
  addRoute(router, '/tasks/:name', {
    get: createTaskHandler(options),
    put: [...readJson, createTaskPutHandler(options)],
    patch: [...readJson, createTaskPatchHandler(options)],
    delete: createTaskDeleteHandler(options),
  });
  addRoute(router, '/tasks/:name/listDetails', { post: createTaskDetailsHandler(options) });
  addRoute(router, '/tasks/:name/regenerateWebhookSecret', { post: createSecretRotationHandler(options) });
  addRoute(router, '/tasks/:name/setUpWebhook', { post: [...readJson, createWebhookSetupHandler(options)] });
}

/**
 * The resources, as documents of the Azure resource API (azure-api.md §6). Knows nothing of where it is mounted; whoever mounts it has
 * checked the caller.
 */
export function createResourceRouter(options: AppOptions): Router {
  const router = Router({ caseSensitive: true });
  addRoute(router, '/', {
    get: (_request, response) => {
      response.json(registryDocument(options.config));
    },
  });
  addRoute(router, '/listBuildSourceUploadUrl', { post: createUploadUrlHandler(options) });
  addRoute(router, '/scheduleRun', { post: [...readJson, createScheduleHandler(options)] });
  addRoute(router, '/runs', { get: createRunsHandler(options) });
  addRoute(router, '/runs/:id', {
    get: createRunHandler(options),
    patch: [...readJson, createRunUpdateHandler(options)],
  });
  addRoute(router, '/runs/:id/cancel', { post: createCancelHandler(options) });
  addRoute(router, '/runs/:id/listLogSasUrl', { post: createLogLinkHandler(options) });
  addRoute(router, '/runs/:id/log', { get: createLogHandler(options) });
  addRoute(router, '/runs/:id/events', { get: createEventsHandler(options) });
  addRoute(router, '/runs/:id/rerun', { post: [...readJson, createRerunHandler(options)] });
  addTaskRoutes(router, options);
  addNotificationRoutes(router, options);
  addWebhookRoutes(router, options);
  addRegistryAccessRoutes(router, options);
  addRegistryCareRoutes(router, options);
  addRegistryUpkeepRoutes(router, options);
  addRegistryImportRoutes(router, options);
  addAdminCredentialRoutes(router, options);
  addRegistryTrustRoutes(router, options);
  addBaseImageRoutes(router, options);
  addBaseImageCredentialRoutes(router, options);
  addCampaignRoutes(router, options);
  addRoute(router, '/webhookDeliveries', { get: createDeliveriesHandler(options) });
  addRoute(router, '/webhookDeliveries/:id', { get: createDeliveryHandler(options) });
  addRoute(router, '/webhookDeliveries/:id/redeliver', { post: createRedeliverHandler(options) });
  addRoute(router, '/secrets', { get: createSecretsHandler(options) });
  addRoute(router, '/secrets/:name', {
    put: [...readJson, createSecretHandler(options)],
    delete: createSecretDeleteHandler(options),
  });
  addRoute(router, '/workers', {
    get: async (_request, response) => {
      response.json({ value: await options.store.workers.list() });
    },
  });
  return router;
}
