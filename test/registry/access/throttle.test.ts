import { describe, expect, it } from 'vitest';
import { createLoginThrottle } from '../../../src/registry/access/throttle.ts';

function setUp() {
  const clock = { time: 1_000_000, now: () => clock.time };
  return { clock, throttle: createLoginThrottle(clock) };
}

const ada = { username: 'ada', address: '192.0.2.1' };

describe('failed logins', () => {
  it('cost nothing at first, then twice as long each time, up to a minute', () => {
    const { clock, throttle } = setUp();
    const waits = Array.from({ length: 14 }, () => {
      clock.time += throttle.waitMs(ada);
      throttle.failed(ada);
      return throttle.waitMs(ada) / 1000;
    });
    expect(waits).toEqual([0, 0, 0, 0, 1, 2, 4, 8, 16, 32, 60, 60, 60, 60]);
  });

  it('of one name from one address hold up neither others there nor the same name elsewhere', () => {
    const { clock, throttle } = setUp();
    for (let tries = 0; tries < 200; tries += 1) {
      clock.time += throttle.waitMs(ada);
      throttle.failed(ada);
    }
    expect(throttle.waitMs(ada)).toBe(60_000);
    expect(throttle.waitMs({ ...ada, username: 'bob' })).toBe(0);
    expect(throttle.waitMs({ ...ada, address: '192.0.2.2' })).toBe(0);
  });

  it('with many names from one address hold that address up, for seconds', () => {
    const { throttle } = setUp();
    for (let at = 0; at < 40; at += 1) throttle.failed({ ...ada, username: `name${String(at)}` });
    expect(throttle.waitMs({ ...ada, username: 'fresh' })).toBe(10_000);
    expect(throttle.waitMs({ username: 'fresh', address: '192.0.2.9' })).toBe(0);
  });

  it('of one name from many addresses hold up strangers for seconds, and those who were right before not at all', () => {
    const { throttle } = setUp();
    throttle.succeeded(ada);
    for (let at = 0; at < 60; at += 1) throttle.failed({ username: 'ada', address: `198.51.100.${String(at)}` });
    expect(throttle.waitMs({ username: 'ada', address: '203.0.113.1' })).toBe(5000);
    expect(throttle.waitMs(ada)).toBe(0);
  });

  it('are forgotten by a right password, and after a quarter of an hour', () => {
    const { clock, throttle } = setUp();
    for (let tries = 0; tries < 6; tries += 1) throttle.failed(ada);
    expect(throttle.waitMs(ada)).toBe(2000);
    throttle.succeeded(ada);
    expect(throttle.waitMs(ada)).toBe(0);
    for (let tries = 0; tries < 6; tries += 1) throttle.failed(ada);
    clock.time += 15 * 60_000;
    throttle.failed(ada);
    expect(throttle.waitMs(ada)).toBe(0);
  });

  it('of one old password do not add up against its address, though another has the same name and is right', () => {
    const { clock, throttle } = setUp();
    for (let tries = 0; tries < 100; tries += 1) {
      throttle.failed(ada);
      throttle.succeeded(ada);
      clock.time += 1000;
    }
    expect(throttle.waitMs({ ...ada, username: 'bob' })).toBe(0);
  });
});
