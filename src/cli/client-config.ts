import { fail } from '../domain/failure.ts';

/** What the environment says of the server that commands speak to. */
export interface ClientConfig {
  /** `SLIPWAY_SERVER`, without a slash at the end; undefined: the installation on this machine. */
  readonly server: string | undefined;
  readonly username: string | undefined;
  readonly password: string | undefined;
}

/** Whether a server's address leads to this machine. */
export function isLoopback(server: string): boolean {
  return isLocal(new URL(server).host);
}

function isLocal(host: string): boolean {
  return /^(?:localhost|127\.\d+\.\d+\.\d+|\[::1\])(?::\d+)?(?:\/|$)/.test(host);
}

/** A URL that leads to a server, or undefined for text that is none. */
function openServer(text: string): URL | undefined {
  const trimmed = text.trim().replace(/\/+$/, '');
  const url = /^[a-z]+:\/\//i.test(text.trim()) ? trimmed : `${isLocal(trimmed) ? 'http' : 'https'}://${trimmed}`;
  const parsed = URL.canParse(url) ? new URL(url) : undefined;
  const isPlain = parsed?.search === '' && parsed.hash === '';
  return isPlain && /^https?:$/.test(parsed.protocol) ? parsed : undefined;
}

/**
 * The address of a server as it was typed: `https://host[:port][/prefix]`, or a host alone, which means https except on this machine.
 * @throws `invalid-request` naming `field`.
 */
export function parseServer(text: string, field = '--server'): string {
  const url = openServer(text);
  if (url === undefined) {
    const message = `${field} must be the address of a server, for example https://slipway.example.com`;
    throw fail('invalid-request', message, { field });
  }
  if (url.username !== '' || url.password !== '') {
    const hint = 'Use slipway login, or SLIPWAY_USERNAME and SLIPWAY_PASSWORD.';
    throw fail('invalid-request', `${field} must hold no user name and password`, { field, hint });
  }
  return url.href.replace(/\/+$/, '');
}

/** Reads `SLIPWAY_SERVER`, `SLIPWAY_USERNAME` and `SLIPWAY_PASSWORD`. Throws `invalid-request` when they make no sense. */
export function readClientConfig(env: Readonly<Record<string, string | undefined>>): ClientConfig {
  const read = (name: string): string | undefined => (env[name] === '' ? undefined : env[name]);
  const [server, username, password] = ['SLIPWAY_SERVER', 'SLIPWAY_USERNAME', 'SLIPWAY_PASSWORD'].map(read);
  if ((username === undefined) !== (password === undefined)) {
    throw fail('invalid-request', 'SLIPWAY_USERNAME and SLIPWAY_PASSWORD go together, and one of them is missing');
  }
  return { server: server === undefined ? undefined : parseServer(server, 'SLIPWAY_SERVER'), username, password };
}
