import { describe, expect, it, vi } from 'vitest';
import { withHint, type JournalHint } from '../../src/blob/hinted-journal.ts';
import type { Journal } from '../../src/blob/journal-ports.ts';
import { createMemoryJournal, JournalMemory } from '../../src/blob/memory/journal.ts';

/** What processes share, with a clock of its own. */
function rig() {
  const memory = new JournalMemory();
  const hint = { value: undefined as number | undefined, isAway: false };
  const clock = { time: 0 };
  let looks = 0;
  const port: JournalHint = {
    announce: (sequence) => {
      if (hint.isAway) return Promise.reject(new Error('away'));
      hint.value = Math.max(hint.value ?? 0, sequence);
      return Promise.resolve();
    },
    newest: () => (hint.isAway ? Promise.reject(new Error('away')) : Promise.resolve(hint.value)),
    forget: (sequence) => {
      if (hint.value === sequence) hint.value = undefined;
      return Promise.resolve();
    },
  };
  const open = (): Journal => {
    const inner = createMemoryJournal({ memory, isShared: true });
    const read = inner.read.bind(inner);
    inner.read = (after) => {
      looks += 1;
      return read(after);
    };
    return withHint(inner, port, () => clock.time);
  };
  return { hint, clock, open, looks: () => looks };
}

async function numbers(journal: Journal, after: number): Promise<number[]> {
  const found: number[] = [];
  for await (const { sequence } of journal.read(after)) found.push(sequence);
  return found;
}

describe('a journal with a hint', () => {
  it('is not asked while the hint says that nothing came, and a few times a second all the same', async () => {
    const { open, clock, looks } = rig();
    const journal = open();
    await journal.append(1, Buffer.from('a'));
    for (let time = 0; time < 3000; time += 50) {
      clock.time = time;
      expect(await numbers(journal, 1)).toEqual([]);
    }
    expect(looks()).toBeLessThan(12);
    expect(looks()).toBeGreaterThan(8);
  });

  it('finds what another process appended at once', async () => {
    const { open, looks } = rig();
    const [a, b] = [open(), open()];
    expect(await numbers(b, 0)).toEqual([]);
    for (let sequence = 1; sequence <= 20; sequence += 1) {
      await a.append(sequence, Buffer.from('x'));
      expect(await numbers(b, sequence - 1)).toEqual([sequence]);
    }
    const before = looks();
    expect(await numbers(b, 20)).toEqual([]);
    expect(looks()).toBe(before);
  });

  it('is asked each time while the hint is away or has forgotten', async () => {
    const { open, hint } = rig();
    const [a, b] = [open(), open()];
    await a.append(1, Buffer.from('x'));
    expect(await numbers(b, 0)).toEqual([1]);
    hint.value = undefined;
    expect(await numbers(b, 0)).toEqual([1]);
    hint.isAway = true;
    expect(await numbers(b, 0)).toEqual([1]);
  });

  it('tells that an entry is there only when all have asked, where it could not be announced', async () => {
    vi.useFakeTimers();
    try {
      const { open, hint, clock } = rig();
      const [a, b] = [open(), open()];
      await a.append(1, Buffer.from('x'));
      expect(await numbers(b, 0)).toEqual([1]);
      hint.isAway = true;
      const appended = a.append(2, Buffer.from('y'));
      await vi.advanceTimersByTimeAsync(100);
      hint.isAway = false; // b reaches it, and it does not know of 2
      clock.time = 100;
      expect(await numbers(b, 1)).toEqual([]);
      await vi.advanceTimersByTimeAsync(200);
      clock.time = 300;
      expect(await appended).toBe(true);
      expect(await numbers(b, 1)).toEqual([2]);
    } finally {
      vi.useRealTimers();
    }
  });

  it('forgets a number that is higher than the end', async () => {
    const { open, hint, looks } = rig();
    const journal = open();
    await journal.append(1, Buffer.from('x'));
    hint.value = 900; // of before a backup was restored
    expect(await numbers(journal, 1)).toEqual([]);
    await journal.append(2, Buffer.from('x'));
    const before = looks();
    expect(await numbers(journal, 2)).toEqual([]);
    expect(looks()).toBe(before);
  });
});
