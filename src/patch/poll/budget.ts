import type { AnswerHeaders } from '../../registry-client/ports.ts';

/** What a registry says of how much more may be asked of it. Times in milliseconds. */
export interface Budget {
  readonly limit?: number;
  readonly remaining?: number;
  /** For how long the limit counts. */
  readonly windowMs?: number;
  /** Until there is more. */
  readonly resetMs?: number;
}

/** No registry is left alone for longer than this. */
const mostPauseMs = 6 * 60 * 60_000;
/** What of a limit is left to those who build and pull. */
const reserve = 0.1;
const firstPauseMs = 30_000;
const mostBackoffMs = 60 * 60_000;

function first(headers: AnswerHeaders, ...names: readonly string[]): string | undefined {
  for (const name of names) {
    const value = headers[name];
    const text = typeof value === 'string' ? value : value?.[0];
    if (text !== undefined) return text;
  }
  return undefined;
}

function countOf(text: string | undefined): number | undefined {
  const digits = /^\s*(\d{1,12})/.exec(text ?? '')?.[1];
  return digits === undefined ? undefined : Number(digits);
}

function parameter(text: string | undefined, name: string): number | undefined {
  return countOf(new RegExp(`[;,\\s]${name}=(\\d+)`).exec(text ?? '')?.[1]);
}

/** Seconds from now, or since the epoch where they are too many for that. */
function untilMs(seconds: number | undefined, nowMs: number): number | undefined {
  if (seconds === undefined) return undefined;
  return seconds > 1e9 ? Math.max(0, seconds * 1000 - nowMs) : seconds * 1000;
}

/**
 * Reads the headers of rate limits in the forms that registries have: Docker Hub's `RateLimit-Limit: 100;w=21600` and its kin, `X-RateLimit-…`,
 * and `RateLimit: "default";r=50;t=30` (the IETF's draft).
 */
export function readBudget(headers: AnswerHeaders, nowMs: number): Budget {
  const joined = first(headers, 'ratelimit');
  const limit = first(headers, 'ratelimit-limit', 'x-ratelimit-limit');
  const left = first(headers, 'ratelimit-remaining', 'x-ratelimit-remaining');
  const seconds = parameter(limit, 'w') ?? parameter(left, 'w');
  const values = {
    limit: countOf(limit),
    remaining: countOf(left) ?? parameter(joined, 'r'),
    windowMs: seconds === undefined ? undefined : seconds * 1000,
    resetMs: untilMs(countOf(first(headers, 'ratelimit-reset', 'x-ratelimit-reset')) ?? parameter(joined, 't'), nowMs),
  };
  return Object.fromEntries(Object.entries(values).filter(([, value]) => value !== undefined));
}

/** Milliseconds after the n-th failure in a row (n = 1, 2, …): doubled each time up to an hour, varied by a quarter; `random` is 0 ≤ n < 1. */
export function backoffMs(failures: number, random: number): number {
  const pause = Math.min(firstPauseMs * 2 ** Math.min(failures - 1, 20), mostBackoffMs);
  return Math.round(pause * (0.75 + 0.5 * random));
}

/** How long to leave a registry alone that did not answer: at least the usual pause, and what it asks for itself, within bounds. */
export function busyPauseMs(askedMs: number | undefined, budget: Budget, usualMs: number): number {
  const asked = askedMs ?? budget.resetMs ?? 0;
  return Math.min(Math.max(asked, usualMs), mostPauseMs);
}

/** How long to leave a registry alone of whose limit little is left: the rest is for builds. 0: there is enough. */
export function savingPauseMs({ limit, remaining, windowMs, resetMs }: Budget): number {
  if (remaining === undefined || remaining > Math.floor((limit ?? 0) * reserve)) return 0;
  return Math.min(resetMs ?? (windowMs ?? mostBackoffMs) / 10, mostPauseMs);
}
