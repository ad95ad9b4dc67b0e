import { createHash } from 'node:crypto';
import { writeSync } from 'node:fs';
import { openFileJournal } from '../../src/blob/disk/journal.ts';

/** What the entry with this number is made of: 0 to 64 KiB that only this number has. */
export function entryBytes(sequence: number): Buffer {
  const seed = createHash('sha512').update(String(sequence)).digest();
  return Buffer.alloc(sequence % 10 === 0 ? seed.readUInt16BE(0) : (seed[0] ?? 0), seed);
}

/** A process that appends to the journal in its argument until it is killed, and prints the numbers that are durable. */
async function appendForEver(directory: string): Promise<void> {
  const journal = await openFileJournal(directory, { segmentBytes: 1024 * 1024, stepBytes: 256 * 1024 });
  let last = 0;
  for await (const { sequence } of journal.read(0)) last = sequence;
  for (;;) {
    last += 1;
    if (!(await journal.append(last, entryBytes(last)))) throw new Error('nobody else appends');
    writeSync(1, `${String(last)}\n`);
  }
}

const [directory] = process.argv.slice(2);
if (directory !== undefined && import.meta.filename === process.argv[1]) await appendForEver(directory);
