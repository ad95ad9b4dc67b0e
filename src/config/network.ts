import { findBadNetworks } from '../network/rules.ts';
import type { NetworkSettings } from '../network/gate.ts';
import type { Reader } from './reader.ts';

function readNetworks(reader: Reader, name: string): readonly string[] {
  const entries = reader.list(name);
  reader.faults.push(...findBadNetworks(entries).map((fault) => `${name}: ${fault}`));
  return entries;
}

/** Who may connect (`SLIPWAY_ALLOW_IPS`, `SLIPWAY_TRUSTED_PROXIES`). */
export function readNetworkRules(reader: Reader): NetworkSettings {
  return {
    allow: readNetworks(reader, 'SLIPWAY_ALLOW_IPS'),
    trustedProxies: readNetworks(reader, 'SLIPWAY_TRUSTED_PROXIES'),
  };
}
