import type { Amount } from '../../domain/registry-upkeep.ts';
import type { Digest } from '../../domain/digest.ts';
import { contentKey } from '../layout.ts';
import { settleAll } from '../settle.ts';
import type { RegistryState } from '../state.ts';
import { beginRemoving, endRemoving, postpone, takeOver } from './condemned.ts';

/** Contents that are removed together; pushes of one of them wait that long. */
const atOnce = 16;
/** After this a removal does not begin any more: another process may have taken it over. */
const mostDelayMs = 60_000;
/** How long a removal of another process is left to that process. */
const foreignMs = 5 * 60 * 1000;

/** Removes the bytes of condemned contents from the store. */
export class Removal {
  readonly #state: RegistryState;
  readonly #by: string;
  /** When removals of others were first seen. */
  readonly #foreign = new Map<Digest, number>();

  constructor(state: RegistryState) {
    this.#state = state;
    this.#by = state.processId;
  }

  /** Removes those that have been condemned since `before` or earlier, unless somebody has come to hold them. */
  async removeDue(due: readonly Digest[], before: number, signal: AbortSignal): Promise<Amount> {
    let [count, bytes] = [0, 0];
    for (let start = 0; start < due.length && !signal.aborted; start += atOnce) {
      const began = this.#state.clock.now();
      const ours = await beginRemoving(this.#state, due.slice(start, start + atOnce), { before, by: this.#by });
      bytes += await this.#remove(ours, began);
      count += ours.length;
    }
    return { count, bytes };
  }

  /** Ends the removals that were begun: by an earlier process, by one that has not ended them for long, or by this one when the store failed. */
  async finish(): Promise<Amount> {
    const { index, clock } = this.#state;
    const removing = [...index.condemned].filter(([, { state }]) => state === 'removing');
    this.#forgetForeign(new Set(removing.map(([digest]) => digest)));
    let [count, bytes] = [0, 0];
    const left = removing.filter(([digest, { by }]) => by === this.#by || this.#isLeft(digest, by));
    for (let start = 0; start < left.length; start += atOnce) {
      const some = left.slice(start, start + atOnce);
      const began = clock.now();
      const mine = some.filter(([, { by }]) => by === this.#by).map(([digest]) => digest);
      const others = some.filter(([, { by }]) => by !== this.#by).map(([digest]) => digest);
      const taken = others.length === 0 ? [] : await takeOver(this.#state, others, this.#by);
      bytes += await this.#remove([...mine, ...taken], began);
      count += mine.length + taken.length;
    }
    return { count, bytes };
  }

  /** Without other processes, whoever began it is no more; a check of this process ends what it begins. */
  #isLeft(digest: Digest, by = ''): boolean {
    const { ledger, clock } = this.#state;
    if (by.startsWith(this.#by)) return false;
    if (!ledger.isShared) return true;
    const seen = this.#foreign.get(digest) ?? clock.now();
    this.#foreign.set(digest, seen);
    return clock.now() - seen > foreignMs;
  }

  #forgetForeign(removing: ReadonlySet<Digest>): void {
    for (const digest of this.#foreign.keys()) if (!removing.has(digest)) this.#foreign.delete(digest);
  }

  /** When the store fails, they stay as they are, and the next round tries again. */
  async #remove(digests: readonly Digest[], began: number): Promise<number> {
    if (digests.length === 0) return 0;
    const { clock, storage } = this.#state;
    if (clock.now() - began > mostDelayMs) {
      await postpone(this.#state, digests, this.#by);
      return 0;
    }
    let bytes = 0;
    const removed = digests.map(async (digest) => {
      const found = await storage.stat(contentKey(digest));
      if (found !== undefined && (await storage.delete(contentKey(digest)))) bytes += found.size;
    });
    await settleAll(removed);
    await endRemoving(this.#state, digests, this.#by);
    return bytes;
  }
}
