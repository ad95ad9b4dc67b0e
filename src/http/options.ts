import type { Readable } from 'node:stream';
import type { SequencedEvent } from '../domain/event.ts';
import type { Clock } from '../domain/clock.ts';
import type { RunId } from '../domain/run.ts';
import type { Signer } from '../secret/sign.ts';
import type { RunQueue } from '../queue/ports.ts';
import type { Store } from '../store/ports.ts';

/** Where uploaded contexts go. */
export interface UploadSink {
  /**
   * Stores a stream under a key, whole or not at all: when the stream fails or `signal` aborts, nothing is left, and the stream's
   * error is thrown. Reads no faster than it writes.
   */
  put(key: string, stream: Readable, signal: AbortSignal): Promise<void>;
  /** Removes what is stored under a key, if anything. */
  delete(key: string): Promise<void>;
}

/** The events of runs that are over, after their live copy is gone. */
export interface EventArchive {
  /** All events of a run in order; undefined when it has none archived. */
  read(runId: RunId): Promise<readonly SequencedEvent[] | undefined>;
}

/** What is written to of a pino logger. */
export interface Log {
  debug(context: object, message: string): void;
  info(context: object, message: string): void;
  warn(context: object, message: string): void;
  error(context: object, message: string): void;
}

export interface Caller {
  readonly name: string;
}

/** The part of the configuration that the API answers from. Times in milliseconds, sizes in bytes. */
export interface AppConfig {
  /** The registry's name in the API. */
  readonly name: string;
  /** How clients reach the API, without a slash at the end. */
  readonly url: string;
  /** The registry's host as it stands in image names. */
  readonly registryHost: string;
  readonly anonymousPull: boolean;
  /** `idleMs`: an upload that sends nothing for so long is given up (default 60 s). */
  readonly upload: { readonly maxBytes: number; readonly expiresMs: number; readonly idleMs?: number };
  /** When the installation was made, ISO 8601; left out of the registry's document when absent. */
  readonly creationDate?: string;
  /** Time between two signs of life on a stream without events (default 15 s). */
  readonly heartbeatMs?: number;
}

export interface AppOptions {
  readonly config: AppConfig;
  readonly store: Store;
  readonly queue: RunQueue;
  readonly blobs: UploadSink;
  readonly archive: EventArchive;
  /** Reads an uploaded archive to its end; throws `invalid-context` or `too-large` as soon as it sees what cannot be. */
  readonly inspectUpload: (stream: Readable, signal: AbortSignal) => Promise<void>;
  /** True when a context lies under this relative path. */
  readonly hasUpload: (relativePath: string) => Promise<boolean>;
  /** Splits the token off a source location. Throws `invalid-request` with field `sourceLocation`. */
  readonly checkLocation: (text: string) => { readonly location: string; readonly secret?: string };
  /** Who sends this `Authorization` header; undefined: nobody that is known. */
  readonly authenticate: (authorization: string | undefined) => Promise<Caller | undefined>;
  readonly signer: Signer;
  /** The installation's key. */
  readonly key: Buffer;
  readonly clock: Clock;
  /** A new UUID. */
  readonly newId: () => string;
  readonly log: Log;
  /** What must answer for the server to be ready, by name; each rejects with the reason when it does not. */
  readonly checks: Readonly<Record<string, () => Promise<void>>>;
}

/** The key under which the context of a relative path is stored. */
export function contextKey(relativePath: string): string {
  return `contexts/${relativePath}`;
}
