import { createInterface } from 'node:readline';
import type { BlobStore } from '../blob/ports.ts';
import { fail } from '../domain/failure.ts';
import type { Change } from './changes.ts';
import { RegistryIndex } from './contents.ts';
import { parseSnapshotKey, snapshotKey, snapshotsPrefix, stagedSnapshotPrefix } from './layout.ts';

/*
 * A snapshot is a file of changes, one JSON document a line, that make the index as it was after some entry of the journal, or
 * later: it is written while the registry goes on, and the entries that follow are applied on top of it in any case (changes.ts).
 * The first line says what it is, the last how many changes it has.
 */

interface Head {
  readonly version: 1;
  readonly sequence: number;
}

interface Tail {
  readonly end: true;
  readonly changes: number;
}

/** Lines that are put together into one chunk, so that other work gets its turn between chunks. */
const linesAtOnce = 500;

async function* linesOf(changes: Iterable<Change>, sequence: number): AsyncGenerator<Buffer> {
  const head: Head = { version: 1, sequence };
  let lines = [JSON.stringify(head)];
  let count = 0;
  for (const change of changes) {
    lines.push(JSON.stringify(change));
    count += 1;
    if (lines.length < linesAtOnce) continue;
    yield Buffer.from(`${lines.join('\n')}\n`);
    lines = [];
    await new Promise(setImmediate);
  }
  const tail: Tail = { end: true, changes: count };
  yield Buffer.from(`${[...lines, JSON.stringify(tail)].join('\n')}\n`);
}

/** Writes a snapshot that holds at least all that is applied by now, and removes those before it; resolves to its bytes. */
export async function writeSnapshot(
  storage: BlobStore,
  changes: Iterable<Change>,
  sequence: number,
  id: string,
): Promise<number> {
  const staged = await storage.begin(stagedSnapshotPrefix + id);
  try {
    const size = await staged.append(linesOf(changes, sequence));
    await staged.commit(snapshotKey(sequence));
    for (const older of await listSnapshots(storage)) {
      if (older < sequence) await storage.delete(snapshotKey(older));
    }
    return size;
  } finally {
    await staged.discard();
  }
}

/** Makes the index what the newest snapshot says, and resolves to the entry from which the journal goes on; 0: from its first. */
export async function readNewestSnapshot(storage: BlobStore, index: RegistryIndex): Promise<number> {
  const mostTries = 5;
  for (let tries = 1; ; tries += 1) {
    const sequence = (await listSnapshots(storage)).at(-1);
    const fresh = new RegistryIndex();
    if (sequence === undefined || (await applySnapshot(storage, fresh, sequence))) {
      index.become(fresh);
      return sequence ?? 0;
    }
    // Another process may have written a newer one and removed this.
    if (tries === mostTries)
      throw fail('storage-unavailable', `the registry's snapshot ${snapshotKey(sequence)} is damaged`);
  }
}

async function applySnapshot(storage: BlobStore, index: RegistryIndex, sequence: number): Promise<boolean> {
  const reading = await storage.read(snapshotKey(sequence));
  if (reading === undefined) return false;
  let count = -1;
  for await (const line of createInterface({ input: reading.stream, crlfDelay: Infinity })) {
    const value = parseLine(line);
    if (value === undefined) return false;
    if ('end' in value) return value.changes === count;
    if (count >= 0) index.apply(value as Change);
    count += 1;
  }
  return false;
}

function parseLine(line: string): Head | Tail | Change | undefined {
  try {
    return JSON.parse(line) as Head | Tail | Change;
  } catch {
    return undefined;
  }
}

/** The sequences of the snapshots that there are, ascending. */
export async function listSnapshots(storage: BlobStore): Promise<number[]> {
  const { keys } = await storage.list(snapshotsPrefix);
  return keys.flatMap((key) => parseSnapshotKey(key) ?? []);
}
