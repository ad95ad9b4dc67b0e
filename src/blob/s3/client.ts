import { S3Client } from '@aws-sdk/client-s3';

/** Where the object store is, and who we are to it. */
export interface S3Settings {
  /** `https://minio.example:9000`; undefined: that of AWS for the region. */
  readonly endpoint?: string | undefined;
  readonly region: string;
  readonly bucket: string;
  /** What all keys begin with: letters, digits and `._-`, several parts joined by `/`; none by default. */
  readonly prefix?: string | undefined;
  /** Both or none; none: what the AWS client finds (environment, shared files, the machine's role). */
  readonly accessKeyId?: string | undefined;
  readonly secretAccessKey?: string | undefined;
  /** `host/bucket/key` instead of `bucket.host/key`; by default where an endpoint is given. */
  readonly forcePathStyle?: boolean | undefined;
}

/** How long the store may keep us waiting, in milliseconds. */
export interface Patience {
  readonly connectMs: number;
  /** Until it answers, from the first byte that is sent. */
  readonly answerMs: number;
  /** Without a byte in either direction. */
  readonly idleMs: number;
}

const usualPatience: Patience = { connectMs: 5_000, answerMs: 15_000, idleMs: 60_000 };

/** Options of requests that send, or have the store copy, a piece of an upload. */
export const transfer = { requestTimeout: 120_000 } as const;

const connections = 512;
const attempts = 4;

function credentialsOf({ accessKeyId, secretAccessKey }: S3Settings) {
  return accessKeyId !== undefined && secretAccessKey !== undefined
    ? { credentials: { accessKeyId, secretAccessKey } }
    : {};
}

/**
 * A client that gives up in bounded time, and sends nothing that only newer servers know: signatures cover the bytes
 * (a SHA-256 of each body), so the additional checksums of AWS are left out.
 */
export function connectS3(settings: S3Settings, patience = usualPatience): S3Client {
  const agent = { keepAlive: true, maxSockets: connections };
  return new S3Client({
    region: settings.region,
    ...(settings.endpoint !== undefined && { endpoint: settings.endpoint }),
    ...credentialsOf(settings),
    forcePathStyle: settings.forcePathStyle ?? settings.endpoint !== undefined,
    maxAttempts: attempts,
    retryMode: 'standard',
    requestChecksumCalculation: 'WHEN_REQUIRED',
    responseChecksumValidation: 'WHEN_REQUIRED',
    // It would cost a connection of its own for each large body.
    expectContinueHeader: false,
    requestHandler: {
      connectionTimeout: patience.connectMs,
      requestTimeout: patience.answerMs,
      throwOnRequestTimeout: true,
      socketTimeout: patience.idleMs,
      httpAgent: agent,
      httpsAgent: agent,
    },
  });
}
