import type { Request, RequestHandler, Router } from 'express';
import { fail } from '../../domain/failure.ts';
import type {
  AccessDesk,
  NewPassword,
  PasswordMaker,
  PasswordOrder,
  RecordDesk,
  ScopeMapBody,
} from '../../domain/registry-access.ts';
import { callerOf } from '../middleware/authenticate.ts';
import { readJson } from '../middleware/json-body.ts';
import { addRoute } from '../middleware/methods.ts';
import type { AppConfig, AppOptions } from '../options.ts';
import {
  nameOfId,
  readServicePrincipalBody,
  readTokenBody,
  scopeMapDocument,
  servicePrincipalDocument,
  tokenDocument,
  type ServicePrincipalProperties,
  type TokenProperties,
} from '../registry-access-document.ts';
import { createBodyCheck } from '../schema.ts';

/** One kind of records as the API has it. */
interface Resource<Kept, Body> {
  readonly path: string;
  /** For people. */
  readonly what: string;
  readonly schema: string;
  readonly desk: RecordDesk<Kept, Body>;
  readonly read: (properties: object) => Body;
  readonly describe: (kept: Kept) => object;
}

function readName(request: Request): string {
  return String(request.params['name']);
}

function noSuch(what: string, name: string): Error {
  return fail('not-found', `there is no ${what} "${name.slice(0, 100)}"`);
}

function createWriter<Kept, Body>(resource: Resource<Kept, Body>, verb: 'put' | 'update'): RequestHandler {
  const { schema, desk, read, describe } = resource;
  const check = createBodyCheck(schema, verb === 'put' ? 'whole' : 'partial');
  return async (request, response) => {
    const { properties = {} } = check(request.body ?? {}) as { readonly properties?: object };
    response.json(describe(await desk[verb](readName(request), read(properties), callerOf(response).name)));
  };
}

function addResource<Kept, Body>(router: Router, resource: Resource<Kept, Body>): void {
  const { path, what, desk, describe } = resource;
  addRoute(router, path, {
    get: (_request, response) => {
      response.json({ value: desk.list().map(describe) });
    },
  });
  addRoute(router, `${path}/:name`, {
    get: (request, response) => {
      const found = desk.get(readName(request));
      if (found === undefined) throw noSuch(what, readName(request));
      response.json(describe(found));
    },
    put: [...readJson, createWriter(resource, 'put')],
    patch: [...readJson, createWriter(resource, 'update')],
    delete: async (request, response) => {
      const name = readName(request);
      if (!(await desk.delete(name, callerOf(response).name))) throw noSuch(what, name);
      response.status(204).end();
    },
  });
}

interface GenerateBody extends PasswordOrder {
  readonly tokenId?: string;
}

/** Makes passwords, which this answer alone shows. `holder`: whose; undefined: the body's `tokenId` says. */
function createGenerator(desk: PasswordMaker, holder?: (request: Request) => string): RequestHandler {
  const check = createBodyCheck('api/generate-credentials');
  return async (request, response) => {
    const { tokenId, ...order } = check(request.body ?? {}) as GenerateBody;
    const name = holder === undefined ? nameOfId(tokenId ?? '') : holder(request);
    if (name === '') throw fail('invalid-request', 'tokenId is missing', { field: 'tokenId' });
    const passwords: readonly NewPassword[] = await desk.generate(name, order, callerOf(response).name);
    response.set('cache-control', 'no-store').json({ username: name, passwords });
  };
}

function addRecords(router: Router, access: AccessDesk, config: AppConfig): void {
  addResource(router, {
    path: '/scopeMaps',
    what: 'scope map',
    schema: 'api/scope-map',
    desk: access.scopeMaps,
    read: (properties) => properties as ScopeMapBody,
    describe: (map) => scopeMapDocument(config, map),
  });
  addResource(router, {
    path: '/tokens',
    what: 'token',
    schema: 'api/registry-token',
    desk: access.tokens,
    read: (properties) => readTokenBody(properties as TokenProperties),
    describe: (token) => tokenDocument(config, token),
  });
  addResource(router, {
    path: '/servicePrincipals',
    what: 'service principal',
    schema: 'api/service-principal',
    desk: access.servicePrincipals,
    read: (properties) => readServicePrincipalBody(properties as ServicePrincipalProperties),
    describe: (principal) => servicePrincipalDocument(config, principal),
  });
}

/** Scope maps, tokens, service principals and their passwords. */
export function addRegistryAccessRoutes(router: Router, { access, config }: AppOptions): void {
  if (!access) return;
  addRecords(router, access, config);
  addRoute(router, '/generateCredentials', { post: [...readJson, createGenerator(access.tokens)] });
  addRoute(router, '/servicePrincipals/:name/generateCredentials', {
    post: [...readJson, createGenerator(access.servicePrincipals, readName)],
  });
}
