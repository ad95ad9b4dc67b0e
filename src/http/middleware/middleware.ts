import type { IncomingMessage, ServerResponse } from 'node:http';

/** A middleware that asks nothing of Express: it serves what is answered before Express is asked as well. */
export type Middleware = (
  request: IncomingMessage & { readonly originalUrl?: string },
  response: ServerResponse & { readonly locals?: Readonly<Record<string, unknown>> },
  next: () => void,
) => void;
