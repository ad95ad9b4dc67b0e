import { fail } from '../domain/failure.ts';
import { callApi, readJson, type ApiTarget } from './api-call.ts';
import { readPages, valuesOf } from './pages.ts';
import type {
  BaseImageCredentialView,
  CampaignDetails,
  CampaignView,
  ImpactView,
  NoticeView,
  PatchingCalls,
  StandingView,
} from './patching-types.ts';

/** A campaign out of its document: the properties, and its name. */
function asCampaign(document: unknown): CampaignView {
  const { name, properties } = (document ?? {}) as { readonly name?: string; readonly properties?: CampaignView };
  if (typeof name === 'string' && typeof properties?.status === 'string') return { ...properties, id: name };
  throw fail('server-unreachable', 'the server answered with something that is no campaign');
}

function asDetails(document: unknown): CampaignDetails {
  const campaign = asCampaign(document) as CampaignDetails;
  if (Array.isArray(campaign.tasks)) return campaign;
  throw fail('server-unreachable', 'the server answered with a campaign without its tasks');
}

function asImpact(document: unknown): ImpactView {
  if (Array.isArray((document as Partial<ImpactView> | null)?.tasks)) return document as ImpactView;
  throw fail('server-unreachable', 'the server answered with something that is no impact');
}

function campaignPath(id: string, more = ''): string {
  return `/campaigns/${encodeURIComponent(id)}${more}`;
}

type CredentialCalls = Pick<
  PatchingCalls,
  'baseImageCredentials' | 'setBaseImageCredential' | 'removeBaseImageCredential'
>;

function createCredentialCalls(target: ApiTarget): CredentialCalls {
  const path = '/baseImages/credentials';
  const pathOf = (registry: string): string => `${path}/${encodeURIComponent(registry)}`;
  return {
    baseImageCredentials: async () => {
      const document = await readJson(target, { method: 'GET', path, repeat: 'broken' });
      return valuesOf(document) as readonly BaseImageCredentialView[];
    },
    setBaseImageCredential: async (registry, username, password) => {
      const call = { method: 'PUT', path: pathOf(registry), body: { username, password }, repeat: 'patient' } as const;
      return (await readJson(target, call)) as BaseImageCredentialView;
    },
    removeBaseImageCredential: async (registry) => {
      const response = await callApi(target, { method: 'DELETE', path: pathOf(registry), repeat: 'never' });
      await response.arrayBuffer();
    },
  };
}

/** Makes the calls of one server that concern base images and campaigns. */
export function createPatchingCalls(target: ApiTarget): PatchingCalls {
  const get = (path: string): Promise<unknown> => readJson(target, { method: 'GET', path, repeat: 'broken' });
  return {
    baseImages: async ({ image, isStale }) => {
      const query = { ...(image !== undefined && { image }), ...(isStale && { stale: 'true' }) };
      return (await readPages(get, '/baseImages', query)) as readonly StandingView[];
    },
    impact: async (image) => asImpact(await get(`/baseImages/impact?${new URLSearchParams({ image }).toString()}`)),
    // The same change that is told twice is one.
    notifyBaseImage: async (image) => {
      const call = { method: 'POST', path: '/baseImages/notify', body: { image }, repeat: 'patient' } as const;
      return (await readJson(target, call)) as NoticeView;
    },
    ...createCredentialCalls(target),
    campaigns: async (top) => {
      const query = new URLSearchParams({ $top: String(top) });
      return valuesOf(await get(`/campaigns?${query.toString()}`)).map(asCampaign);
    },
    campaign: async (id) => asDetails(await get(campaignPath(id))),
    changeCampaign: async (id, verb) =>
      asDetails(await readJson(target, { method: 'POST', path: campaignPath(id, `/${verb}`), repeat: 'never' })),
  };
}
