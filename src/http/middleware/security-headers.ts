import type { RequestHandler } from 'express';

/** Headers that keep documents and logs from being taken for pages, framed, or kept by a cache. */
export const setSecurityHeaders: RequestHandler = (_request, response, next) => {
  response.set({
    'Cache-Control': 'no-cache, no-store',
    'X-Content-Type-Options': 'nosniff',
    'X-Frame-Options': 'DENY',
    'Referrer-Policy': 'no-referrer',
    'Content-Security-Policy': "default-src 'none'; frame-ancestors 'none'",
  });
  next();
};
