import type { Clock } from '../../domain/clock.ts';
import type { RunEvent } from '../../domain/event.ts';
import { isFinal, type Run, type RunId } from '../../domain/run.ts';
import type { TaskName } from '../../domain/task.ts';
import { cutEvent, type OutputLimit } from '../output-limit.ts';
import type { NewRun, RunPage, RunStore } from '../ports.ts';
import * as changes from '../run-changes.ts';
import { meetsAll } from '../run-conditions.ts';
import { runNumberOf } from '../run-number.ts';
import { taskKeyOf } from '../task-changes.ts';
import type { MemoryRun, MemoryState } from './state.ts';

const keyLifeMs = 24 * 60 * 60 * 1000;
const unarchivedPage = 1000;

/** The event to write in place of `event`: itself, the mark of the cut, or nothing. */
function limited(entry: MemoryRun, event: RunEvent, limit: OutputLimit): RunEvent | undefined {
  if (event.kind !== 'output') return event;
  const { output } = entry;
  const bytes = output.bytes + Buffer.byteLength(JSON.stringify(event));
  if (!output.isCut && output.events < limit.events && bytes <= limit.bytes) {
    entry.output = { events: output.events + 1, bytes, isCut: false };
    return event;
  }
  entry.output = { ...output, isCut: true };
  return output.isCut ? undefined : cutEvent(limit);
}

function write(entry: MemoryRun, events: readonly RunEvent[], at: string, limit: OutputLimit): void {
  for (const event of events) {
    const written = limited(entry, event, limit);
    if (written) entry.events.push({ ...written, seq: ++entry.lastSeq, at });
  }
  for (const listener of entry.listeners) listener();
}

/** The runs of a memory store: {@link RunStore} to the letter, each method one synchronous step. */
export class MemoryRuns implements RunStore {
  readonly #state: MemoryState;
  readonly #clock: Clock;
  readonly #limit: OutputLimit;

  constructor(state: MemoryState, clock: Clock, limit: OutputLimit) {
    this.#state = state;
    this.#clock = clock;
    this.#limit = limit;
  }

