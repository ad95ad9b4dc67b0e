import { join, resolve } from 'node:path';
import type { Reader } from './reader.ts';

/** The certificate that the listener shows. */
export interface TlsSettings {
  readonly certFile: string;
  readonly keyFile: string;
  /** Slipway makes and renews it by itself, in {@link TrustSettings.tlsDirectory}; false: the operator brings it. */
  readonly isOwn: boolean;
  /** Names and addresses that an own certificate is good for besides those that the configuration has elsewhere. */
  readonly names: readonly string[];
}

/** Whom our own processes trust besides the authorities that Node.js comes with. */
export interface TrustSettings {
  /** Certificates of authorities, PEM. */
  readonly caFile: string | undefined;
  /** Where certificates of our own making lie, and the authority that signed them. */
  readonly tlsDirectory: string;
}

/** Whom to trust (`SLIPWAY_CA_FILE`). */
export function readTrust(reader: Reader, dataDir: string): TrustSettings {
  const file = reader.text('SLIPWAY_CA_FILE');
  return { caFile: file === undefined ? undefined : resolve(file), tlsDirectory: join(dataDir, 'tls') };
}

const modes = ['off', 'on', 'auto'] as const;

/** `auto`: Slipway makes the certificate, so that there is none to be given. */
function checkGiven(reader: Reader, isOwn: boolean, given: readonly (string | undefined)[]): void {
  const count = given.filter((one) => one !== undefined).length;
  if (isOwn && count > 0)
    reader.faults.push('SLIPWAY_TLS=auto makes a certificate, and excludes SLIPWAY_TLS_CERT and SLIPWAY_TLS_KEY');
  if (!isOwn && count < given.length) reader.faults.push('SLIPWAY_TLS_CERT and SLIPWAY_TLS_KEY go together');
}

/**
 * Whether the listener speaks TLS, and with what (`SLIPWAY_TLS`, `SLIPWAY_TLS_CERT`, `SLIPWAY_TLS_KEY`, `SLIPWAY_TLS_NAMES`); undefined:
 * it speaks plain HTTP.
 */
export function readTls(reader: Reader, tlsDirectory: string): TlsSettings | undefined {
  const [cert, key] = [reader.text('SLIPWAY_TLS_CERT'), reader.text('SLIPWAY_TLS_KEY')];
  const mode = reader.choice('SLIPWAY_TLS', (cert ?? key) === undefined ? 'off' : 'on', modes);
  const names = reader.list('SLIPWAY_TLS_NAMES');
  if (mode === 'off') return undefined;
  const isOwn = mode === 'auto';
  checkGiven(reader, isOwn, [cert, key]);
  const files = isOwn ? ['server.crt', 'server.key'].map((name) => join(tlsDirectory, name)) : [cert, key];
  const [certFile = '', keyFile = ''] = files.map((file = '') => resolve(file));
  return { certFile, keyFile, isOwn, names };
}
