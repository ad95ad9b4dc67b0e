import { describe, expect, it } from 'vitest';
import { backoffMs, busyPauseMs, readBudget, savingPauseMs } from '../../../src/patch/poll/budget.ts';
import { readRetryAfter } from '../../../src/registry-client/headers.ts';
import { startTime } from './rig.ts';

describe('the limit of a registry', () => {
  it('is read in the forms of Docker Hub, of GitHub and of the draft of the IETF', () => {
    const hub = { 'ratelimit-limit': '100;w=21600', 'ratelimit-remaining': '76;w=21600' };
    expect(readBudget(hub, startTime)).toEqual({ limit: 100, remaining: 76, windowMs: 21_600_000 });
    const reset = String(startTime / 1000 + 90);
    const github = { 'x-ratelimit-limit': '60', 'x-ratelimit-remaining': '0', 'x-ratelimit-reset': reset };
    expect(readBudget(github, startTime)).toEqual({ limit: 60, remaining: 0, resetMs: 90_000 });
    expect(readBudget({ ratelimit: '"default";r=50;t=30' }, startTime)).toEqual({ remaining: 50, resetMs: 30_000 });
    expect(readBudget({ 'ratelimit-remaining': 'many', ratelimit: 'x' }, startTime)).toEqual({});
  });

  it('leaves a registry alone while a tenth or less is left, so that builds have it', () => {
    expect(savingPauseMs({})).toBe(0);
    expect(savingPauseMs({ limit: 100, remaining: 11, windowMs: 21_600_000 })).toBe(0);
    expect(savingPauseMs({ limit: 100, remaining: 10, windowMs: 21_600_000 })).toBe(2_160_000);
    expect(savingPauseMs({ limit: 100, remaining: 0, resetMs: 30_000 })).toBe(30_000);
    expect(savingPauseMs({ remaining: 5 })).toBe(0);
    expect(savingPauseMs({ remaining: 0 })).toBe(360_000);
  });

  it('is asked for by Retry-After in seconds or as a date, and never for longer than six hours', () => {
    expect(readRetryAfter({ 'retry-after': '120' }, startTime)).toBe(120_000);
    expect(readRetryAfter({ 'retry-after': 'Sat, 21 Nov 2026 09:01:00 GMT' }, startTime)).toBe(60_000);
    expect(readRetryAfter({ 'retry-after': 'soon' }, startTime)).toBeUndefined();
    expect(busyPauseMs(120_000, {}, 1000)).toBe(120_000);
    expect(busyPauseMs(undefined, { resetMs: 5000 }, 1000)).toBe(5000);
    expect(busyPauseMs(1, {}, 30_000)).toBe(30_000);
    expect(busyPauseMs(1e12, {}, 1)).toBe(21_600_000);
  });

  it('is met with pauses that double up to an hour, varied by a quarter', () => {
    expect([1, 2, 3].map((failures) => backoffMs(failures, 0.5))).toEqual([30_000, 60_000, 120_000]);
    expect([backoffMs(1, 0), backoffMs(50, 0.5)]).toEqual([22_500, 3_600_000]);
  });
});
