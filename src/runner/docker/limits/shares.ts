import type { StepId } from '../../../domain/step.ts';
import { heaviestApart } from './heaviest.ts';

/** A step that has a part of what its run may have. */
export interface Sharer {
  readonly id: StepId;
  /** The steps that are over before it starts, through others too. */
  readonly ancestors: ReadonlySet<StepId>;
  /** It goes on until the end of the run. */
  readonly stays: boolean;
  /** What it asks for; undefined: an equal part of what is left. */
  readonly demand: number | undefined;
}

/** What is shared. Whole numbers of any unit. */
export interface Whole {
  readonly total: number;
  /** A part must not be smaller. */
  readonly least: number;
  /** How many steps, of those that do not stay, are at work at the same time; undefined: any number. */
  readonly maxParallel: number | undefined;
}

/** Why something cannot be shared: a step asks for more than there is, alone or beside others; or what is left for it is too little. */
export interface ShareFault {
  readonly kind: 'too-much' | 'too-much-beside' | 'too-little';
  readonly id: StepId;
  /** What the step asks for, or would have. */
  readonly amount: number;
  /** What steps that may be beside it ask for. */
  readonly beside: number;
}

export type Shares =
  { readonly ok: true; readonly of: ReadonlyMap<StepId, number> } | { readonly ok: false; readonly fault: ShareFault };

function isBefore(one: Sharer, other: Sharer): boolean {
  return !one.stays && other.ancestors.has(one.id);
}

/** The most that sharers which may be at work at the same time weigh, when `slots` of those that do not stay are. */
function heaviest(sharers: readonly Sharer[], weigh: (sharer: Sharer) => number, slots: number): number {
  const sum = (some: readonly Sharer[]): number => some.reduce((total, one) => total + weigh(one), 0);
  const passing = sharers.filter(({ stays }) => !stays).sort((one, other) => weigh(other) - weigh(one));
  const bySlots = sum(sharers.filter(({ stays }) => stays)) + sum(passing.slice(0, slots));
  const isApart = (one: number, other: number): boolean => {
    const [early, late] = [sharers[one], sharers[other]];
    return early !== undefined && late !== undefined && isBefore(early, late);
  };
  return Math.min(bySlots, heaviestApart(sharers.map(weigh), isApart));
}

interface Beside {
  /** The most that steps beside it ask for. */
  readonly asked: number;
  /** The most steps beside it that ask for nothing. */
  readonly others: number;
}

/** Remembers by the steps that are beside one: those of a level, or of a chain, have the same. */
function createLook(sharers: readonly Sharer[], maxParallel: number): (sharer: Sharer) => Beside {
  const known = new Map<string, Beside>();
  return (sharer) => {
    const beside = sharers.filter((one) => one !== sharer && !isBefore(one, sharer) && !isBefore(sharer, one));
    const slots = sharer.stays ? maxParallel : maxParallel - 1;
    const key = `${slots} ${beside.map(({ id }) => id).join(' ')}`;
    const found = known.get(key) ?? {
      asked: heaviest(
        beside.filter(({ demand }) => demand !== undefined),
        ({ demand = 0 }) => demand,
        slots,
      ),
      others: heaviest(
        beside.filter(({ demand }) => demand === undefined),
        () => 1,
        slots,
      ),
    };
    known.set(key, found);
    return found;
  };
}

/**
 * Shares what a run may have among its steps so that those which may be at work at the same time never have more than the whole together:
 * a step that asks for something has that, the others have equal parts of what the asking ones beside them leave. A step that has the run
 * for itself has all of it.
 */
export function shareOut(sharers: readonly Sharer[], { total, least, maxParallel }: Whole): Shares {
  const greedy = sharers.find(({ demand = 0 }) => demand > total);
  if (greedy) return { ok: false, fault: { kind: 'too-much', id: greedy.id, amount: greedy.demand ?? 0, beside: 0 } };
  const look = createLook(sharers, maxParallel ?? Number.POSITIVE_INFINITY);
  const shares = new Map<StepId, number>();
  for (const sharer of sharers) {
    const { id, demand } = sharer;
    const { asked, others } = look(sharer);
    const share = demand ?? Math.floor((total - asked) / (others + 1));
    const fault = { id, amount: Math.max(0, share), beside: asked };
    if (demand !== undefined && demand + asked > total)
      return { ok: false, fault: { kind: 'too-much-beside', ...fault } };
    if (demand === undefined && share < least) return { ok: false, fault: { kind: 'too-little', ...fault } };
    shares.set(id, share);
  }
  return { ok: true, of: shares };
}
