import { randomUUID } from 'node:crypto';
import { toFailure } from '../../domain/failure.ts';
import type { Bucket } from './bucket.ts';

const racers = 4;

/**
 * Finds out whether the store honours "put if there is none": of several such puts at once exactly one may succeed, and
 * none later. Also the first sign that the bucket is not there, or that we may not write to it.
 */
export async function honoursIfAbsent(bucket: Bucket, folder: string): Promise<boolean> {
  const key = `${folder}${randomUUID()}`;
  const put = (): Promise<boolean> => bucket.putIfAbsent(key, Buffer.from('probe'));
  try {
    await bucket.put(`${key}-plain`, Buffer.from('probe'));
    const won = await Promise.all(Array.from({ length: racers }, put));
    return won.filter(Boolean).length === 1 && !(await put());
  } catch (error) {
    if (toFailure(error).reason === 'unsupported') return false;
    throw error;
  } finally {
    await Promise.all([bucket.remove(key), bucket.remove(`${key}-plain`)]).catch(() => undefined);
  }
}
