import { describe, expect, it } from 'vitest';
import { createLease } from '../../../src/patch/poll/lease.ts';
import { createMemoryStore } from '../../../src/store/memory/store.ts';
import { testClock } from './rig.ts';

function open() {
  const clock = testClock();
  const { once } = createMemoryStore({ clock });
  const join = () => createLease(once, 'polls', clock, 60_000);
  return { clock, a: join(), b: join() };
}

describe('a lease', () => {
  it('stays with who has it, as long as that one asks', async () => {
    const { clock, a, b } = open();
    for (let tick = 0; tick < 60; tick += 1) {
      expect([await a.hold(), await b.hold()]).toEqual([true, false]);
      clock.advance(10_000);
    }
  });

  it('is another one’s soon after its holder has fallen silent', async () => {
    const { clock, a, b } = open();
    expect(await a.hold()).toBe(true);
    clock.advance(40_000);
    expect([await a.hold(), await b.hold()]).toEqual([true, false]);
    clock.advance(20_000);
    expect(await b.hold()).toBe(false);
    clock.advance(60_000);
    expect(await b.hold()).toBe(true);
    expect(await a.hold()).toBe(false);
  });

  it('is another one’s in the next slot when its holder gives it up', async () => {
    const { clock, a, b } = open();
    clock.advance(30_000);
    expect([await a.hold(), await b.hold()]).toEqual([true, false]);
    await a.release();
    clock.advance(30_000);
    expect(await b.hold()).toBe(true);
  });
});
