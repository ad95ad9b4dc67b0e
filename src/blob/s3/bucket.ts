import { randomUUID } from 'node:crypto';
import type { Readable } from 'node:stream';
import {
  CopyObjectCommand,
  DeleteObjectCommand,
  GetObjectCommand,
  HeadObjectCommand,
  ListObjectsV2Command,
  PutObjectCommand,
  type S3Client,
} from '@aws-sdk/client-s3';
import { fail } from '../../domain/failure.ts';
import type { BlobStat, ByteRange } from '../ports.ts';
import { transfer } from './client.ts';
import { request, statusOf, toStorageFailure, wasRepeated } from './errors.ts';

/** An object as a listing gives it. */
export interface ListedObject extends BlobStat {
  readonly key: string;
}

/** An object whose bytes are coming. */
export interface OpenObject {
  readonly body: Readable;
  /** Bytes of the whole object. */
  readonly size: number;
}

const smallBytes = 1024 * 1024;
const conflictTries = 5;

/** The requests on objects of one bucket, below one prefix; every fault of the store rejects with `storage-unavailable`. */
export class Bucket {
  readonly client: S3Client;
  readonly name: string;
  readonly #prefix: string;

  /** @param prefix '', or what ends with a slash. */
  constructor(client: S3Client, name: string, prefix: string) {
    this.client = client;
    this.name = name;
    this.#prefix = prefix;
  }

  /** The bucket's name and the whole key, as all requests take them. */
  at(key: string): { Bucket: string; Key: string } {
    return { Bucket: this.name, Key: this.#prefix + key };
  }

  /** The same for what is copied, in the encoding that its header has. */
  source(key: string): string {
    return encodeURIComponent(`${this.name}/${this.#prefix}${key}`).replaceAll('%2F', '/');
  }

  async head(key: string): Promise<(BlobStat & { readonly writer: string | undefined }) | undefined> {
    const found = await request(
      () => this.client.send(new HeadObjectCommand(this.at(key))),
      () => undefined,
    );
    if (found === undefined) return undefined;
    const modifiedAt = found.LastModified?.getTime() ?? 0;
    return { size: found.ContentLength ?? 0, modifiedAt, writer: found.Metadata?.['writer'] };
  }

  /** Undefined when there is no such object; `'beyond'` when the range begins behind its end. */
  async open(key: string, range?: ByteRange): Promise<OpenObject | 'beyond' | undefined> {
    const Range = range && `bytes=${String(range.start)}-${range.end === undefined ? '' : String(range.end)}`;
    return request(
      async () => {
        try {
          const found = await this.client.send(new GetObjectCommand({ ...this.at(key), ...(Range && { Range }) }));
          const whole = Number(/\/(\d+)$/.exec(found.ContentRange ?? '')?.[1] ?? found.ContentLength);
          return { body: found.Body as Readable, size: whole };
        } catch (error) {
          if (statusOf(error) === 416) return 'beyond';
          throw error;
        }
      },
      () => undefined,
    );
  }

  async put(key: string, bytes: Uint8Array): Promise<void> {
    const command = new PutObjectCommand({ ...this.at(key), Body: bytes, ContentLength: bytes.length });
    await request(() => this.client.send(command, bytes.length > smallBytes ? transfer : {}));
  }

  /** Puts unless there is an object, in one step; resolves to false when there is. `unsupported` when the store says so. */
  async putIfAbsent(key: string, bytes: Uint8Array): Promise<boolean> {
    const writer = randomUUID();
    const input = { ...this.at(key), Body: bytes, ContentLength: bytes.length, Metadata: { writer }, IfNoneMatch: '*' };
    for (let tries = 1; ; tries += 1) {
      try {
        await this.client.send(new PutObjectCommand(input));
        return true;
      } catch (error) {
        const status = statusOf(error);
        // Another such request is under way, and which one wins is not yet known.
        if (status === 409 && tries < conflictTries) continue;
        if (status === 501) throw fail('unsupported', 'the object store has no conditional writes');
        if (status !== 412) throw toStorageFailure(error);
        // The object may be that of a first attempt whose answer was lost.
        return (tries > 1 || wasRepeated(error)) && (await this.head(key))?.writer === writer;
      }
    }
  }

  async copy(from: string, to: string): Promise<void> {
    const command = new CopyObjectCommand({ ...this.at(to), CopySource: this.source(from) });
    await request(() => this.client.send(command, transfer));
  }

  /** Removes an object if it is there. */
  async remove(key: string): Promise<void> {
    await request(
      () => this.client.send(new DeleteObjectCommand(this.at(key))),
      () => undefined,
    );
  }

  /** At most 1000 objects whose keys begin with `prefix` and are greater than `after`, ascending. */
  async page(prefix: string, after = '', limit = 1000): Promise<{ objects: ListedObject[]; hasMore: boolean }> {
    const { Bucket, Key: Prefix } = this.at(prefix);
    const StartAfter = after === '' ? undefined : this.at(after).Key;
    const command = new ListObjectsV2Command({ Bucket, Prefix, StartAfter, MaxKeys: Math.min(limit, 1000) });
    const { Contents = [], IsTruncated = false } = await request(() => this.client.send(command));
    const objects = Contents.map(({ Key = '', Size = 0, LastModified }) => ({
      key: Key.slice(this.#prefix.length),
      size: Size,
      modifiedAt: LastModified?.getTime() ?? 0,
    }));
    return { objects, hasMore: IsTruncated && objects.length > 0 };
  }

  /** All objects whose keys begin with `prefix`. */
  async *all(prefix: string): AsyncGenerator<ListedObject> {
    for (let after: string | undefined = ''; after !== undefined;) {
      const { objects, hasMore } = await this.page(prefix, after);
      yield* objects;
      after = hasMore ? objects.at(-1)?.key : undefined;
    }
  }
}
