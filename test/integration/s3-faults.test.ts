import { createHash, randomBytes, randomUUID } from 'node:crypto';
import { PassThrough } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import { ListMultipartUploadsCommand, type S3Client } from '@aws-sdk/client-s3';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { connectS3, type S3Settings } from '../../src/blob/s3/client.ts';
import { createS3BlobStore, openS3BlobStore, type KeyLock } from '../../src/blob/s3/store.ts';
import type { BlobStore } from '../../src/blob/ports.ts';
import { systemClock } from '../../src/domain/clock.ts';
import { startS3, type S3Server } from '../rig/s3-server.ts';

const mebibyte = 1024 * 1024;
const unavailable = { failure: { reason: 'storage-unavailable' } };

async function* piecesOf(bytes: Buffer, size = 64 * 1024): AsyncGenerator<Buffer> {
  for (let at = 0; at < bytes.length; at += size) yield await Promise.resolve(bytes.subarray(at, at + size));
}

function digestOf(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex');
}

type Command = 'PutObjectCommand' | 'UploadPartCopyCommand';
interface Attempt {
  readonly input: { IfNoneMatch?: string | undefined; readonly Key?: string; readonly PartNumber?: number };
  /** Which one of its kind it is, from 1. */
  readonly count: number;
}

/** Lets `meddle` act in the place of the network: before an attempt is sent, or, by what it returns, after its answer. */
function meddleWith(client: S3Client, command: Command, meddle: (attempt: Attempt) => (() => void) | undefined): void {
  let count = 0;
  client.middlewareStack.add(
    (next, context) => async (args) => {
      if (context['commandName'] !== command) return next(args);
      count += 1;
      const after = meddle({ input: args.input as Attempt['input'], count });
      const answer = await next(args);
      after?.();
      return answer;
    },
    { step: 'deserialize', priority: 'low' },
  );
}

function serverError(status: number): Error {
  return Object.assign(new Error('no'), { name: 'NotImplemented', $metadata: { httpStatusCode: status } });
}

