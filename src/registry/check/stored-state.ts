import { setTimeout as sleep } from 'node:timers/promises';
import { FailureError } from '../../domain/failure.ts';
import type { CheckMessage } from '../../domain/registry-upkeep.ts';
import { decodeChanges, type Change } from '../changes.ts';
import { RegistryIndex } from '../contents.ts';
import { readNewestSnapshot } from '../snapshots.ts';
import { compareIndexes } from './compare.ts';
import { Progress, type CheckRun } from './rooms.ts';

const mostTries = 5;
/** Differences that are told one by one. */
const mostTold = 50;

/** Builds the state again from snapshot and journal, as the next start will, and compares it with the one in memory. */
export async function* checkStoredState(run: CheckRun): AsyncGenerator<CheckMessage> {
  const progress = new Progress(run, 'state');
  const follower = new Follower(run);
  try {
    const failure = await readState(follower);
    if (failure !== undefined) {
      const hint =
        'restore the store from a backup; what is in memory can be written with slipway registry check --repair';
      const repaired = run.order.repair === true && (await writeAnew(run));
      yield run.found({
        ...{ kind: 'state-unreadable', severity: 'error', where: 'snapshot and journal', message: failure },
        ...(repaired ? { repaired: 'a new snapshot was written from memory' } : { hint }),
      });
      return;
    }
    let told = 0;
    for await (const message of follower.differences()) {
      told += 1;
      if (told > mostTold) break;
      const where = message.where;
      yield run.found({
        kind: 'state-differs',
        severity: 'error',
        where,
        message: message.why,
        hint: 'start the server anew',
      });
    }
    progress.done = follower.sequence;
    yield progress.end();
  } finally {
    follower.close();
  }
}

/** Why it cannot be read, if so. */
async function readState(follower: Follower): Promise<string | undefined> {
  for (let tries = 1; ; tries += 1) {
    try {
      await follower.read();
      return undefined;
    } catch (error) {
      // The journal may have been trimmed while it was read; the newest snapshot is a newer one then.
      const isTrimmed = error instanceof FailureError && error.failure.reason === 'conflict';
      if (!isTrimmed || tries === mostTries) return error instanceof Error ? error.message : String(error);
    }
  }
}

async function writeAnew({ state }: CheckRun): Promise<boolean> {
  const before = state.checkpoints.since;
  await state.checkpoints.write();
  return state.checkpoints.since >= before && (await readNewestSnapshot(state.storage, new RegistryIndex())) > 0;
}

/** A second state, made from what is stored, that goes on with the first. */
class Follower {
  /** The last entry that it includes. */
  sequence = 0;
  readonly #run: CheckRun;
  readonly #stored = new RegistryIndex();
  readonly #stop: () => void;
  readonly #later: { readonly sequence: number; readonly changes: readonly Change[] }[] = [];

  constructor(run: CheckRun) {
    this.#run = run;
    const { ledger } = run.state;
    this.#stop = ledger.listen((changes) => {
      this.#later.push({ sequence: ledger.sequence, changes });
    });
  }

  close(): void {
    this.#stop();
  }

  async read(): Promise<void> {
    const { state, journal } = this.#run;
    this.sequence = await readNewestSnapshot(state.storage, this.#stored);
    for await (const { sequence, bytes } of journal.read(this.sequence)) {
      for (const change of decodeChanges(bytes)) this.#stored.apply(change);
      this.sequence = sequence;
    }
  }

  /** What differs, repository by repository; other work gets its turn between. */
  async *differences(): AsyncGenerator<{ where: string; why: string }> {
    const { index } = this.#run.state;
    const names = new Set([...index.repositories.keys(), ...this.#stored.repositories.keys()]);
    for (const name of [undefined, ...names]) {
      if (!(await this.#catchUp())) return;
      yield* compareIndexes(index, this.#stored, name);
      await new Promise(setImmediate);
    }
  }

  /** Brings both to the same entry; false when that cannot be done, because the first was read anew meanwhile. */
  async #catchUp(): Promise<boolean> {
    const { ledger } = this.#run.state;
    for (let tries = 0; tries < 100; tries += 1) {
      for (const { sequence, changes } of this.#later.splice(0)) {
        if (sequence <= this.sequence) continue;
        if (sequence !== this.sequence + 1) return false;
        for (const change of changes) this.#stored.apply(change);
        this.sequence = sequence;
      }
      if (ledger.sequence === this.sequence) return true;
      // What was read of the journal is about to be applied to the first.
      await ledger.refresh();
      await sleep(10);
    }
    return false;
  }
}
