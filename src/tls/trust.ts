import { readFileSync, statSync } from 'node:fs';
import tls from 'node:tls';
import type { TrustSettings } from '../config/tls.ts';
import { fail } from '../domain/failure.ts';
import { ownFilesIn } from './own-files.ts';
import { parseCertificates } from './pair.ts';

/** An authority's file, and what was read of it when it was last new. */
interface Known {
  readonly stamp: string;
  readonly certificates: readonly string[];
}

/** Whom a process trusts is a matter of the process, like `NODE_EXTRA_CA_CERTS`, of which this is the part that Node reads only at start. */
const trusted = new Map<string, Known>();

function readAuthorities(file: string): readonly string[] {
  return parseCertificates(readFileSync(file, 'utf8')).map(String);
}

/** The certificates in a file, read again when the file is another. A file that is not there yet, or is damaged, holds none. */
function refresh(file: string): readonly string[] {
  try {
    const { mtimeMs, size, ino } = statSync(file);
    const stamp = `${mtimeMs} ${size} ${ino}`;
    const known = trusted.get(file);
    if (known?.stamp === stamp) return known.certificates;
    const certificates = readAuthorities(file);
    trusted.set(file, { stamp, certificates });
    return certificates;
  } catch {
    return [];
  }
}

const makeContext = tls.createSecureContext;

function makeTrustingContext(options?: tls.SecureContextOptions): tls.SecureContext {
  const made = makeContext(options);
  // Servers, and clients that say whom they trust, are left alone.
  if (options?.ca !== undefined || options?.cert !== undefined) return made;
  const { addCACert } = made.context as { readonly addCACert: (pem: string) => void };
  for (const file of trusted.keys()) refresh(file).forEach((pem) => addCACert.call(made.context, pem));
  return made;
}

/**
 * Makes this process trust authorities besides those that Node.js comes with, in every TLS connection that does not name its own:
 * `fetch`, `node:https`, what libraries open. The files are looked at for each connection, so that one may come or change later.
 */
export function trustAuthorities(files: readonly string[]): void {
  for (const file of files) if (!trusted.has(file)) trusted.set(file, { stamp: '', certificates: [] });
  // `tls.connect` asks the module's object, whoever calls it. Handing the usual authorities over as a list instead would cost 20 ms each time.
  if (trusted.size > 0) Object.assign(tls, { createSecureContext: makeTrustingContext });
}

function checkAuthorities(file: string): void {
  const field = 'SLIPWAY_CA_FILE';
  let found: readonly string[];
  try {
    found = readAuthorities(file);
  } catch (cause) {
    throw fail('invalid-request', `${field}: ${file} cannot be read as certificates`, { field, cause });
  }
  if (found.length === 0) throw fail('invalid-request', `${field}: ${file} holds no certificate`, { field });
}

/**
 * Makes this process trust the installation's own authority, which need not be there yet, and the one that the operator named.
 * @throws `invalid-request` when the latter cannot be read or holds no certificate.
 */
export function trustInstallation({ caFile, tlsDirectory }: TrustSettings): void {
  if (caFile !== undefined) checkAuthorities(caFile);
  trustAuthorities([...(caFile === undefined ? [] : [caFile]), ownFilesIn(tlsDirectory).caFile]);
}
