import type { IncomingMessage, ServerResponse } from 'node:http';
import { Readable } from 'node:stream';
import type { Principal } from './access/principal.ts';
import type { Exchange } from './exchange.ts';

/** A request that the registry makes of itself. */
export interface OwnRequest {
  readonly method: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Buffer;
  readonly principal: Principal;
}

/** An answer that nobody reads: what is refused is thrown. */
const nobody = {
  writeHead: () => nobody,
  setHeader: () => nobody,
  end: () => nobody,
};

/** Makes the exchange of such a request, so that what the registry writes by itself is held to all that clients are held to. */
export function openOwnExchange({ method, headers, body, principal }: OwnRequest): Exchange {
  const all = { ...headers, 'content-length': String(body.length), 'user-agent': 'slipway-import' };
  const req = Object.assign(Readable.from([body]), { method, headers: all }) as unknown as IncomingMessage;
  return {
    ...{ req, res: nobody as unknown as ServerResponse, method, path: '', principal },
    query: new URLSearchParams(),
    origin: 'http://localhost',
    awaitsContinue: false,
  };
}
