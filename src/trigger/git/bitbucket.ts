import { parseCloudDelivery } from './bitbucket-cloud.ts';
import { parseServerDelivery } from './bitbucket-server.ts';
import type { GitProvider } from './event.ts';
import { ignore } from './ref-update.ts';
import { headerOf, idOf, verifyHex } from './signature.ts';
import { readLine } from './text.ts';

/** Bitbucket Cloud, Server and Data Center: one way to sign, two vocabularies of events that share no name. */
export const bitbucketProvider: GitProvider = {
  name: 'bitbucket',
  recognise: (headers) => headerOf(headers, 'x-event-key') !== undefined,
  verify: (headers, rawBody, secrets) => verifyHex(headerOf(headers, 'x-hub-signature'), 'sha256=', [rawBody], secrets),
  deliveryId: (headers) => idOf(headers, 'x-request-uuid', 'x-request-id'),
  parse: (headers, body) => {
    const event = headerOf(headers, 'x-event-key') ?? '';
    const read = parseCloudDelivery(event, body) ?? parseServerDelivery(event, body);
    return read ?? ignore(`event ${readLine(event) ?? '(none)'} starts nothing`);
  },
};