describe('an S3 blob store in trouble', () => {
  let server: S3Server;
  let settings: S3Settings;
  beforeAll(async () => {
    server = await startS3();
  });
  afterAll(() => server.dispose());
  beforeEach(async () => {
    settings = { ...server.settings, bucket: await server.newBucket() };
  });

  const open = (client?: S3Client, lock?: KeyLock): Promise<BlobStore> =>
    client === undefined
      ? createS3BlobStore({ ...settings, clock: systemClock, lock })
      : openS3BlobStore(client, { ...settings, clock: systemClock, lock });

  const digestAt = async (store: BlobStore, key: string): Promise<string> => {
    const reading = await store.read(key);
    if (reading === undefined) throw new Error(`${key} is there`);
    return digestOf(await buffer(reading.stream));
  };

  it('says that there is no such bucket', async () => {
    settings = { ...settings, bucket: `none-${randomUUID()}` };
    await expect(open()).rejects.toMatchObject({
      failure: { reason: 'storage-unavailable', message: 'the bucket is not there' },
    });
  });

  it.each(['accessKeyId', 'secretAccessKey'])(
    'says that a wrong %s was refused, and repeats no part of it',
    async (name) => {
      const wrong = `wrong-${randomUUID()}`;
      settings = { ...settings, [name]: wrong };
      const error = await open().then(
        () => undefined,
        (thrown: unknown) => thrown as Error,
      );
      expect(error).toMatchObject(unavailable);
      expect(error?.message).toContain('refused our credentials');
      const text = `${JSON.stringify(error)} ${String(error?.stack)} ${String(error?.cause)}`;
      for (const secret of [wrong, settings.accessKeyId, settings.secretAccessKey]) expect(text).not.toContain(secret);
    },
  );

  it('gives up on a server that does not answer', async () => {
    const client = connectS3(settings, { connectMs: 200, answerMs: 200, idleMs: 200 });
    const store = await open(client);
    const thaw = server.freeze();
    try {
      await expect(store.stat('a')).rejects.toMatchObject(unavailable);
      await expect(store.list('')).rejects.toMatchObject(unavailable);
      await expect(store.put('a', Buffer.from('x'), { ifAbsent: true })).rejects.toMatchObject(unavailable);
    } finally {
      thaw();
    }
    expect(await store.stat('b')).toBeUndefined();
  });

  it('breaks off a read, and an upload that goes on elsewhere, when the server is killed', async () => {
    const bytes = randomBytes(40 * mebibyte);
    const store = await open();
    const first = await store.begin('large');
    await first.append(piecesOf(bytes));
    await first.commit('blobs/large');
    const reading = await store.read('blobs/large');
    const upload = await store.begin('broken');
    await upload.append(piecesOf(bytes.subarray(0, 10 * mebibyte)));
    await upload.release();
    const sent = upload.append(
      (async function* () {
        yield* piecesOf(bytes.subarray(10 * mebibyte, 20 * mebibyte));
        await server.kill();
        yield* piecesOf(bytes.subarray(20 * mebibyte));
      })(),
    );
    await expect(sent).rejects.toMatchObject(unavailable);
    expect(upload.offset).toBeGreaterThanOrEqual(10 * mebibyte);
    await expect(reading?.sendTo(new PassThrough().resume())).rejects.toMatchObject(unavailable);
    await expect(upload.release()).rejects.toMatchObject(unavailable);
    await server.start();

    const resumed = await (await open()).resume('broken');
    const kept = resumed?.offset ?? 0;
    expect(kept).toBeGreaterThanOrEqual(10 * mebibyte);
    expect(digestOf(await buffer(resumed?.read() ?? piecesOf(bytes)))).toBe(digestOf(bytes.subarray(0, kept)));
    await resumed?.append(piecesOf(bytes.subarray(kept)));
    await resumed?.commit('blobs/broken');
    expect(await digestAt(store, 'blobs/broken')).toBe(digestOf(bytes));
  });

  it('goes on from any byte in another process, and loses none between its pieces', async () => {
    const bytes = randomBytes(27 * mebibyte + 5);
    const cuts = [0, 3, 5 * mebibyte, 8 * mebibyte, 16 * mebibyte + 1, 27 * mebibyte, bytes.length];
    await (await (await open()).begin('moving')).release();
    for (const [index, end] of cuts.entries()) {
      const upload = await (await open()).resume('moving');
      expect(upload?.offset).toBe(cuts[index - 1] ?? 0);
      await upload?.append(piecesOf(bytes.subarray(upload.offset, end)));
      await upload?.release();
      expect(digestOf(await buffer(upload?.read() ?? piecesOf(bytes)))).toBe(digestOf(bytes.subarray(0, end)));
    }
    const store = await open();
    await (await store.resume('moving'))?.commit('blobs/moved');
    expect(await digestAt(store, 'blobs/moved')).toBe(digestOf(bytes));
    expect(await store.listStaged('')).toEqual([]);
  });

  it('keeps a piece that could not be sent, and nothing that came behind it', async () => {
    const bytes = randomBytes(40 * mebibyte);
    const client = connectS3(settings);
    const store = await open(client);
    let isBroken = true;
    meddleWith(client, 'PutObjectCommand', ({ input }) => {
      if (isBroken && input.Key?.includes(`${8 * mebibyte}.`)) throw serverError(400);
    });
    const upload = await store.begin('gap');
    await expect(upload.append(piecesOf(bytes))).rejects.toMatchObject(unavailable);
    expect(upload.offset).toBe(16 * mebibyte);
    const elsewhere = await (await open()).resume('gap');
    expect(elsewhere?.offset).toBe(8 * mebibyte);
    isBroken = false;
    await upload.append(piecesOf(bytes.subarray(upload.offset)));
    await upload.commit('blobs/gap');
    expect(await digestAt(store, 'blobs/gap')).toBe(digestOf(bytes));
  });

  it('takes no object behind a gap for a part of an upload', async () => {
    const bytes = randomBytes(24 * mebibyte);
    const store = await open();
    const upload = await store.begin('stray');
    await upload.append(piecesOf(bytes.subarray(0, 8 * mebibyte)));
    await upload.release();
    const client = connectS3(settings);
    const raw = await openS3BlobStore(client, { ...settings, clock: systemClock });
    // As a process leaves it that died between two pieces: the third is there, the second is not.
    meddleWith(client, 'PutObjectCommand', ({ input }) => {
      if (input.Key?.includes(`${8 * mebibyte}.`)) throw serverError(400);
    });
    const dying = await raw.resume('stray');
    await expect(dying?.append(piecesOf(Buffer.alloc(24 * mebibyte, 9)))).rejects.toMatchObject(unavailable);
    const resumed = await store.resume('stray');
    expect(resumed?.offset).toBe(8 * mebibyte);
    await resumed?.append(piecesOf(bytes.subarray(8 * mebibyte, 17 * mebibyte)));
    await resumed?.release();
    expect((await store.resume('stray'))?.offset).toBe(17 * mebibyte);
    await resumed?.append(piecesOf(bytes.subarray(17 * mebibyte)));
    await resumed?.commit('blobs/stray');
    expect(await digestAt(store, 'blobs/stray')).toBe(digestOf(bytes));
  });

  it('leaves nothing half-made when the store fails in the middle of a commit, which can be tried again', async () => {
    const bytes = randomBytes(20 * mebibyte);
    const client = connectS3(settings);
    const store = await open(client);
    let isBroken = true;
    meddleWith(client, 'UploadPartCopyCommand', ({ input }) => {
      if (isBroken && input.PartNumber === 2) throw serverError(400);
    });
    const upload = await store.begin('u');
    await upload.append(piecesOf(bytes));
    await expect(upload.commit('blobs/u')).rejects.toMatchObject(unavailable);
    expect(await store.stat('blobs/u')).toBeUndefined();
    const { Uploads = [] } = await client.send(new ListMultipartUploadsCommand({ Bucket: settings.bucket }));
    expect(Uploads).toEqual([]);
    isBroken = false;
    await upload.commit('blobs/u');
    expect(await digestAt(store, 'blobs/u')).toBe(digestOf(bytes));
  });

  it('copies through this process where the store cannot copy by itself', async () => {
    const bytes = randomBytes(20 * mebibyte);
    const client = connectS3(settings);
    const store = await open(client);
    meddleWith(client, 'UploadPartCopyCommand', () => {
      throw serverError(501);
    });
    const upload = await store.begin('u');
    await upload.append(piecesOf(bytes));
    await upload.commit('blobs/u');
    expect(await digestAt(store, 'blobs/u')).toBe(digestOf(bytes));
  });

  it('knows its own object when the answer to the first attempt was lost', async () => {
    const client = connectS3(settings);
    const store = await open(client);
    meddleWith(client, 'PutObjectCommand', ({ count }) => () => {
      if (count === 1) throw Object.assign(new Error('socket hang up'), { code: 'ECONNRESET' });
    });
    expect(await store.put('journal/1', Buffer.from('mine'), { ifAbsent: true })).toBe(true);
    expect(await store.put('journal/1', Buffer.from('theirs'), { ifAbsent: true })).toBe(false);
  });

  describe('that does not honour conditional writes', () => {
    const forgetful = (): S3Client => {
      const client = connectS3(settings);
      client.middlewareStack.add(
        (next) => (args) => next({ ...args, input: { ...args.input, IfNoneMatch: undefined } }),
        { step: 'initialize' },
      );
      return client;
    };

    it('is refused where nothing stands in for them', async () => {
      await expect(open(forgetful())).rejects.toMatchObject({ failure: { reason: 'unsupported' } });
    });

    it('is refused when it says so itself', async () => {
      const client = connectS3(settings);
      meddleWith(client, 'PutObjectCommand', ({ input }) => {
        if (input.IfNoneMatch !== undefined) throw serverError(501);
      });
      await expect(open(client)).rejects.toMatchObject({ failure: { reason: 'unsupported' } });
    });

    it('has one first writer by a lock', async () => {
      const waiting = new Map<string, Promise<unknown>>();
      const lock: KeyLock = (key, work) => {
        const turn = (waiting.get(key) ?? Promise.resolve()).then(work);
        waiting.set(
          key,
          turn.catch(() => undefined),
        );
        return turn;
      };
      const stores = await Promise.all([open(forgetful(), lock), open(forgetful(), lock)]);
      const puts = stores.flatMap((store) =>
        ['x', 'y'].map((text) => store.put('race', Buffer.from(text), { ifAbsent: true })),
      );
      expect((await Promise.all(puts)).filter(Boolean)).toHaveLength(1);
      await stores[0].begin('u');
      await expect(stores[1].begin('u')).rejects.toMatchObject({ failure: { reason: 'conflict' } });
    });
  });
});
