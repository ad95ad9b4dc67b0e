import { writeSync } from 'node:fs';
import { ownDirectory } from '../../src/blob/disk/ownership.ts';
import { FailureError } from '../../src/domain/failure.ts';

/** A process that owns the directory in its argument until it is killed; prints `owner`, or the reason why not. */
const [directory = '', startAt = '0'] = process.argv.slice(2);
await new Promise((resolve) => setTimeout(resolve, Math.max(0, Number(startAt) - Date.now())));
try {
  await ownDirectory(directory);
  writeSync(1, 'owner\n');
  setInterval(() => undefined, 60_000);
} catch (error) {
  writeSync(1, `${error instanceof FailureError ? error.failure.reason : String(error)}\n`);
}
