import { randomUUID } from 'node:crypto';
import { buffer } from 'node:stream/consumers';
import {
  AbortMultipartUploadCommand,
  CompleteMultipartUploadCommand,
  CreateMultipartUploadCommand,
  ListMultipartUploadsCommand,
  UploadPartCommand,
  UploadPartCopyCommand,
} from '@aws-sdk/client-s3';
import { fail } from '../../domain/failure.ts';
import { forEachBounded } from './bounded.ts';
import type { Bucket } from './bucket.ts';
import { transfer } from './client.ts';
import { codeOf, request, statusOf, toStorageFailure } from './errors.ts';

/** A part of an object: one that lies in the bucket under a key of its own, or bytes in memory. */
export type PartSource = { readonly key: string } | { readonly bytes: Uint8Array };

const width = 8;

interface Assembly {
  readonly bucket: Bucket;
  readonly key: string;
  readonly id: string;
  /** Tells the object that comes of it from any other of the same key. */
  readonly writer: string;
}

/** The bytes of an object that is known to be there and small. */
export async function bytesOf(bucket: Bucket, key: string): Promise<Buffer> {
  const found = await bucket.open(key);
  if (found === undefined || found === 'beyond') throw fail('storage-unavailable', 'bytes of an upload have vanished');
  return buffer(found.body).catch((error: unknown) => {
    throw toStorageFailure(error);
  });
}

async function sendPart({ bucket, key, id }: Assembly, PartNumber: number, bytes: Uint8Array): Promise<string> {
  const part = { ...bucket.at(key), UploadId: id, PartNumber, Body: bytes, ContentLength: bytes.length };
  const { ETag = '' } = await request(() => bucket.client.send(new UploadPartCommand(part), transfer));
  return ETag;
}

/** Copies within the store; through this process where the store cannot. */
async function copyPart(assembly: Assembly, PartNumber: number, from: string): Promise<string> {
  const { bucket, key, id } = assembly;
  const part = { ...bucket.at(key), UploadId: id, PartNumber, CopySource: bucket.source(from) };
  try {
    const { CopyPartResult } = await bucket.client.send(new UploadPartCopyCommand(part), transfer);
    return CopyPartResult?.ETag ?? '';
  } catch (error) {
    if (statusOf(error) !== 501) throw toStorageFailure(error);
    return sendPart(assembly, PartNumber, await bytesOf(bucket, from));
  }
}

async function complete({ bucket, key, id, writer }: Assembly, etags: readonly string[]): Promise<void> {
  const Parts = etags.map((ETag, index) => ({ ETag, PartNumber: index + 1 }));
  const command = new CompleteMultipartUploadCommand({ ...bucket.at(key), UploadId: id, MultipartUpload: { Parts } });
  try {
    await bucket.client.send(command, transfer);
  } catch (error) {
    // It may have been carried out by an attempt whose answer was lost; then there is nothing left to complete.
    if (codeOf(error) === 'NoSuchUpload' && (await bucket.head(key))?.writer === writer) return;
    throw toStorageFailure(error);
  }
}

/** Makes one object of several parts, in one step; each but the last has at least 5 MiB, and there are at most 10,000. */
export async function assemble(bucket: Bucket, key: string, parts: readonly PartSource[]): Promise<void> {
  const writer = randomUUID();
  const command = new CreateMultipartUploadCommand({ ...bucket.at(key), Metadata: { writer } });
  const { UploadId: id = '' } = await request(() => bucket.client.send(command));
  const assembly = { bucket, key, id, writer };
  try {
    const etags: string[] = [];
    await forEachBounded(parts, width, async (part, index) => {
      etags[index] =
        'key' in part ? await copyPart(assembly, index + 1, part.key) : await sendPart(assembly, index + 1, part.bytes);
    });
    await complete(assembly, etags);
  } catch (error) {
    await abandon(bucket, bucket.at(key).Key, id);
    throw error;
  }
}

async function abandon({ client, name }: Bucket, Key: string, UploadId: string): Promise<void> {
  await client.send(new AbortMultipartUploadCommand({ Bucket: name, Key, UploadId })).catch(() => undefined);
}

/** Frees what assemblies that began before `time` left behind when their process died, as far as the store lets us. */
export async function abandonStale(bucket: Bucket, prefix: string, time: number): Promise<void> {
  const command = new ListMultipartUploadsCommand({ Bucket: bucket.name, Prefix: bucket.at(prefix).Key });
  const { Uploads = [] } = await bucket.client.send(command).catch(() => ({ Uploads: [] }));
  const stale = Uploads.filter(({ Initiated }) => (Initiated?.getTime() ?? time) < time);
  await forEachBounded(stale, width, ({ Key = '', UploadId = '' }) => abandon(bucket, Key, UploadId));
}
