import type { Request, RequestHandler, Router } from 'express';
import { fail } from '../../domain/failure.ts';
import { campaignActions, type CampaignAction } from '../../patch/campaign/decision.ts';
import type { PatchingDesk } from '../../patch/desk/ports.ts';
import { campaignDocument, campaignReportDocument } from '../campaign-document.ts';
import { callerOf } from '../middleware/authenticate.ts';
import { addRoute } from '../middleware/methods.ts';
import type { AppOptions } from '../options.ts';
import { formatNextLink, readSkipToken } from '../paging.ts';
import { parseWhole, readQuery } from '../query.ts';

type Options = Pick<AppOptions, 'clock' | 'config' | 'signer'> & { readonly desk: PatchingDesk };

const pageCampaigns = 100;
const maxTop = 1000;

function notFound(text: string): Error {
  const hint = '"slipway campaign list" shows the campaigns';
  return fail('not-found', `campaign ${text.slice(0, 40)} does not exist`, { hint });
}

/** The campaign id in a request's path (`:id`). Throws `not-found` for a text that cannot be one. */
function readId(request: Request): string {
  const text = String(request.params['id']);
  if (/^cp[1-9][0-9]{0,14}$/.test(text)) return text;
  throw notFound(text);
}

/** `GET …/campaigns?$top&$skiptoken`, newest first. With `$top` there is no link to a next page, as with runs. */
function createCampaignsHandler(options: Options): RequestHandler {
  return async (request, response) => {
    const top = readQuery(request, '$top');
    const limit = top === undefined ? pageCampaigns : parseWhole(top, '$top', [1, maxTop]);
    const { campaigns, next } = await options.desk.campaigns({ limit, ...readSkipToken(request, options) });
    response.json({
      value: campaigns.map((one) => campaignDocument(options.config.name, one)),
      ...(next !== undefined && top === undefined && { nextLink: formatNextLink(request, next, options) }),
    });
  };
}

/** `GET …/campaigns/{id}`: with its tasks. */
function createCampaignHandler({ desk, config }: Options): RequestHandler {
  return async (request, response) => {
    const id = readId(request);
    const found = await desk.campaign(id);
    if (found === undefined) throw notFound(id);
    response.json(campaignReportDocument(config.name, found));
  };
}

/** `POST …/campaigns/{id}/{action}`: answers with the campaign as it is then. */
function createActionHandler({ desk, config }: Options, action: CampaignAction): RequestHandler {
  return async (request, response) => {
    const found = await desk.command(readId(request), action, callerOf(response).name);
    response.json(campaignReportDocument(config.name, found));
  };
}

/** The campaigns, and what people do to them. */
export function addCampaignRoutes(router: Router, { patching: desk, ...rest }: AppOptions): void {
  if (!desk) return;
  const options: Options = { ...rest, desk };
  addRoute(router, '/campaigns', { get: createCampaignsHandler(options) });
  addRoute(router, '/campaigns/:id', { get: createCampaignHandler(options) });
  for (const action of campaignActions)
    addRoute(router, `/campaigns/:id/${action}`, { post: createActionHandler(options, action) });
}
