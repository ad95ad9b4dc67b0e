import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll } from 'vitest';
import { createObjectJournal } from '../../src/blob/object-journal.ts';
import { createS3BlobStore } from '../../src/blob/s3/store.ts';
import { systemClock } from '../../src/domain/clock.ts';
import { describeBlobStore } from '../blob/contract.ts';
import { describeJournal } from '../blob/journal-contract.ts';
import { startS3, type S3Server } from '../rig/s3-server.ts';

let server: S3Server;
let bucket: string;
beforeAll(async () => {
  server = await startS3();
  bucket = await server.newBucket();
});
afterAll(() => server.dispose());

describeBlobStore('an S3 blob store', async () => ({
  store: await createS3BlobStore({ ...server.settings, bucket, prefix: randomUUID(), clock: systemClock }),
  dispose: () => Promise.resolve(),
}));

describeJournal('the journal of objects in S3', async () => {
  const prefix = randomUUID();
  let now = 1_700_000_000_000;
  const clock = { now: () => now };
  const open = async () => {
    const storage = await createS3BlobStore({ ...server.settings, bucket, prefix, clock: systemClock });
    return createObjectJournal({ storage, prefix: 'registry/journal/', clock });
  };
  return Promise.resolve({ open, passTime: () => (now += 11 * 60_000), dispose: () => Promise.resolve() });
});
