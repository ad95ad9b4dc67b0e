import { createHmac, timingSafeEqual } from 'node:crypto';
import { fail } from '../../domain/failure.ts';
import { isSameSecret, parseBasic } from '../../secret/account.ts';
import { headerOf, type NoticeHeaders } from './heard.ts';

/** How far the time of a signature may be from ours, in seconds: a replay comes later. */
const toleranceSeconds = 300;

/** What may hold the secret itself: `Authorization` in any form, a header of our own, and the URL, for registries that can send no header. */
function tokensOf(headers: NoticeHeaders, query: URLSearchParams): readonly string[] {
  const authorization = headerOf(headers, 'authorization');
  const bearer = /^Bearer +(\S+)$/i.exec(authorization ?? '')?.[1];
  const basic = parseBasic(authorization)?.password;
  const given = [authorization, bearer, basic, headerOf(headers, 'x-slipway-secret'), query.get('secret') ?? undefined];
  return given.filter((token) => token !== undefined && token !== '') as string[];
}

/** Every pair is compared, also after one was right, so that the time tells nothing of which it was. */
function isOneOf(tokens: readonly string[], secrets: readonly string[]): boolean {
  const verdicts = tokens.flatMap((token) => secrets.map((secret) => isSameSecret(token, secret)));
  return verdicts.includes(true);
}

function isMac(given: Buffer, key: string | Buffer, parts: readonly (string | Buffer)[]): boolean {
  const mac = createHmac('sha256', key);
  for (const part of parts) mac.update(part);
  return given.length === 32 && timingSafeEqual(given, mac.digest());
}

/** GitHub's: HMAC-SHA-256 over the raw body, in hexadecimal. */
function isSignedByHub(signature: string, body: Buffer, secrets: readonly string[]): boolean {
  const hex = /^sha256=([0-9a-f]{64})$/i.exec(signature)?.[1] ?? '';
  const given = Buffer.from(hex, 'hex');
  return secrets.map((secret) => isMac(given, secret, [body])).includes(true);
}

/** The key of a secret of Standard Webhooks (`whsec_` and base64), or the secret itself. */
function keyOf(secret: string): string | Buffer {
  return secret.startsWith('whsec_') ? Buffer.from(secret.slice(6), 'base64') : secret;
}

/** Standard Webhooks, which another Slipway signs by: `v1,<base64>` over `id.timestamp.body`, one or more, and not long ago. */
function isSignedByStandard(headers: NoticeHeaders, body: Buffer, secrets: readonly string[], nowMs: number): boolean {
  const [id, timestamp] = [headerOf(headers, 'webhook-id') ?? '', headerOf(headers, 'webhook-timestamp') ?? ''];
  const isFresh = /^\d{1,12}$/.test(timestamp) && Math.abs(Number(timestamp) - nowMs / 1000) <= toleranceSeconds;
  const signatures = (headerOf(headers, 'webhook-signature') ?? '').split(' ').slice(0, 10);
  const given = signatures.map((one) => Buffer.from(/^v1,(\S+)$/.exec(one)?.[1] ?? '', 'base64'));
  const verdicts = given.flatMap((mac) =>
    secrets.map((secret) => isMac(mac, keyOf(secret), [`${id}.${timestamp}.`, body])),
  );
  return isFresh && verdicts.includes(true);
}

/** What can be said of a request by its headers and query alone. `signed`: it depends on the body. */
export function admitByToken(
  headers: NoticeHeaders,
  query: URLSearchParams,
  secrets: readonly string[],
): 'ok' | 'signed' | 'missing' | 'wrong' {
  const tokens = tokensOf(headers, query);
  if (isOneOf(tokens, secrets)) return 'ok';
  const isSigned = ['x-hub-signature-256', 'webhook-signature'].some((name) => headerOf(headers, name) !== undefined);
  if (isSigned) return 'signed';
  return tokens.length === 0 ? 'missing' : 'wrong';
}

/** Whether one of the secrets has signed the body. */
export function isSigned(headers: NoticeHeaders, body: Buffer, secrets: readonly string[], nowMs: number): boolean {
  const hub = headerOf(headers, 'x-hub-signature-256');
  if (hub !== undefined) return isSignedByHub(hub, body, secrets);
  return isSignedByStandard(headers, body, secrets, nowMs);
}

/** The failure of a request that brings no secret, or a wrong one. */
export function refuseNotice(verdict: 'missing' | 'wrong'): Error {
  return fail(
    'unauthenticated',
    verdict === 'missing' ? 'the notice brings no secret' : 'the secret or the signature of the notice is wrong',
    {
      hint: 'send the secret in the header Authorization or X-Slipway-Secret, as ?secret=… in the URL, or sign the body with it',
    },
  );
}
