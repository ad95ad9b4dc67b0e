import { hostname } from 'node:os';
import { parseCertificateName } from './own-files.ts';

/** What an installation says of where it is reached. */
export interface Places {
  readonly url: string;
  readonly registryHost: string;
  readonly listenHost: string;
  readonly registryUrl: string | undefined;
  /** What else it is to be good for. */
  readonly names: readonly string[];
}

function isName(text: string): boolean {
  try {
    return parseCertificateName(text) !== '';
  } catch {
    return false;
  }
}

/** `host`, `host:port`, `[v6]:port` → the host. */
function hostOf(place: string): string {
  const url = `https://${place}`;
  return URL.canParse(url) ? new URL(url).hostname : place;
}

/**
 * The names and addresses that an own certificate must be good for: wherever the installation is reached by its configuration, and this
 * machine by its usual names. The first is the one in the URL of the API.
 * @throws `invalid-request` when one of `names` is neither a host name nor an address.
 */
export function ownNames({ url, registryHost, listenHost, registryUrl, names }: Places): readonly string[] {
  const configured = [
    new URL(url).hostname,
    hostOf(registryHost),
    ...(registryUrl ? [new URL(registryUrl).hostname] : []),
  ];
  const usual = [listenHost, 'localhost', '127.0.0.1', '::1', hostname()];
  const found = [...configured, ...usual].filter((name) => name !== '0.0.0.0' && name !== '::' && isName(name));
  return [...new Set([...found, ...names].map(parseCertificateName))];
}
