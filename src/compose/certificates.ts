import type { Config } from '../config.ts';
import type { Clock } from '../domain/clock.ts';
import { ensureCertificate, usualDays } from '../tls/own-files.ts';
import { ownNames } from '../tls/own-names.ts';
import { readPair } from '../tls/pair.ts';

/** Makes or renews the installation's own certificate where it is to have one (`SLIPWAY_TLS=auto`). Says whether it did. */
export async function tendOwnCertificate(config: Config, clock: Clock): Promise<boolean> {
  const { tls, trust, url, registryHost, listen, patching } = config;
  if (tls?.isOwn !== true) return false;
  const { registryUrl } = patching;
  const names = ownNames({ url, registryHost, listenHost: listen.host, registryUrl, names: tls.names });
  return ensureCertificate(trust.tlsDirectory, { names, days: usualDays, now: clock.now() });
}

/**
 * Sees to it, before anything is started, that the listener will have a certificate that it can use.
 * @throws what is wrong with the one that is configured.
 */
export async function prepareCertificate(config: Config, clock: Clock): Promise<boolean> {
  const isNew = await tendOwnCertificate(config, clock);
  if (config.tls !== undefined) await readPair(config.tls, clock.now());
  return isNew;
}
