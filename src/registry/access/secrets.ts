import { createHash, randomBytes, scrypt, timingSafeEqual } from 'node:crypto';
import { LRUCache } from 'lru-cache';

const cost = { N: 2 ** 15, r: 8, p: 1, maxmem: 64 * 1024 * 1024 };
const keyBytes = 32;
/** Passwords that turned out right, so that a client that sends one with each request does not cost a derivation each time. */
const known = new LRUCache<string, true>({ max: 1000, ttl: 10 * 60_000 });

/** A new password: 256 random bits. */
export function makePassword(): string {
  return randomBytes(32).toString('base64url');
}

function sha256(text: string): Buffer {
  return createHash('sha256').update(text).digest();
}

/** How a password that {@link makePassword} made is kept: nobody can try out 2^256 of them, so one SHA-256 is enough. */
export function hashPassword(password: string): string {
  return `sha256:${sha256(password).toString('base64url')}`;
}

function derive(password: string, salt: Buffer): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    scrypt(password, salt, keyBytes, cost, (error, key) => {
      if (error) reject(error);
      else resolve(key);
    });
  });
}

/** How a password that a person chose is kept: scrypt, salted. */
export async function hashChosenPassword(password: string): Promise<string> {
  const salt = randomBytes(16);
  return `scrypt:${salt.toString('base64url')}:${(await derive(password, salt)).toString('base64url')}`;
}

function isSame(a: Buffer, b: Buffer): boolean {
  return a.length === b.length && timingSafeEqual(a, b);
}

async function isChosen(salt: string, hash: string, password: string): Promise<boolean> {
  const proof = sha256(`${salt}:${hash}:${password}`).toString('base64url');
  if (known.has(proof)) return true;
  const isRight = isSame(await derive(password, Buffer.from(salt, 'base64url')), Buffer.from(hash, 'base64url'));
  if (isRight) known.set(proof, true);
  return isRight;
}

/** True when a password is the one that is kept as `kept`. Compared in constant time. */
export function isPassword(kept: string, password: string): boolean | Promise<boolean> {
  const [way, first = '', second = ''] = kept.split(':');
  if (way === 'sha256') return isSame(sha256(password), Buffer.from(first, 'base64url'));
  return way === 'scrypt' && isChosen(first, second, password);
}
