import type { Readable } from 'node:stream';
import type { RegistryCredential } from '../domain/run-request.ts';

/** A context: what a workspace is filled with and builds read, as a tar stream (plain or compressed, as the engine takes it). */
export interface Context {
  /** What it is, for people: `git https://example.com/app.git#main at 1a2b3c4`. Never holds a token. */
  readonly description: string;
  /** The commit that was checked out, where the context came from git. */
  readonly commit?: string;
  /** What tells it from another one of the same location (`sha256:…`), where the location may give something else the next time. */
  readonly digest?: string;
  /**
   * What tells its files from others wherever they come from: the commit of git, the digest of an artifact's manifest or of an archive, with
   * the folder of it that is the context. The same revision, the same files. Absent: nothing tells.
   */
  readonly revision?: string;
  /**
   * Opens the tar stream of all its files. It may fail while being read: then it is destroyed with a FailureError
   * (`invalid-context`, `too-large`, `source-unavailable`), and nothing that was read may be used.
   */
  open(): Promise<Readable>;
  /**
   * Like `open`, without what `.dockerignore` leaves out, or `<dockerfile>.dockerignore` where there is one. Rejects with `invalid-context`
   * when that is malformed. Absent: whoever builds from it filters.
   */
  openForBuild?(dockerfile: string | undefined): Promise<Readable>;
  /**
   * The text of one file of the context, before any build; undefined when there is none of that name. Rejects with `too-large` beyond
   * `maxBytes`, and like `open` when the context cannot be read.
   */
  readFile(path: string, maxBytes: number): Promise<string | undefined>;
  /** Removes what was kept on disk for it. May be called twice. */
  dispose(): Promise<void>;
}

/** Bounds on what comes from outside. */
export interface ContextLimits {
  /** Bytes as they arrive. */
  readonly maxBytes: number;
  /** Bytes after decompression. */
  readonly maxUnpackedBytes: number;
  readonly maxEntries: number;
  /** Unpacked bytes to packed bytes, beyond the first 64 MiB. */
  readonly maxRatio: number;
  /** Milliseconds for a clone or a download. */
  readonly timeoutMs: number;
}

/** What a run asks of its context. */
export interface ContextWish {
  /** What `splitSecret` took out of the location. */
  readonly secret: string | undefined;
  /** It must be there; undefined: no matter. */
  readonly dockerfile: string | undefined;
  /** What the run may log in to a registry with, by its host; asked for only when the context lies in one. */
  readonly credentialFor?: ((host: string) => Promise<RegistryCredential | undefined>) | undefined;
  /** For a location in git, this commit, whatever the location's branch or tag stands for now; in a registry, this digest. */
  readonly commit?: string | undefined;
  readonly signal: AbortSignal;
}

/** Our own registry, which may be reached wherever it is. */
export interface OwnRegistry {
  /** As it stands in image names. */
  readonly host: string;
  /** Where it answers: `http://api:5080`. */
  readonly url: string;
  /** What is sent to it when the wish has no credential for it. */
  readonly credential?: () => RegistryCredential;
}
