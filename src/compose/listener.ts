import { once } from 'node:events';
import { createServer as createPlainServer, type RequestListener, type Server } from 'node:http';
import { createServer as createTlsServer, type ServerOptions } from 'node:https';
import type { Config } from '../config.ts';
import type { Installation } from '../installation.ts';
import { createGate, type Gate } from '../network/gate.ts';
import type { Registry } from '../registry/options.ts';
import { configureServer, registryServerOptions } from '../registry/server.ts';
import type { Pair } from '../tls/pair.ts';
import { serveCertificate } from '../tls/served.ts';
import { tendOwnCertificate } from './certificates.ts';

type Handler = Pick<Registry, 'handle'>;

/** TLS 1.2 at least; HTTP/2 is not spoken. */
const tlsOptions = {
  minVersion: 'TLSv1.2',
  ALPNProtocols: ['http/1.1'],
  handshakeTimeout: 20_000,
} as const satisfies ServerOptions;

/** The registry behind the gate; a request that may not come in is answered as if it were the registry's. */
function putBehind(gate: Gate, registry: Handler): Handler {
  return { handle: (req, res, more) => gate.refuses(req, res) || registry.handle(req, res, more) };
}

type Parts = Pick<Installation, 'config' | 'clock' | 'logger'>;

function secretsOf({ cert, key }: Pair) {
  return { cert, key, minVersion: tlsOptions.minVersion };
}

/** A server that shows the configured certificate, and the one that replaces it from the next connection on. */
async function openTlsServer({ config, clock, logger }: Parts, listener: RequestListener): Promise<Server | undefined> {
  if (config.tls === undefined) return undefined;
  const tend = (): Promise<unknown> => tendOwnCertificate(config, clock);
  await tend();
  const served = await serveCertificate({
    files: config.tls,
    clock,
    logger,
    tend,
    onPair: (pair) => server.setSecureContext(secretsOf(pair)),
  });
  const server = createTlsServer({ ...registryServerOptions, ...tlsOptions, ...secretsOf(served.pair()) }, listener);
  const onHangUp = (): void => void served.reload();
  process.on('SIGHUP', onHangUp);
  server.once('close', () => {
    process.off('SIGHUP', onHangUp);
    served.close();
  });
  return server;
}

function isLocal({ url }: Config): boolean {
  return /^(?:localhost|127\.\d+\.\d+\.\d+|\[::1\])$/.test(new URL(url).hostname);
}

/** What works but is not what most people would want. */
function warn({ config, logger }: Parts): void {
  if (config.url.startsWith('http:') && !isLocal(config))
    logger.warn({ url: config.url }, 'passwords cross the network unprotected: see SLIPWAY_TLS');
  const { allow } = config.network;
  if (allow.length > 0 && isLocal(config) && !createGate(config.network).allows('127.0.0.1'))
    logger.warn('SLIPWAY_ALLOW_IPS leaves out 127.0.0.1, from where workers and engine on this machine come');
}

/**
 * Opens the one listener, over TLS where the configuration says so: the gate is asked first, then the registry, then the API.
 * @throws `invalid-request` for a certificate or key that cannot be used, and what the system says when it cannot listen.
 */
export async function openListener(parts: Parts, registry: Handler, app: RequestListener): Promise<Server> {
  const { listen, network } = parts.config;
  const guarded = putBehind(createGate(network), registry);
  const listener: RequestListener = (req, res) => {
    if (!guarded.handle(req, res)) app(req, res);
  };
  const server = (await openTlsServer(parts, listener)) ?? createPlainServer(registryServerOptions, listener);
  configureServer(server, guarded);
  warn(parts);
  server.listen(listen);
  await once(server, 'listening');
  return server;
}
