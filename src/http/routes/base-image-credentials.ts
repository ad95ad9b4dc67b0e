import type { Request, RequestHandler, Router } from 'express';
import { fail } from '../../domain/failure.ts';
import { isRegistryHost } from '../../domain/image-reference.ts';
import { registryOf } from '../../patch/poll/intervals.ts';
import { callerOf } from '../middleware/authenticate.ts';
import { readJson } from '../middleware/json-body.ts';
import { addRoute } from '../middleware/methods.ts';
import type { AppOptions, BaseImageCredentialDesk } from '../options.ts';
import { createBodyCheck } from '../schema.ts';

/** The body of PUT baseImages/credentials/{registry} as `schemas/api/base-image-credential.schema.json` has it. */
interface CredentialBody {
  readonly username: string;
  readonly password: string;
}

/** The registry that the path names, as images name it. */
function readRegistry(request: Request): string {
  const host = String(request.params['registry']);
  if (host.length <= 255 && isRegistryHost(host)) return registryOf(host);
  throw fail('invalid-request', 'registry is no host of a registry', {
    field: 'registry',
    hint: 'write it as image names begin: docker.io, ghcr.io, registry.example.com:5000',
  });
}

/** `PUT …/baseImages/credentials/{registry}`: sets it, whether or not there was one. */
function createPutHandler(desk: BaseImageCredentialDesk): RequestHandler {
  const check = createBodyCheck('api/base-image-credential');
  return async (request, response) => {
    const registry = readRegistry(request);
    const { username: userName, password } = check(request.body ?? {}) as CredentialBody;
    response.json(await desk.set(registry, { userName, password }, callerOf(response).name));
  };
}

/** `DELETE …/baseImages/credentials/{registry}` */
function createDeleteHandler(desk: BaseImageCredentialDesk): RequestHandler {
  return async (request, response) => {
    const registry = readRegistry(request);
    if (!(await desk.remove(registry, callerOf(response).name)))
      throw fail('not-found', `no credential is set for ${registry}`);
    response.status(204).end();
  };
}

/** What other registries are asked with about base images, for tasks that bring nothing of their own; never a part of it is shown. */
export function addBaseImageCredentialRoutes(router: Router, { baseImageCredentials: desk }: AppOptions): void {
  if (!desk) return;
  addRoute(router, '/baseImages/credentials', {
    get: async (_request, response) => {
      response.json({ value: await desk.list() });
    },
  });
  addRoute(router, '/baseImages/credentials/:registry', {
    put: [...readJson, createPutHandler(desk)],
    delete: createDeleteHandler(desk),
  });
}
