import type { Request } from 'express';
import { fail } from '../domain/failure.ts';
import type { AppOptions } from './options.ts';
import { readQuery } from './query.ts';

type Options = Pick<AppOptions, 'clock' | 'config' | 'signer'>;

/** How long the link to a next page is good. */
const skipTokenMs = 24 * 3600 * 1000;

/** Where the page begins that a request asks for: what `$skiptoken` holds. Throws `invalid-request` for one that we did not give. */
export function readSkipToken(request: Request, { signer, clock }: Options): { readonly after?: string } {
  const token = readQuery(request, '$skiptoken');
  if (token === undefined) return {};
  const after = signer.verify(token, clock.now())?.['after'];
  if (typeof after === 'string') return { after };
  throw fail('invalid-request', '$skiptoken is none that this server gave, or it is too old', {
    field: '$skiptoken',
    hint: 'start again without it',
  });
}

/** The link to the page behind this one, with the query of this one as far as it is among `names`. */
export function formatNextLink(
  request: Request,
  after: string,
  { signer, clock, config }: Options,
  names: readonly string[] = [],
): string {
  const query = new URLSearchParams();
  for (const name of ['api-version', ...names]) {
    const value = readQuery(request, name);
    if (value !== undefined) query.set(name, value);
  }
  query.set('$skiptoken', signer.sign({ after }, clock.now() + skipTokenMs));
  return `${config.url}${request.baseUrl}${request.path}?${query.toString()}`;
}
