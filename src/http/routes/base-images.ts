import type { Request, RequestHandler, Router } from 'express';
import type { ImageIdentity } from '../../domain/dependencies.ts';
import { isDigest } from '../../domain/digest.ts';
import { fail } from '../../domain/failure.ts';
import type { PatchingDesk, StandingImage } from '../../patch/desk/ports.ts';
import { impactDocument, standingDocument } from '../base-image-document.ts';
import { imageEntry, readImage, readTaggedImage } from '../image-entry.ts';
import { callerOf } from '../middleware/authenticate.ts';
import { readJson } from '../middleware/json-body.ts';
import { addRoute } from '../middleware/methods.ts';
import type { AppOptions } from '../options.ts';
import { formatNextLink, readSkipToken } from '../paging.ts';
import { parseWhole, readFlag, readQuery } from '../query.ts';
import { createBodyCheck } from '../schema.ts';

type Options = Pick<AppOptions, 'clock' | 'config' | 'signer'> & { readonly desk: PatchingDesk };

/** More than of other things: who asks for them wants them all, and each page costs a look at all. */
const pageImages = 1000;
const maxTop = 1000;

function readLimit(request: Request): { readonly limit: number; readonly isTop: boolean } {
  const top = readQuery(request, '$top');
  return { limit: top === undefined ? pageImages : parseWhole(top, '$top', [1, maxTop]), isTop: top !== undefined };
}

/** `GET …/baseImages?image&stale&$top&$skiptoken`: by task. With `$top` there is no link to a next page, as with runs. */
function createListHandler(options: Options): RequestHandler {
  return async (request, response) => {
    const text = readQuery(request, 'image');
    const image = text === undefined ? undefined : readImage(text, 'image');
    const { limit, isTop } = readLimit(request);
    const isStale = readFlag(request, 'stale');
    const page = await options.desk.list({
      ...{ limit, isStale, ...readSkipToken(request, options) },
      ...(image !== undefined && { image }),
    });
    const { images, next } = page;
    response.json({
      value: images.map((one: StandingImage) => standingDocument(one)),
      ...(next !== undefined && !isTop && { nextLink: formatNextLink(request, next, options, ['image', 'stale']) }),
    });
  };
}

/** `GET …/baseImages/impact?image=REF[@digest]` */
function createImpactHandler({ desk }: Options): RequestHandler {
  return async (request, response) => {
    const text = readQuery(request, 'image');
    if (text === undefined) throw fail('invalid-request', 'image is missing', { field: 'image' });
    const image = readTaggedImage(text, 'image');
    response.json(impactDocument(image, await desk.impact(image)));
  };
}

/** The body of POST baseImages/notify as `schemas/api/base-image-notice.schema.json` has it. */
interface NoticeBody {
  readonly image: string;
  readonly digest?: string;
}

function readNotice({ image: text, digest }: NoticeBody): ImageIdentity {
  const image = readTaggedImage(text, 'image');
  if (digest === undefined) return image;
  if (!isDigest(digest)) throw fail('invalid-request', 'digest is no digest', { field: 'digest' });
  if (image.digest !== undefined && image.digest !== digest)
    throw fail('invalid-request', 'digest is another than that of image', { field: 'digest' });
  return { ...image, digest };
}

/** `POST …/baseImages/notify`: answers 202 before it is looked at; `tasks` is how many would be rebuilt. */
function createNotifyHandler({ desk }: Options): RequestHandler {
  const check = createBodyCheck('api/base-image-notice');
  return async (request, response) => {
    const image = readNotice(check(request.body ?? {}) as NoticeBody);
    const tasks = await desk.notify(image, callerOf(response).name);
    response.status(202).json({ image: imageEntry(image), tasks });
  };
}

/** What stands on which image, what a change would rebuild, and word that there was one. */
export function addBaseImageRoutes(router: Router, { patching: desk, ...rest }: AppOptions): void {
  if (!desk) return;
  const options: Options = { ...rest, desk };
  addRoute(router, '/baseImages', { get: createListHandler(options) });
  addRoute(router, '/baseImages/impact', { get: createImpactHandler(options) });
  addRoute(router, '/baseImages/notify', { post: [...readJson, createNotifyHandler(options)] });
}
