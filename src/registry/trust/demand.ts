import type { Digest } from '../../domain/digest.ts';
import type { TrustGate } from '../../trust/gate.ts';
import { holderOf } from '../access/access.ts';
import type { Principal } from '../access/principal.ts';
import { oci } from '../errors.ts';
import type { Exchange } from '../exchange.ts';

/** What the demand is made with. */
export interface TrustRooms {
  readonly trust: TrustGate;
  readonly access: { allows(principal: Exchange['principal'], repository: string, action: 'push'): boolean };
}

/** Who signs must be able to pull what is not signed yet, whatever the token was fetched for; so must who writes the policies. */
function maySign(principal: Principal | undefined, repository: string): boolean {
  const who = holderOf(principal) ?? principal;
  return who !== undefined && (who.may(repository, 'sign') || who.may('*', 'manage'));
}

/** A text as the value of a header can have it, within quotes. */
function quote(text: string): string {
  const plain = text.replace(/[^\x20-\x7e]/g, '?').replace(/["\\]/g, "'");
  return `"${plain.slice(0, 500)}"`;
}

/**
 * Asked before a manifest leaves, or anybody is told that it is there. Where trust policies only warn, the answer gets a header `Warning`
 * for each that is not content. Who may push is told by HEAD that it is not there, for clients push what they miss and give up when they are
 * denied.
 * @throws DENIED or MANIFEST_UNKNOWN (OCI) with what the policies miss; `storage-unavailable` when signatures cannot be read.
 */
export async function demandTrusted(
  { trust, access }: TrustRooms,
  exchange: Exchange,
  { repository, digest }: { readonly repository: string; readonly digest: Digest },
): Promise<void> {
  if (maySign(exchange.principal, repository)) return;
  const { isAllowed, complaints } = await trust.demandTrust(digest, repository);
  if (complaints.length === 0) return;
  const detail = { name: repository, digest };
  if (!isAllowed) {
    const mayPush = exchange.method === 'HEAD' && access.allows(exchange.principal, repository, 'push');
    throw oci(mayPush ? 'MANIFEST_UNKNOWN' : 'DENIED', complaints.join('; '), { detail });
  }
  exchange.res.setHeader(
    'warning',
    complaints.map((text) => `299 - ${quote(text)}`),
  );
}
