import { LRUCache } from 'lru-cache';
import type { Clock } from '../../domain/clock.ts';
import { oci } from '../errors.ts';
import type { Exchange } from '../exchange.ts';
import type { CareSettings } from './settings.ts';
import { tiers, type RateKind } from './tiers.ts';

/** Whom requests are counted for at most at one time; those who have asked least lately are forgotten. */
const mostCounted = 50_000;
const minuteMs = 60_000;

interface Bucket {
  /** Requests that may come at once. */
  tokens: number;
  /** When they were counted, milliseconds. */
  at: number;
}

/** Counts requests of each who asks. */
export interface RateGate {
  /** Throws TOOMANYREQUESTS (429) with the seconds after which the next request may come. */
  admit(exchange: Exchange, kind: RateKind): void;
}

/** What a request counts as that is not for a token. */
export function rateKindOf({ method, path }: Pick<Exchange, 'method' | 'path'>): RateKind {
  if (method === 'DELETE') return 'delete';
  if (method !== 'GET' && method !== 'HEAD') return 'write';
  return path.includes('/referrers/') ? 'referrers' : 'read';
}

/**
 * Makes the gate: a bucket for each principal (or address, where nobody has logged in) and kind of request, that is full with a minute's
 * worth and fills evenly. Undefined where rates are not limited.
 */
export function createRateGate({ limitsRates, tier = 'Premium' }: CareSettings, clock: Clock): RateGate | undefined {
  if (!limitsRates) return undefined;
  const buckets = new LRUCache<string, Bucket>({ max: mostCounted });
  return {
    admit: ({ principal, address }, kind) => {
      const most = tiers[tier].perMinute[kind];
      const who = principal === undefined ? `at ${address ?? ''}` : `as ${principal.name}`;
      const now = clock.now();
      const bucket = buckets.get(`${kind} ${who}`) ?? { tokens: most, at: now };
      const tokens = Math.min(most, bucket.tokens + (Math.max(0, now - bucket.at) * most) / minuteMs);
      buckets.set(`${kind} ${who}`, { tokens: tokens < 1 ? tokens : tokens - 1, at: now });
      if (tokens >= 1) return;
      const seconds = Math.max(1, Math.ceil(((1 - tokens) * minuteMs) / most / 1000));
      throw oci('TOOMANYREQUESTS', `more than ${String(most)} requests a minute (${kind})`, {
        headers: { 'retry-after': String(seconds) },
        detail: { perMinute: most, kind },
      });
    },
  };
}
