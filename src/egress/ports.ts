import type { Readable } from 'node:stream';

/** An address that a host name stands for and that may be reached. */
export interface ResolvedAddress {
  readonly address: string;
  readonly family: 4 | 6;
}

/** Turns a host name into all its addresses; `dns.promises.lookup` with `all: true` is one. */
export type Lookup = (host: string) => Promise<readonly ResolvedAddress[]>;

export interface EgressOptions {
  /** What may be reached beyond the public internet (SLIPWAY_EGRESS_ALLOW): see `parseAllowList`. */
  readonly allow: readonly string[];
  readonly lookup?: Lookup;
  /** Milliseconds for a whole request with its body, unless the request says otherwise. Default 60 000. */
  readonly timeoutMs?: number;
  /** Bytes of a body, unless the request says otherwise. Default 1 GiB. */
  readonly maxBytes?: number;
}

export interface EgressRequest {
  readonly signal?: AbortSignal;
  readonly headers?: Readonly<Record<string, string>>;
  /** How `body` is sent; default POST. Without a body, `HEAD` asks for the headers alone. */
  readonly method?: 'POST' | 'PUT' | 'PATCH' | 'HEAD';
  /** Sent by `method`, with a Content-Type among `headers`; undefined: a GET (or HEAD) without a body. */
  readonly body?: string;
  /** `none`: a redirect is an answer like any other, as it is for a POST. For requests whose headers are for one host alone. */
  readonly redirects?: 'none';
  readonly maxBytes?: number;
  readonly timeoutMs?: number;
  /** The field that a failure names: where the URL came from. Default `sourceLocation`. */
  readonly field?: string;
}

export interface EgressResponse {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  /**
   * The body, to be read once or destroyed. It is destroyed with a FailureError when it grows too large (`too-large`),
   * takes too long (`timed-out`) or breaks off (`source-unavailable`).
   */
  readonly body: Readable;
  /** The URL that answered, after redirects. */
  readonly url: string;
}

/** The one way out: nothing of Slipway reaches a host on a user's behalf but through it. */
export interface Egress {
  /**
   * The addresses of `host` that may be reached on `port`.
   * @throws `invalid-request` when all are refused, `source-unavailable` when the name is not known.
   */
  resolve(host: string, port?: number, field?: string): Promise<readonly ResolvedAddress[]>;
  /**
   * GETs (or POSTs to) an http or https URL: addresses are checked and then connected to as checked, on every redirect anew (at
   * most 5, never from https to http; Authorization and Cookie do not cross hosts). Any status is an answer.
   * @throws `invalid-request`, `source-unavailable`, `too-large`, `timed-out`; the signal's reason when it aborts.
   */
  fetch(url: string, request?: EgressRequest): Promise<EgressResponse>;
  /**
   * GETs a text like {@link Egress.fetch}, whole: at most 256 KiB within 10 s, unless the request says otherwise.
   * @throws like `fetch`, and `source-unavailable` for an answer that is no 2xx.
   */
  fetchText(url: string, request?: EgressRequest): Promise<string>;
}
