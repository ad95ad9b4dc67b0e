import type { RequestHandler, Response } from 'express';
import { fail } from '../../domain/failure.ts';
import type { AppOptions, Caller } from '../options.ts';

/** Lets nobody pass who is not known, and keeps the caller for the handlers behind. */
export function requireCaller(authenticate: AppOptions['authenticate']): RequestHandler {
  return async (request, response, next) => {
    const header = request.get('authorization');
    const caller = await authenticate(header);
    if (caller === undefined) {
      const message = header === undefined ? 'sign in to use this API' : 'the user name or password is wrong';
      throw fail('unauthenticated', message, {
        hint: '"slipway login --show" prints the account of this installation',
      });
    }
    response.locals['caller'] = caller;
    next();
  };
}

/** The caller that {@link requireCaller} let pass. */
export function callerOf(response: Response): Caller {
  return response.locals['caller'] as Caller;
}
