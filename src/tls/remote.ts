import type { X509Certificate } from 'node:crypto';
import { isIP } from 'node:net';
import { connect, type TLSSocket } from 'node:tls';
import { fail } from '../domain/failure.ts';

/** What a server shows of itself when it is asked for TLS. */
export interface ShownCertificate {
  readonly leaf: X509Certificate;
  /** `TLSv1.3` */
  readonly protocol: string;
  /** Why this machine does not trust it for the name that was asked; undefined: it does. */
  readonly fault: string | undefined;
}

const timeoutMs = 10_000;

function readShown(socket: TLSSocket): ShownCertificate | undefined {
  const leaf = socket.getPeerX509Certificate();
  if (leaf === undefined) return undefined;
  // Typed as an error, and a code in fact.
  const fault = socket.authorized ? undefined : String(socket.authorizationError);
  return { leaf, protocol: socket.getProtocol() ?? 'unknown', fault };
}

/**
 * Asks a server for its certificate, trusted or not. Nothing but the handshake is sent.
 * @throws `server-unreachable` when there is no TLS to be had from it within 10 s.
 */
export function fetchCertificate({ hostname, port }: URL): Promise<ShownCertificate> {
  const host = hostname.replace(/^\[(.*)\]$/, '$1');
  const place = `${hostname}:${port || '443'}`;
  return new Promise((resolve, reject) => {
    const servername = isIP(host) === 0 ? { servername: host } : {};
    const socket = connect({ host, port: Number(port || 443), rejectUnauthorized: false, ...servername });
    const giveUp = (why: string, cause?: unknown): void => {
      socket.destroy();
      reject(fail('server-unreachable', `${place} ${why}`, { cause }));
    };
    socket.setTimeout(timeoutMs, () => giveUp(`did not answer within ${timeoutMs / 1000} s`));
    socket.once('error', (error: NodeJS.ErrnoException) =>
      giveUp(`has no TLS to offer: ${error.code ?? error.message}`, error),
    );
    socket.once('secureConnect', () => {
      const shown = readShown(socket);
      if (shown === undefined) giveUp('shows no certificate');
      else resolve(shown);
      socket.end();
    });
  });
}
