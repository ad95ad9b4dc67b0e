import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { lanes } from '../../src/domain/run-cause.ts';
import { lastPriority, overtakenFor, poolKey, priorityOf } from '../../src/queue/priority.ts';

const noon = Date.parse('2026-11-21T12:00:00Z');
const minute = 60_000;

describe('the place in the queue', () => {
  it('puts the lanes in their order when they come together', () => {
    const places = lanes.map((lane) => priorityOf({ lane, since: noon }, noon));
    expect(places).toEqual([...places].sort((x, y) => x - y));
    expect(new Set(places).size).toBe(lanes.length);
  });

  it('lets people go before pushes of the last minutes, and not before older ones', () => {
    const person = priorityOf({ lane: 'people', since: noon }, noon);
    expect(person).toBeLessThan(priorityOf({ lane: 'pushes', since: noon - 4 * minute }, noon));
    expect(person).toBeGreaterThan(priorityOf({ lane: 'pushes', since: noon - 16 * minute }, noon));
    expect(person).toBeLessThan(priorityOf({ lane: 'patches', since: noon - 54 * minute }, noon));
    expect(person).toBeGreaterThan(priorityOf({ lane: 'patches', since: noon - 66 * minute }, noon));
  });

  it('takes the present for a run that does not say its age, and people for its lane', () => {
    expect(priorityOf({}, noon)).toBe(priorityOf({ lane: 'people', since: noon }, 0));
  });

  it('is one that the queue can have, whatever the clock says', () => {
    const times = fc.double({ noNaN: true, min: -8.64e15, max: 8.64e15 });
    fc.assert(
      fc.property(times, fc.constantFrom(...lanes), (since, lane) => {
        const place = priorityOf({ lane, since }, noon);
        expect(Number.isInteger(place) && place >= 1 && place <= lastPriority).toBe(true);
      }),
    );
  });

  it('starves no lane: whoever comes after a bounded time goes behind', () => {
    const times = fc.integer({ min: noon, max: noon + 20 * 365 * 24 * 60 * minute });
    const lane = fc.constantFrom(...lanes);
    fc.assert(
      fc.property(times, lane, lane, fc.nat(), (since, own, other, extra) => {
        const waits = priorityOf({ lane: own, since }, noon);
        const comes = priorityOf({ lane: other, since: since + overtakenFor(own) + extra }, noon);
        expect(comes).toBeGreaterThanOrEqual(waits);
      }),
    );
  });

  it('keeps the order within a lane', () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 2 ** 43 }), fc.nat(), fc.constantFrom(...lanes), (since, later, lane) => {
        expect(priorityOf({ lane, since }, 0)).toBeLessThanOrEqual(priorityOf({ lane, since: since + later }, 0));
      }),
    );
  });
});

describe('the name of a pool', () => {
  it('is the same in any letter case, and nothing for the default pool', () => {
    expect(['GPU', 'gpu', 'default', 'Default', undefined].map(poolKey)).toEqual(['gpu', 'gpu', '', '', '']);
  });
});
