import type {
  DeletedItem,
  PolicyChange,
  PurgeOrder,
  PurgeReport,
  QuarantineOrder,
  RegistryPolicies,
  RegistryUsage,
  RestoreOrder,
  RestoreReport,
} from '../domain/registry-care.ts';
import { readJson, type ApiTarget } from './api-call.ts';

/** The calls that concern the care of images. */
export interface CareCalls {
  policies(): Promise<RegistryPolicies>;
  updatePolicies(change: PolicyChange): Promise<RegistryPolicies>;
  usage(): Promise<RegistryUsage>;
  /** Never repeated, unless it is a dry run. */
  purge(order: PurgeOrder): Promise<PurgeReport>;
  deleted(repository?: string): Promise<readonly DeletedItem[]>;
  restore(order: RestoreOrder): Promise<RestoreReport>;
  quarantine(order: QuarantineOrder): Promise<{ readonly digest: string; readonly state: string }>;
}

/** Makes the calls of {@link CareCalls}. */
export function createCareCalls(target: ApiTarget): CareCalls {
  const get = (path: string): Promise<unknown> => readJson(target, { method: 'GET', path, repeat: 'broken' });
  const post = (path: string, body: object, repeat: 'broken' | 'never'): Promise<unknown> =>
    readJson(target, { method: 'POST', path, body, repeat });
  return {
    policies: async () => (await get('/registry/policies')) as RegistryPolicies,
    updatePolicies: async (body) => {
      const call = { method: 'PATCH', path: '/registry/policies', body, repeat: 'broken' } as const;
      return (await readJson(target, call)) as RegistryPolicies;
    },
    usage: async () => (await get('/registry/usage')) as RegistryUsage,
    purge: async (order) => {
      const repeat = order.dryRun === true ? 'broken' : 'never';
      return (await post('/registry/purge', order, repeat)) as PurgeReport;
    },
    deleted: async (repository) => {
      const query = repository === undefined ? '' : `?repository=${encodeURIComponent(repository)}`;
      const document = await get(`/registry/deleted${query}`);
      return (document as { readonly value?: readonly DeletedItem[] } | null)?.value ?? [];
    },
    restore: async (order) => (await post('/registry/restore', order, 'never')) as RestoreReport,
    quarantine: async (order) =>
      (await post('/registry/quarantine', order, 'broken')) as { readonly digest: string; readonly state: string },
  };
}
