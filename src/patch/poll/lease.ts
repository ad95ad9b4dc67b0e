import type { Clock } from '../../domain/clock.ts';
import type { OnceLedger } from '../../store/ports.ts';

/** Who of several processes does what only one is to do. */
export interface Lease {
  /**
   * True when this process has it now: to be asked often, at least a few times in each `slotMs`. Rejects with `redis-unavailable` when the
   * store is away.
   */
  hold(): Promise<boolean>;
  /** Gives it up: another process has it by the next slot. */
  release(): Promise<void>;
}

/**
 * A lease by slots of time, on a ledger that knows no renewal: who has a slot claims the next one in its second half, before anybody else
 * may. A process that dies loses it with the slot after the next. Clocks that are apart by more than half a slot can make two hold it.
 */
export function createLease(once: OnceLedger, name: string, clock: Clock, slotMs = 60_000): Lease {
  const mine = new Set<number>();
  const tried = new Set<number>();
  const keyOf = (slot: number): string => `lease/${name}/${String(slot)}`;
  const claim = async (slot: number): Promise<void> => {
    if (tried.has(slot)) return;
    const isMine = await once.claim(keyOf(slot), Math.ceil((3 * slotMs) / 1000));
    tried.add(slot);
    if (isMine) mine.add(slot);
  };
  const forgetBefore = (slot: number): void => {
    for (const set of [mine, tried]) for (const one of set) if (one < slot) set.delete(one);
  };
  return {
    async hold() {
      const now = clock.now();
      const slot = Math.floor(now / slotMs);
      forgetBefore(slot);
      await claim(slot);
      if (mine.has(slot) && now % slotMs >= slotMs / 2) await claim(slot + 1);
      return mine.has(slot);
    },
    async release() {
      const slots = [...mine];
      mine.clear();
      await Promise.all(slots.map((slot) => once.release(keyOf(slot))));
    },
  };
}
