import { parseAddress, whyRefused } from './address.ts';
import { normalizeHost, parseAllowList } from './allow-list.ts';
import { portOf } from './egress.ts';

/** The address that a host's name alone tells; undefined for one that has to be looked up. */
function addressOf(host: string): string | undefined {
  if (host === 'localhost' || host.endsWith('.localhost')) return '127.0.0.1';
  return parseAddress(host) === undefined ? undefined : host;
}

/**
 * Makes the function that says why nothing at a URL may be reached, `localhost is a loopback address`, as far as that is known without looking
 * a name up; undefined: it may, or its addresses will tell. `allow` is what `createEgress` takes; throws for the same entries.
 */
export function createReach(allow: readonly string[]): (url: string) => string | undefined {
  const list = parseAllowList(allow);
  return (text) => {
    if (!URL.canParse(text)) return undefined;
    const url = new URL(text);
    const host = normalizeHost(url.hostname);
    const address = addressOf(host);
    const why = address === undefined ? undefined : whyRefused(address);
    if (address === undefined || why === undefined) return undefined;
    return list.permits({ host, port: portOf(url), address }) ? undefined : `${host} is ${why}`;
  };
}