  async create(wanted: NewRun): Promise<{ run: Run; created: boolean }> {
    const { runs, keys } = this.#state;
    const earlier = this.#madeBy(wanted.idempotencyKey);
    if (earlier) return { run: earlier, created: false };
    const runId = this.#state.nameRun(++this.#state.lastRun);
    const run: Run = { runId, ...changes.newRecord(wanted, this.#now()) };
    const output = { events: 0, bytes: 0, isCut: false };
    const entry: MemoryRun = { run, events: [], lastSeq: 0, output, listeners: new Set() };
    runs.set(runId, entry);
    if (wanted.idempotencyKey !== undefined)
      keys.set(wanted.idempotencyKey, { id: runId, until: this.#clock.now() + keyLifeMs });
    write(entry, [{ kind: 'run-queued' }], this.#now(), this.#limit);
    return { run, created: true };
  }

  async createMany(wanted: readonly NewRun[]): Promise<readonly { run: Run; created: boolean }[]> {
    return Promise.all(wanted.map((one) => this.create(one)));
  }

  async get(id: RunId): Promise<Run | undefined> {
    return this.#state.runs.get(id)?.run;
  }

  async list({ conditions, limit, after }: Parameters<RunStore['list']>[0]): Promise<RunPage> {
    const before = (after === undefined ? undefined : runNumberOf(after)) ?? Infinity;
    const matching = [...this.#state.runs.values()]
      .reverse()
      .map((entry) => entry.run)
      .filter((run) => (runNumberOf(run.runId) ?? 0) < before && meetsAll(run, conditions));
    const runs = matching.slice(0, limit);
    const last = runs.at(-1);
    return { runs, ...(matching.length > limit && last && { next: last.runId }) };
  }

  async begin(id: RunId, worker: string): Promise<Run | undefined> {
    const run = this.#change(id, (now) => changes.begin(worker, now));
    return run && !isFinal(run.status) ? run : undefined;
  }

  async append(id: RunId, attempt: number, events: readonly RunEvent[]): Promise<void> {
    const kept = changes.untilEnd(events);
    if (!this.#change(id, (now) => changes.appendTo(attempt, kept, now))) throw changes.supersededError(id);
  }

  async release(id: RunId, attempt: number): Promise<void> {
    if (!this.#change(id, (now) => changes.release(attempt, now))) throw changes.supersededError(id);
  }

  async requestCancel(id: RunId, by: string): Promise<Run | undefined> {
    const run = this.#change(id, (now) => changes.requestCancel(by, now));
    if (run && !isFinal(run.status)) for (const listener of [...this.#state.cancelListeners]) listener(id);
    return run;
  }

  async end(id: RunId, status: 'Canceled' | 'Error', message: string): Promise<void> {
    this.#change(id, (now) => changes.end(status, message, now));
  }

  async setArchived(id: RunId, isArchiveEnabled: boolean): Promise<Run | undefined> {
    return this.#change(id, (now) => changes.setArchived(isArchiveEnabled, now));
  }

  async keepPlan(id: RunId, sealed: string): Promise<void> {
    this.#state.plans.set(id, sealed);
  }

  async findPlan(id: RunId): Promise<string | undefined> {
    return this.#state.plans.get(id);
  }

  async takePlace(id: RunId, task: TaskName, limit: number): Promise<boolean> {
    const { places, runs } = this.#state;
    const isAtWork = (one: RunId): boolean => {
      const run = runs.get(one)?.run;
      return run !== undefined && !isFinal(run.status);
    };
    const taken = new Set([...(places.get(taskKeyOf(task)) ?? [])].filter(isAtWork));
    if (taken.size < limit && isAtWork(id)) taken.add(id);
    places.set(taskKeyOf(task), taken);
    return taken.has(id);
  }

  async removeOld(before: string, limit: number): Promise<readonly RunId[]> {
    const isOld = ({ status, createTime, isArchiveEnabled }: Run): boolean =>
      isFinal(status) && !isArchiveEnabled && Date.parse(createTime) < Date.parse(before);
    const old = [...this.#state.runs.values()].filter(({ run }) => isOld(run)).slice(0, limit);
    const ids = old.map(({ run }) => run.runId);
    for (const id of ids) {
      this.#state.runs.delete(id);
      this.#state.plans.delete(id);
    }
    return ids;
  }

  async listActive(): Promise<readonly Run[]> {
    return [...this.#state.runs.values()].map(({ run }) => run).filter((run) => !isFinal(run.status));
  }

  async listUnarchived(): Promise<readonly RunId[]> {
    const entries = [...this.#state.runs.values()];
    const waiting = entries.filter(({ run, expiresAt }) => isFinal(run.status) && expiresAt === undefined);
    return waiting.slice(0, unarchivedPage).map(({ run }) => run.runId);
  }

  async onCancel(listener: (id: RunId) => void): Promise<() => Promise<void>> {
    const own = (id: RunId): void => {
      listener(id);
    };
    this.#state.cancelListeners.add(own);
    return async () => {
      this.#state.cancelListeners.delete(own);
    };
  }

  #now(): string {
    return new Date(this.#clock.now()).toISOString();
  }

  #madeBy(key: string | undefined): Run | undefined {
    const made = key === undefined ? undefined : this.#state.keys.get(key);
    return made && made.until > this.#clock.now() ? this.#state.runs.get(made.id)?.run : undefined;
  }

  /** The record after the change; undefined: no such run. */
  #change(id: RunId, decideAt: (now: string) => changes.Decide): Run | undefined {
    const entry = this.#state.runs.get(id);
    if (!entry) return undefined;
    const now = this.#now();
    const change = decideAt(now)(entry.run);
    if (change) {
      entry.run = change.run;
      write(entry, change.events, now, this.#limit);
    }
    return entry.run;
  }
}
