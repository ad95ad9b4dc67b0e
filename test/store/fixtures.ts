import { setMaxListeners } from 'node:events';
import { afterEach, beforeEach } from 'vitest';
import type { Clock } from '../../src/domain/clock.ts';
import type { Digest } from '../../src/domain/digest.ts';
import type { RunEvent, SequencedEvent } from '../../src/domain/event.ts';
import type { Run, RunId } from '../../src/domain/run.ts';
import type { StepId } from '../../src/domain/step.ts';
import type { DeliveryLimits } from '../../src/store/delivery-limits.ts';
import type { OutputLimit } from '../../src/store/output-limit.ts';
import type { NewRun, Store } from '../../src/store/ports.ts';
import { aRequest } from '../rig/runs.ts';

/** A clock that stands still until it is moved. */
export class TestClock implements Clock {
  #now = Date.parse('2026-11-21T09:00:00.000Z');
  now(): number {
    return this.#now;
  }
  advance(ms: number): void {
    this.#now += ms;
  }
}

/** Makes an empty store; whoever asked for it closes it. */
export type OpenStore = (options: {
  clock: Clock;
  outputLimit?: OutputLimit;
  deliveryLimits?: DeliveryLimits;
}) => Promise<Store>;

/** A run that no test makes. */
export const nobody = 'ca99999' as RunId;
/** The one step of the runs here. */
export const build = 'build' as StepId;
/** Of every image here. */
export const digest = `sha256:${'a'.repeat(64)}` as Digest;
/** What that step pushes. */
export const image = { registry: 'localhost:5080', repository: 'team/app', tag: 'v1', digest };

/** A new quick build; `change` overrides. */
export function aNewRun(change: Partial<NewRun> = {}): NewRun {
  return { runType: 'QuickBuild', request: aRequest(), ...change };
}

/** One line of output. */
export function line(text: string): RunEvent {
  return { kind: 'output', step: build, stream: 'stdout', text };
}

/** The run is Running from here on. */
export const planned: RunEvent = { kind: 'run-planned', steps: [{ id: build, kind: 'build' }] };
/** The run has Succeeded. */
export const ended: RunEvent = { kind: 'run-ended', status: 'Succeeded' };

/** Takes what comes until there were `count` events, or the end. */
export async function take(events: AsyncIterable<SequencedEvent>, count = Infinity): Promise<SequencedEvent[]> {
  const taken: SequencedEvent[] = [];
  if (count === 0) return taken;
  for await (const event of events) {
    taken.push(event);
    if (taken.length === count) break;
  }
  return taken;
}

/** The texts of output, the kinds of all else. */
export function texts(events: readonly SequencedEvent[]): string[] {
  return events.map((event) => (event.kind === 'output' ? event.text : event.kind));
}

/** The numbers of events. */
export async function seqsOf(events: Promise<SequencedEvent[]>): Promise<number[]> {
  return (await events).map(({ seq }) => seq);
}

/** A store for each test of the block, with a clock of its own, and the usual ways to have something in it. */
export function useStore(open: OpenStore) {
  const never = new AbortController().signal;
  setMaxListeners(0, never);
  const at = { clock: new TestClock(), store: undefined as unknown as Store };
  beforeEach(async () => {
    at.clock = new TestClock();
    at.store = await open({ clock: at.clock });
  });
  afterEach(() => at.store.close());

  const queued = async (change: Partial<NewRun> = {}): Promise<Run> =>
    (await at.store.runs.create(aNewRun(change))).run;
  const started = async (change: Partial<NewRun> = {}): Promise<RunId> => {
    const { runId } = await queued(change);
    await at.store.runs.begin(runId, 'w1');
    return runId;
  };
  const all = (id: RunId) => at.store.events.read(id, 0, 10_000);
  const statusOf = async (id: RunId) => (await at.store.runs.get(id))?.status;
  return { at, never, queued, started, all, statusOf };
}
