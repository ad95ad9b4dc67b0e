import { createHash, randomUUID } from 'node:crypto';
import { decodeProtectedHeader, jwtVerify, SignJWT, type JWTPayload } from 'jose';
import { LRUCache } from 'lru-cache';
import type { Clock } from '../../domain/clock.ts';
import { keyIdOf } from '../../secret/key.ts';
import { keysOf, type InstallationKey } from '../../secret/key-ring.ts';
import { createDerive } from '../../secret/sign.ts';
import type { Subject } from './principal.ts';
import type { Grant } from './scope.ts';

/** Long enough for the push of a large image, which must not lose its rights in the middle. */
export const accessSeconds = 60 * 60;
/** As long as `az acr login` lasts. */
export const refreshSeconds = 3 * 60 * 60;

/** An access token opens what its grants say; a refresh token is changed for access tokens. */
export type TokenUse = 'access_token' | 'refresh_token';

/** What one of our tokens says. */
export interface Claims {
  readonly subject: Subject;
  readonly grants: readonly Grant[];
  /** When it ends, milliseconds. */
  readonly expires: number;
}

/** Issues and reads tokens (RFC 7519, HS256). */
export interface TokenMint {
  /** `audience`: the service that the client named; for people who look into a token. `until`: it ends by then at the latest. */
  issue(use: TokenUse, claims: Omit<Claims, 'expires'> & { audience: string; until?: number }): Promise<string>;
  /** Undefined: not ours, of another use, or over. */
  read(use: TokenUse, token: string): Promise<Claims | undefined>;
}

const issuer = 'Slipway';
const algorithm = 'HS256';
const cachedTokens = 20_000;
const longestToken = 64 * 1024;

/** Clocks of processes on several hosts differ a little. */
const skewSeconds = 60;

function isGrant(value: unknown): value is Grant {
  const { type, name, actions } = (value ?? {}) as Partial<Record<keyof Grant, unknown>>;
  return typeof type === 'string' && typeof name === 'string' && Array.isArray(actions);
}

function readSubject(sub: string, credential: unknown): Subject | undefined {
  const [, kind, name] = /^([a-z-]+):(.*)$/s.exec(sub) ?? [];
  if (kind === undefined || name === undefined || typeof credential !== 'string') return undefined;
  return { kind, name, credential };
}

function readClaims(payload: JWTPayload, use: TokenUse): Claims | undefined {
  const { sub, exp, access = [], credential, grant_type: given } = payload;
  const subject = readSubject(sub ?? '', credential);
  if (given !== use || subject === undefined || exp === undefined) return undefined;
  if (!Array.isArray(access) || !access.every(isGrant)) return undefined;
  return { subject, grants: access, expires: exp * 1000 };
}

function keyNamed(token: string): string | undefined {
  try {
    return decodeProtectedHeader(token).kid;
  } catch {
    return undefined;
  }
}

/** The ids of keys, each derived once. */
function createKeyNamer(): (key: Buffer) => string {
  const ids = new WeakMap<Buffer, string>();
  return (key) => {
    const id = ids.get(key) ?? keyIdOf(key);
    ids.set(key, id);
    return id;
  };
}

/**
 * Makes a mint on an installation's keys: the first signs, what any of them signed is good, and every process that has the keys reads
 * what the others issued. Tokens that were read once are remembered by their hash.
 */
export function createTokenMint({ key, clock }: { key: InstallationKey; clock: Clock }): TokenMint {
  const derive = createDerive('registry-token');
  const read = new LRUCache<string, { claims: Claims; kid: string; use: TokenUse }>({ max: cachedTokens });
  const idOf = createKeyNamer();
  const find = (kid: string): Buffer | undefined => keysOf(key).find((one) => idOf(one) === kid);

  const verify = async (use: TokenUse, token: string, kid: string): Promise<Claims | undefined> => {
    const found = find(kid);
    if (found === undefined) return undefined;
    const options = { algorithms: [algorithm], issuer, currentDate: new Date(clock.now()) };
    const payload = await jwtVerify(token, derive(found), options).then(
      (result) => result.payload,
      () => undefined,
    );
    return payload && readClaims(payload, use);
  };

  return {
    issue: (use, { subject, grants, audience, until = Infinity }) => {
      const [first] = keysOf(key);
      const now = Math.floor(clock.now() / 1000);
      const seconds = use === 'access_token' ? accessSeconds : refreshSeconds;
      const more = use === 'access_token' ? { access: grants } : { permissions: { actions: ['read', 'write'] } };
      return new SignJWT({ version: '1.0', grant_type: use, credential: subject.credential, roles: [], ...more })
        .setProtectedHeader({ alg: algorithm, typ: 'JWT', kid: idOf(first) })
        .setIssuer(issuer)
        .setSubject(`${subject.kind}:${subject.name}`)
        .setAudience(audience)
        .setJti(randomUUID())
        .setIssuedAt(now)
        .setNotBefore(now - skewSeconds)
        .setExpirationTime(Math.min(now + seconds, Math.floor(until / 1000)))
        .sign(derive(first));
    },
    read: async (use, token) => {
      if (token.length > longestToken) return undefined;
      const hash = createHash('sha256').update(token).digest('base64');
      const known = read.get(hash);
      if (known !== undefined) {
        const isGood = known.use === use && clock.now() < known.claims.expires && find(known.kid) !== undefined;
        return isGood ? known.claims : undefined;
      }
      const kid = keyNamed(token);
      const claims = kid === undefined ? undefined : await verify(use, token, kid);
      if (claims !== undefined && kid !== undefined) read.set(hash, { claims, kid, use });
      return claims;
    },
  };
}
