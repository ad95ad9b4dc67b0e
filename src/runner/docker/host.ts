import { fail } from '../../domain/failure.ts';

/** Certificates for an engine that is reached by TLS, in PEM. */
export interface EngineTls {
  readonly ca: string;
  readonly cert: string;
  readonly key: string;
}

/** How to reach an engine, as docker-modem takes it. */
export interface ModemOptions {
  readonly socketPath: string | undefined;
  readonly host: string | undefined;
  readonly port: string | undefined;
  readonly protocol: 'http' | 'https';
  readonly ca: string | undefined;
  readonly cert: string | undefined;
  readonly key: string | undefined;
}

const nothing: ModemOptions = {
  socketPath: undefined,
  host: undefined,
  port: undefined,
  protocol: 'http',
  ca: undefined,
  cert: undefined,
  key: undefined,
};

function wrong(host: string, why: string): Error {
  return fail('invalid-request', `"${host.slice(0, 200)}" is no address of a container engine: ${why}`, {
    field: 'DOCKER_HOST',
    hint: 'write it as unix:///var/run/docker.sock or tcp://host:2375',
  });
}

function parseUrl(host: string): URL {
  try {
    return new URL(host);
  } catch {
    throw wrong(host, 'it is no URL');
  }
}

/**
 * Reads an engine's address, `unix:///path` or `tcp://host[:port]`, in the notation of DOCKER_HOST. Every option of the
 * client is set, so that nothing is merged in from the environment behind our back.
 * @throws `invalid-request` for anything else.
 */
export function parseEngineHost(host: string, tls?: EngineTls): ModemOptions {
  return host.startsWith('unix://') ? unixOptions(host) : networkOptions(host, tls);
}

function unixOptions(host: string): ModemOptions {
  const socketPath = host.slice('unix://'.length);
  if (!socketPath.startsWith('/')) throw wrong(host, 'the path of its socket is not absolute');
  return { ...nothing, socketPath };
}

const networkProtocols = ['tcp:', 'http:', 'https:'];

function networkOptions(host: string, tls: EngineTls | undefined): ModemOptions {
  const url = parseUrl(host);
  if (!networkProtocols.includes(url.protocol)) {
    throw wrong(host, `engines are not reached by ${url.protocol.slice(0, 20)}`);
  }
  if (url.hostname === '') throw wrong(host, 'it names no host');
  const isSecure = tls !== undefined || url.protocol === 'https:';
  const port = url.port || (isSecure ? '2376' : '2375');
  return { ...nothing, ...tls, host: url.hostname, port, protocol: isSecure ? 'https' : 'http' };
}
