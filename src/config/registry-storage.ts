import type { GivenSecret } from '../domain/vaults.ts';
import type { Reader } from './reader.ts';
import { checkServerUrl, readGiven } from './vaults.ts';

/** A bucket of S3, or of what speaks its protocol. */
export interface BucketSettings {
  readonly bucket: string;
  /** Without a slash at the end; undefined: that of AWS for the region. */
  readonly endpoint: string | undefined;
  readonly region: string;
  /** What all keys begin with, without slashes around it; undefined: nothing. */
  readonly prefix: string | undefined;
  /** Undefined: what the machine is given by AWS. */
  readonly credentials: { readonly accessKeyId: string; readonly secretAccessKey: GivenSecret } | undefined;
  /** `host/bucket/key` instead of `bucket.host/key`. */
  readonly forcePathStyle: boolean;
}

/** Where the registry keeps what it holds. */
export interface RegistryStorageSettings {
  /** Whether several API processes work on one store. */
  readonly isShared: boolean;
  /** Undefined: below the data directory. */
  readonly s3: BucketSettings | undefined;
}

function readBucket(reader: Reader): string | undefined {
  const bucket = reader.text('SLIPWAY_REGISTRY_S3_BUCKET');
  if (bucket !== undefined && !/^[A-Za-z0-9][A-Za-z0-9._-]{1,254}$/.test(bucket))
    reader.faults.push('SLIPWAY_REGISTRY_S3_BUCKET must be the name of a bucket');
  return bucket;
}

function readPrefix(reader: Reader): string | undefined {
  const prefix = reader.text('SLIPWAY_REGISTRY_S3_PREFIX')?.replace(/^\/+|\/+$/g, '');
  const isFit = prefix === undefined || prefix.split('/').every((part) => /^[A-Za-z0-9_-][A-Za-z0-9._-]*$/.test(part));
  if (!isFit) reader.faults.push('SLIPWAY_REGISTRY_S3_PREFIX may have letters, digits and "._-" between slashes');
  return prefix;
}

function readCredentials(reader: Reader): BucketSettings['credentials'] {
  const accessKeyId = reader.text('SLIPWAY_REGISTRY_S3_ACCESS_KEY_ID');
  const secretAccessKey = readGiven(reader, 'SLIPWAY_REGISTRY_S3_SECRET_ACCESS_KEY');
  if (accessKeyId !== undefined && secretAccessKey !== undefined) return { accessKeyId, secretAccessKey };
  if (accessKeyId !== undefined || secretAccessKey !== undefined)
    reader.faults.push('SLIPWAY_REGISTRY_S3_ACCESS_KEY_ID and SLIPWAY_REGISTRY_S3_SECRET_ACCESS_KEY go together');
  return undefined;
}

/** Reads where the registry's contents are (`SLIPWAY_REGISTRY_S3_*`, `SLIPWAY_REGISTRY_SHARED`); a bucket is always shared. */
export function readRegistryStorage(reader: Reader): RegistryStorageSettings {
  const bucket = readBucket(reader);
  const endpoint = reader.text('SLIPWAY_REGISTRY_S3_ENDPOINT');
  const rest = {
    endpoint: endpoint && checkServerUrl(reader, 'SLIPWAY_REGISTRY_S3_ENDPOINT', endpoint, 'path'),
    region: reader.text('SLIPWAY_REGISTRY_S3_REGION') ?? 'us-east-1',
    prefix: readPrefix(reader),
    credentials: readCredentials(reader),
    forcePathStyle: reader.flag('SLIPWAY_REGISTRY_S3_PATH_STYLE', endpoint !== undefined),
  };
  const isShared = reader.flag('SLIPWAY_REGISTRY_SHARED', bucket !== undefined);
  if (bucket === undefined) {
    const isMeant = (rest.endpoint ?? rest.prefix ?? rest.credentials) !== undefined;
    if (isMeant) reader.faults.push('SLIPWAY_REGISTRY_S3_… needs SLIPWAY_REGISTRY_S3_BUCKET');
    return { isShared, s3: undefined };
  }
  return { isShared: true, s3: { bucket, ...rest } };
}
