import { Router, type Request, type RequestHandler, type Response } from 'express';
import { fail, FailureError } from '../../domain/failure.ts';
import { ProtocolError } from '../errors.ts';
import { addRoute } from '../middleware/methods.ts';
import { contextKey, type AppOptions } from '../options.ts';
import { checkSignature, signPath } from '../signed-url.ts';
import { createInspectedStream, readBody, tooLarge } from './upload-stream.ts';

type Options = Pick<AppOptions, 'blobs' | 'clock' | 'config' | 'inspectUpload' | 'log' | 'newId' | 'signer' | 'store'>;

const defaultIdleMs = 60_000;
/** How long a client may go on sending after it was refused, so that it can read why. */
const lingerMs = 5000;

/** Answers `listBuildSourceUploadUrl`: a URL that takes one archive, and the name under which a run request refers to it. */
export function createUploadUrlHandler(options: Options): RequestHandler {
  const { clock, config, newId, signer } = options;
  return (_request, response) => {
    const now = clock.now();
    const minute = new Date(now).toISOString().replace(/\D/g, '').slice(0, 12);
    const relativePath = `source/${minute}/${newId()}.tar.gz`;
    const signature = signPath(signer, 'upload', relativePath, now + config.upload.expiresMs);
    response.json({ uploadUrl: `${config.url}/uploads/${relativePath}?sig=${signature}`, relativePath });
  };
}

/** What can be refused before the first byte of the body is read. */
function checkHeaders(request: Request, maxBytes: number): void {
  if (request.query['comp'] !== undefined) {
    throw fail('unsupported', 'archives are taken in one piece, not in blocks', { field: 'comp' });
  }
  const length = request.get('content-length');
  if (length !== undefined && Number(length) > maxBytes) throw tooLarge(maxBytes);
  if ((request.get('content-encoding') ?? 'identity') !== 'identity') {
    const message = 'send the archive as it is, without a Content-Encoding; a .tar.gz is taken as such';
    throw new ProtocolError({ status: 415, code: 'UnsupportedMediaType' }, message);
  }
}

/** A refused archive has used the URL up; what was not the archive's fault has not. */
function isArchiveRefused(error: unknown): boolean {
  return error instanceof FailureError && ['invalid-context', 'too-large'].includes(error.failure.reason);
}

async function store(request: Request, relativePath: string, options: Options): Promise<void> {
  const { upload } = options.config;
  const stopper = new AbortController();
  const body = readBody(request, { maxBytes: upload.maxBytes, idleMs: upload.idleMs ?? defaultIdleMs });
  const stream = createInspectedStream(body, options.inspectUpload, stopper.signal);
  try {
    await options.blobs.put(contextKey(relativePath), stream, stopper.signal);
  } catch (error) {
    stopper.abort(error);
    throw error;
  } finally {
    stream.destroy();
  }
}

/** Takes an archive for a claimed URL; on failure nothing of it is left, and the URL is free again unless the archive was refused. */
async function take(request: Request, relativePath: string, options: Options): Promise<void> {
  try {
    await store(request, relativePath, options);
  } catch (error) {
    const release = isArchiveRefused(error) ? Promise.resolve() : options.store.once.release(claimOf(relativePath));
    const results = await Promise.allSettled([options.blobs.delete(contextKey(relativePath)), release]);
    const faults = results.filter((one) => one.status === 'rejected').map((one) => one.reason as unknown);
    if (faults.length > 0)
      options.log.warn({ err: faults[0], path: relativePath }, 'could not clean up after an upload');
    throw error;
  }
}

function claimOf(relativePath: string): string {
  return `upload:${relativePath}`;
}

/** A client that still sends when it has its answer is read out for a while, then cut off. */
function endSending(request: Request, response: Response): void {
  response.once('finish', () => {
    if (request.complete) return;
    const timer = setTimeout(() => request.socket.destroy(), lingerMs);
    request.once('close', () => clearTimeout(timer));
    request.resume();
  });
}

/** `PUT /uploads/source/<minute>/<uuid>.tar.gz?sig=…`: signed, once, bounded, streamed to storage and through the inspector at once. */
function createPutHandler(options: Options): RequestHandler {
  return async (request, response) => {
    endSending(request, response);
    const relativePath = `source/${String(request.params['minute'])}/${String(request.params['file'])}`;
    const given = { sig: request.query['sig'], now: options.clock.now() };
    const leftMs = checkSignature(options.signer, 'upload', relativePath, given);
    checkHeaders(request, options.config.upload.maxBytes);
    const isFirst = await options.store.once.claim(claimOf(relativePath), Math.ceil(leftMs / 1000) + 60);
    if (!isFirst) {
      throw fail('conflict', 'this upload URL has been used', {
        hint: 'ask for a new one with listBuildSourceUploadUrl',
      });
    }
    await take(request, relativePath, options);
    const at = new Date(options.clock.now());
    response
      .status(201)
      .set({ ETag: `"0x${at.getTime().toString(16).toUpperCase()}"`, 'Last-Modified': at.toUTCString() })
      .end();
  };
}

/** The routes below `/uploads`: no account is asked for, the URL's signature is the right. */
export function createUploadsRouter(options: Options): Router {
  const router = Router({ caseSensitive: true });
  addRoute(router, '/source/:minute/:file', { put: createPutHandler(options) });
  return router;
}
