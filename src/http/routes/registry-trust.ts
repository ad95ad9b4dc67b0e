import type { Request, Response, Router } from 'express';
import { fail } from '../../domain/failure.ts';
import { parseImageReference } from '../../domain/image-reference.ts';
import type { ScanPolicy } from '../../domain/registry-scan.ts';
import type { ScanDesk } from '../../domain/scan-desk.ts';
import type { TrustDesk, TrustPolicy } from '../../domain/registry-trust.ts';
import { resourceId } from '../documents.ts';
import { callerOf } from '../middleware/authenticate.ts';
import { readJson } from '../middleware/json-body.ts';
import { addRoute } from '../middleware/methods.ts';
import type { AppConfig, AppOptions } from '../options.ts';
import { requireRun } from './run-lookup.ts';
import { sendRun } from './runs.ts';

const provisioned = { provisioningState: 'Succeeded' };

function trustPolicyDocument(config: Pick<AppConfig, 'name'>, { name, ...properties }: TrustPolicy): object {
  return {
    id: resourceId(config.name, 'trustPolicies', name),
    name,
    type: 'Microsoft.ContainerRegistry/registries/trustPolicies',
    properties: { ...properties, ...provisioned },
  };
}

function scanPolicyDocument(config: Pick<AppConfig, 'name'>, policy: ScanPolicy): object {
  const { scanner, failOn, ...rest } = policy;
  return {
    id: resourceId(config.name, 'scanPolicies', 'default'),
    name: 'default',
    type: 'Microsoft.ContainerRegistry/registries/scanPolicies',
    properties: {
      ...rest,
      ...scanner,
      ...(failOn !== undefined && { failOn: { ...failOn.limits, uncounted: failOn.uncounted } }),
      ...provisioned,
    },
  };
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** `properties` of a document; what the server itself writes there is not read back. Throws `invalid-request`. */
function readProperties(body: unknown): object {
  const properties: unknown = isObject(body) ? body['properties'] : undefined;
  if (!isObject(properties))
    throw fail('invalid-request', 'properties is missing, or no JSON object', { field: 'properties' });
  const own = ['provisioningState', 'updatedTime'];
  return Object.fromEntries(Object.entries(properties).filter(([name]) => !own.includes(name)));
}

function readImage(body: unknown): string {
  const image: unknown = isObject(body) ? body['image'] : undefined;
  if (typeof image === 'string') return image;
  throw fail('invalid-request', 'image is missing: team/app:v1 or team/app@sha256:…', { field: 'image' });
}

function nameOf(request: Request): string {
  return String(request.params['name']);
}

function noPolicy(name: string): Error {
  return fail('not-found', `there is no trust policy "${name.slice(0, 100)}"`);
}

function addTrustRoutes(router: Router, trust: TrustDesk, config: AppConfig): void {
  addRoute(router, '/registry/trustPolicies', {
    get: (_request, response) => {
      response.json({ value: trust.list().map((policy) => trustPolicyDocument(config, policy)) });
    },
  });
  addRoute(router, '/registry/trustPolicies/:name', {
    get: (request, response) => {
      const found = trust.get(nameOf(request));
      if (found === undefined) throw noPolicy(nameOf(request));
      response.json(trustPolicyDocument(config, found));
    },
    put: [
      ...readJson,
      async (request: Request, response: Response) => {
        const policy = await trust.put(nameOf(request), readProperties(request.body), callerOf(response).name);
        response.json(trustPolicyDocument(config, policy));
      },
    ],
    delete: async (request, response) => {
      if (!(await trust.delete(nameOf(request), callerOf(response).name))) throw noPolicy(nameOf(request));
      response.status(204).end();
    },
  });
  addRoute(router, '/registry/verifyTrust', {
    post: [
      ...readJson,
      async (request: Request, response: Response) => {
        const { repository, tag = 'latest', digest } = parseImageReference(readImage(request.body));
        response.json(await trust.verify(repository, digest ?? tag));
      },
    ],
  });
}

function addScanRoutes(router: Router, scans: ScanDesk, options: AppOptions): void {
  const { config } = options;
  const noScan = (): Error => fail('not-found', 'there is no scan policy: images are not scanned');
  addRoute(router, '/registry/scanPolicy', {
    get: (_request, response) => {
      const policy = scans.get();
      if (policy === undefined) throw noScan();
      response.json(scanPolicyDocument(config, policy));
    },
    put: [
      ...readJson,
      async (request: Request, response: Response) => {
        const policy = await scans.put(readProperties(request.body), callerOf(response).name);
        response.json(scanPolicyDocument(config, policy));
      },
    ],
    delete: async (_request, response) => {
      if (!(await scans.delete(callerOf(response).name))) throw noScan();
      response.status(204).end();
    },
  });
  addRoute(router, '/registry/scan', {
    post: [
      ...readJson,
      async (request: Request, response: Response) => {
        const id = await scans.start(readImage(request.body), callerOf(response).name);
        await sendRun(options, requireRun(await options.store.runs.get(id), id), response);
      },
    ],
  });
}

/** Whose signatures images must bear, and what scans them when they are pushed. */
export function addRegistryTrustRoutes(router: Router, options: AppOptions): void {
  const { trust, scans, config } = options;
  if (trust) addTrustRoutes(router, trust, config);
  if (scans) addScanRoutes(router, scans, options);
}
