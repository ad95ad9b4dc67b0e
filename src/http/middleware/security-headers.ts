import type { Middleware } from './middleware.ts';

const headers = Object.entries({
  'Cache-Control': 'no-cache, no-store',
  'X-Content-Type-Options': 'nosniff',
  'X-Frame-Options': 'DENY',
  'Referrer-Policy': 'no-referrer',
  'Content-Security-Policy': "default-src 'none'; frame-ancestors 'none'",
});

/** Headers that keep documents and logs from being taken for pages, framed, or kept by a cache. */
export const setSecurityHeaders: Middleware = (_request, response, next) => {
  for (const [name, value] of headers) response.setHeader(name, value);
  next();
};
