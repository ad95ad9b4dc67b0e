import type { CampaignPolicy } from '../domain/campaign.ts';
import type { Reader } from './reader.ts';

/** Base images: how their changes are noticed, and what becomes of them. */
export interface PatchingSettings {
  readonly campaign: CampaignPolicy;
  /** What other registries' webhooks must bring; several during a rotation, none: that hook is shut. */
  readonly hookSecrets: readonly string[];
  /** How often registries that tell nothing are asked, milliseconds; undefined: never. */
  readonly pollMs: number | undefined;
  /** The same for single registries, by host in lower case. */
  readonly pollMsOf: Readonly<Record<string, number | undefined>>;
  /** Whether built images say by labels what they stand on (`org.opencontainers.image.base.*`). */
  readonly labelsBases: boolean;
  /** Where this process reaches our registry, when not by the URL of the API or under the name that images have. */
  readonly registryUrl: string | undefined;
}

const unitSeconds: Readonly<Record<string, number>> = { '': 1, s: 1, m: 60, h: 3600, d: 86_400 };

/** `90s`, `15m`, `2h`, `1d`, or seconds; 0: never. A fault for what is none of these, or longer than 30 days. */
function readPause(reader: Reader, name: string, value: string): number | undefined {
  const [, digits, unit] = /^(\d{1,9})([smhd]?)$/.exec(value) ?? [];
  const seconds = Number(digits) * (unitSeconds[unit ?? ''] ?? Number.NaN);
  const isFit = seconds === 0 || (seconds >= 10 && seconds <= 30 * 86_400);
  if (!isFit) reader.faults.push(`${name} must be 0, or a time from 10s to 30d such as 15m, not "${value}"`);
  return isFit && seconds > 0 ? seconds * 1000 : undefined;
}

function readPauses(reader: Reader): Readonly<Record<string, number | undefined>> {
  const name = 'SLIPWAY_POLL_INTERVALS';
  const pauses: Record<string, number | undefined> = {};
  for (const pair of reader.list(name)) {
    const [, host, value] = /^([^=\s]+)=(\w+)$/.exec(pair) ?? [];
    if (host === undefined || value === undefined)
      reader.faults.push(`${name} must be host=time pairs such as docker.io=30m, not "${pair}"`);
    else pauses[host.toLowerCase()] = readPause(reader, name, value);
  }
  return pauses;
}

function readRegistryUrl(reader: Reader): string | undefined {
  const url = reader.text('SLIPWAY_REGISTRY_URL');
  if (url === undefined || /^https?:\/\/[^/?#@\s]+\/?$/.test(url)) return url?.replace(/\/$/, '');
  reader.faults.push('SLIPWAY_REGISTRY_URL must be a scheme and a host, such as http://api:5080');
  return undefined;
}

/** Reads the settings of base-image patching (`SLIPWAY_CAMPAIGN_*`, `SLIPWAY_POLL_*`, `SLIPWAY_REGISTRY_HOOK_SECRET`). */
export function readPatching(reader: Reader): PatchingSettings {
  return {
    campaign: {
      concurrency: reader.integer('SLIPWAY_CAMPAIGN_CONCURRENCY', 100, [1, 1_000_000]),
      retries: reader.integer('SLIPWAY_CAMPAIGN_RETRIES', 1, [0, 10]),
      retryBudget: reader.integer('SLIPWAY_CAMPAIGN_RETRY_BUDGET', 20, [0, 100_000]),
      breakerAfter: reader.integer('SLIPWAY_CAMPAIGN_BREAKER', 3, [1, 1000]),
    },
    hookSecrets: reader.list('SLIPWAY_REGISTRY_HOOK_SECRET'),
    pollMs: readPause(reader, 'SLIPWAY_POLL_INTERVAL', reader.text('SLIPWAY_POLL_INTERVAL') ?? '15m'),
    pollMsOf: readPauses(reader),
    labelsBases: reader.flag('SLIPWAY_BASE_LABELS', true),
    registryUrl: readRegistryUrl(reader),
  };
}
