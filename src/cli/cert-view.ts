import type { X509Certificate } from 'node:crypto';
import { namesOf } from '../tls/pair.ts';

/** A certificate as `slipway cert` shows it. */
export interface CertificateView {
  readonly subject: string;
  readonly issuer: string;
  /** Host names and addresses. */
  readonly names: readonly string[];
  /** ISO 8601. */
  readonly validFrom: string;
  readonly validUntil: string;
  /** Whole days; negative when it has expired. */
  readonly daysLeft: number;
  readonly serialNumber: string;
  /** SHA-256, as `openssl x509 -fingerprint -sha256` writes it. */
  readonly fingerprint: string;
  readonly key: string;
  readonly isAuthority: boolean;
}

const dayMs = 86_400_000;

/** `CN=a\nO=b` → `CN=a, O=b` */
function lineOf(name: string | undefined): string {
  return (name ?? '').split('\n').join(', ');
}

function describeKey({ publicKey }: X509Certificate): string {
  const { namedCurve, modulusLength } = publicKey.asymmetricKeyDetails ?? {};
  const size = namedCurve ?? (modulusLength === undefined ? undefined : `${modulusLength} bits`);
  return [publicKey.asymmetricKeyType ?? 'unknown', ...(size === undefined ? [] : [size])].join(', ');
}

/** What there is to say of a certificate. `now`: milliseconds since 1970. */
export function viewCertificate(certificate: X509Certificate, now: number): CertificateView {
  const until = Date.parse(certificate.validTo);
  return {
    subject: lineOf(certificate.subject),
    issuer: lineOf(certificate.issuer),
    names: namesOf(certificate),
    validFrom: new Date(certificate.validFrom).toISOString(),
    validUntil: new Date(until).toISOString(),
    daysLeft: Math.floor((until - now) / dayMs),
    serialNumber: certificate.serialNumber,
    fingerprint: certificate.fingerprint256,
    key: describeKey(certificate),
    isAuthority: certificate.ca,
  };
}

function termOf({ validFrom, validUntil, daysLeft }: CertificateView): string {
  const left = daysLeft < 0 ? 'expired' : `${daysLeft} days left`;
  return `${validFrom.slice(0, 10)} to ${validUntil.slice(0, 10)} (${left})`;
}

/** Lines for people: a word and what it stands for. */
export function formatCertificate(view: CertificateView): readonly (readonly [string, string])[] {
  return [
    ['Subject', view.subject],
    ['Issuer', view.issuer],
    ...(view.names.length > 0 ? [['Good for', view.names.join(' ')] as const] : []),
    ['Valid', termOf(view)],
    ['Key', view.key],
    ['Serial', view.serialNumber],
    ['SHA-256', view.fingerprint],
    ...(view.isAuthority ? [['Authority', 'yes'] as const] : []),
  ];
}

/** What to do so that programs trust an authority, a line each. */
export function formatTrust(caFile: string, url: string, registryHost: string): readonly string[] {
  const certsOf = (directory: string): string =>
    `sudo install -D -m 644 ${caFile} /etc/${directory}/certs.d/${registryHost}/ca.crt`;
  return [
    `So that others trust it, give them ${caFile}:`,
    `  docker                   ${certsOf('docker')}`,
    `  podman, buildah, skopeo  ${certsOf('containers')}`,
    `  curl                     curl --cacert ${caFile} ${url}/healthz`,
    `  node, npm                export NODE_EXTRA_CA_CERTS=${caFile}`,
    `  slipway elsewhere        export SLIPWAY_CA_FILE=${caFile}`,
    `  all of Debian, Ubuntu    sudo install -m 644 ${caFile} /usr/local/share/ca-certificates/slipway.crt && sudo update-ca-certificates`,
    'On other machines with their own copy of that file. Its key (ca.key) stays here and is nobody’s business.',
  ];
}
