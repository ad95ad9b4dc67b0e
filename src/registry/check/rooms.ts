import type { Journal } from '../../blob/journal-ports.ts';
import type { CheckMessage, CheckOrder, CheckPhase, Finding } from '../../domain/registry-upkeep.ts';
import type { Sessions } from '../sessions.ts';
import type { RegistryState } from '../state.ts';
import { Pace } from './pace.ts';

/** What a check looks at. */
export interface CheckedRooms {
  readonly state: RegistryState;
  readonly journal: Journal;
  readonly sessions: Pick<Sessions, 'removeExpired'>;
}

/** One check under way. */
export interface CheckRun extends CheckedRooms {
  readonly order: CheckOrder;
  readonly pace: Pace;
  readonly signal: AbortSignal;
  /** What was found so far. */
  readonly tally: { findings: number; left: number };
  /** Makes a message of a finding, and counts it. */
  found(finding: Finding): CheckMessage;
}

/** @param signal ends the check. */
export function beginCheck(rooms: CheckedRooms, order: CheckOrder, signal: AbortSignal): CheckRun {
  const tally = { findings: 0, left: 0 };
  return {
    ...rooms,
    order,
    signal,
    tally,
    pace: new Pace(order.bytesPerSecond),
    found: (finding) => {
      tally.findings += 1;
      if (finding.repaired === undefined && finding.severity !== 'note') tally.left += 1;
      return { is: 'finding', ...finding };
    },
  };
}

const showEveryMs = 500;

/** Says now and then how far a phase is. */
export class Progress {
  readonly #run: CheckRun;
  readonly #phase: CheckPhase;
  readonly #total: number | undefined;
  #shown = performance.now();
  done = 0;

  constructor(run: CheckRun, phase: CheckPhase, total?: number) {
    this.#run = run;
    this.#phase = phase;
    this.#total = total;
  }

  /** A message when it is time for one again. */
  *step(count = 1): Generator<CheckMessage> {
    this.done += count;
    if (performance.now() - this.#shown < showEveryMs) return;
    yield this.end();
  }

  /** The message that ends the phase. */
  end(): CheckMessage {
    this.#shown = performance.now();
    const total = this.#total === undefined ? {} : { total: this.#total };
    return { is: 'progress', phase: this.#phase, done: this.done, ...total, bytes: this.#run.pace.bytes };
  }
}
