import type { ImageTrust, TrustPolicy } from '../domain/registry-trust.ts';
import { callApi, readJson, type ApiTarget } from './api-call.ts';

export interface TrustPolicyView {
  readonly id: string;
  readonly name: string;
  readonly properties: Omit<TrustPolicy, 'name'>;
}

export interface ScanPolicyView {
  readonly id: string;
  readonly properties: {
    readonly repositories: readonly string[];
    readonly image?: string;
    readonly arguments?: string;
    readonly task?: string;
    /** Seconds. */
    readonly timeout: number;
    readonly failOn?: Readonly<Record<string, number | string>>;
    readonly quarantine: boolean;
    readonly updatedTime: string;
  };
}

/** The calls that concern whose signatures images bear, and what scans them. */
export interface TrustCalls {
  readonly trustPolicies: {
    list(): Promise<readonly TrustPolicyView[]>;
    get(name: string): Promise<TrustPolicyView>;
    /** Writes one whole. */
    put(name: string, properties: object): Promise<TrustPolicyView>;
    delete(name: string): Promise<void>;
  };
  verifyTrust(image: string): Promise<ImageTrust>;
  readonly scanPolicy: {
    get(): Promise<ScanPolicyView>;
    put(properties: object): Promise<ScanPolicyView>;
    delete(): Promise<void>;
  };
}

/** Makes the calls of {@link TrustCalls}. */
export function createTrustCalls(target: ApiTarget): TrustCalls {
  const get = (path: string): Promise<unknown> => readJson(target, { method: 'GET', path, repeat: 'broken' });
  const put = (path: string, properties: object): Promise<unknown> =>
    readJson(target, { method: 'PUT', path, body: { properties }, repeat: 'broken' });
  const remove = async (path: string): Promise<void> => {
    const response = await callApi(target, { method: 'DELETE', path, repeat: 'never' });
    await response.arrayBuffer();
  };
  const root = '/registry/trustPolicies';
  const pathOf = (name: string): string => `${root}/${encodeURIComponent(name)}`;
  return {
    trustPolicies: {
      list: async () => ((await get(root)) as { readonly value?: readonly TrustPolicyView[] } | null)?.value ?? [],
      get: async (name) => (await get(pathOf(name))) as TrustPolicyView,
      put: async (name, properties) => (await put(pathOf(name), properties)) as TrustPolicyView,
      delete: (name) => remove(pathOf(name)),
    },
    verifyTrust: async (image) => {
      const call = { method: 'POST', path: '/registry/verifyTrust', body: { image }, repeat: 'broken' } as const;
      return (await readJson(target, call)) as ImageTrust;
    },
    scanPolicy: {
      get: async () => (await get('/registry/scanPolicy')) as ScanPolicyView,
      put: async (properties) => (await put('/registry/scanPolicy', properties)) as ScanPolicyView,
      delete: () => remove('/registry/scanPolicy'),
    },
  };
}
