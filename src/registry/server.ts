import type { IncomingMessage, Server, ServerOptions, ServerResponse } from 'node:http';
import type { Registry } from './options.ts';

/** Options for `http.createServer` that a server in front of a registry needs to be quick with large bodies. */
export const registryServerOptions: ServerOptions = {
  highWaterMark: 256 * 1024,
  // A push of a large layer takes as long as it takes; a connection that falls silent is closed by the registry.
  requestTimeout: 0,
  headersTimeout: 60_000,
  // Longer than proxies keep their connections, so that they, not we, close an idle one.
  keepAliveTimeout: 75_000,
};

/**
 * Sets a server up for a registry that is asked in its `request` listener: time limits as in
 * {@link registryServerOptions}, and `Expect: 100-continue` answered after the rights were checked, before any byte of
 * the body is sent. Requests that are not the registry's are passed on to the `request` listeners as usual.
 */
export function configureServer(server: Server, registry: Pick<Registry, 'handle'>): void {
  server.requestTimeout = 0;
  server.headersTimeout = registryServerOptions.headersTimeout ?? 60_000;
  server.keepAliveTimeout = registryServerOptions.keepAliveTimeout ?? 75_000;
  server.on('checkContinue', (req: IncomingMessage, res: ServerResponse) => {
    if (registry.handle(req, res, { awaitsContinue: true })) return;
    res.writeContinue();
    server.emit('request', req, res);
  });
}
