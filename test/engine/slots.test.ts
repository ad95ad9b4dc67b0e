import { describe, expect, it } from 'vitest';
import { createSlots } from '../../src/engine/slots.ts';
import { settle } from './tries.ts';

function openWork() {
  const started: string[] = [];
  const ends = new Map<string, { resolve: () => void; reject: (error: Error) => void }>();
  const work = (name: string) => (): Promise<string> =>
    new Promise((resolve, reject) => {
      started.push(name);
      ends.set(name, {
        resolve: () => {
          resolve(name);
        },
        reject,
      });
    });
  return { started, ends, work };
}

describe('slots', () => {
  it('let no more work than their number start, in the order in which it came', async () => {
    const { started, ends, work } = openWork();
    const slots = createSlots(2);
    const all = Promise.all(['a', 'b', 'c', 'd'].map((name) => slots(work(name))));
    await settle();
    expect(started).toEqual(['a', 'b']);
    ends.get('b')?.resolve();
    await settle();
    expect(started).toEqual(['a', 'b', 'c']);
    for (const name of ['a', 'c']) ends.get(name)?.resolve();
    await settle();
    ends.get('d')?.resolve();
    expect(await all).toEqual(['a', 'b', 'c', 'd']);
  });

  it('are free again after work that failed', async () => {
    const { started, ends, work } = openWork();
    const slots = createSlots(1);
    const bad = slots(work('bad'));
    const good = slots(work('good'));
    await settle();
    ends.get('bad')?.reject(new Error('no'));
    await expect(bad).rejects.toThrow('no');
    await settle();
    expect(started).toEqual(['bad', 'good']);
    ends.get('good')?.resolve();
    expect(await good).toBe('good');
    await expect(slots(() => Promise.resolve('later'))).resolves.toBe('later');
  });

  it('are without number unless told', async () => {
    const { started, work } = openWork();
    const slots = createSlots();
    for (let count = 0; count < 50; count += 1) void slots(work(`${count}`));
    await settle();
    expect(started).toHaveLength(50);
  });

  it('cannot be fewer than one', () => {
    for (const limit of [0, -1, Number.NaN]) expect(() => createSlots(limit)).toThrow('maxParallel must be at least 1');
  });
});
