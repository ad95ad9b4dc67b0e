import { createHmac } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import {
  checkSigningSecret,
  createSigningSecret,
  signatureHeaders,
} from '../../../src/notify/notifications/signature.ts';

/** The example that libraries of the scheme are tested with. */
const example = {
  secret: 'whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw',
  signed: { id: 'msg_p5jXN8AQM9LWM0D4loKWxJek', timestamp: 1_614_265_330, body: '{"test": 2432232314}' },
  signature: 'v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=',
};

describe('a signature', () => {
  it('is that of the Standard Webhooks scheme', () => {
    expect(signatureHeaders(example.signed, [example.secret])).toEqual({
      'webhook-id': 'msg_p5jXN8AQM9LWM0D4loKWxJek',
      'webhook-timestamp': '1614265330',
      'webhook-signature': example.signature,
    });
  });

  it('is over the bytes of the body', () => {
    const secret = createSigningSecret();
    const signed = { id: 'a', timestamp: 1, body: '{"name":"päss"}' };
    const key = Buffer.from(secret.replace('whsec_', ''), 'base64');
    const bytes = Buffer.concat([Buffer.from('a.1.'), Buffer.from(signed.body, 'utf8')]);
    expect(signatureHeaders(signed, [secret])['webhook-signature']).toBe(
      `v1,${createHmac('sha256', key).update(bytes).digest('base64')}`,
    );
  });

  it('comes once for each secret while one is being replaced', () => {
    const other = createSigningSecret();
    const text = signatureHeaders(example.signed, [other, example.secret])['webhook-signature'];
    expect(text?.split(' ')).toEqual([expect.stringMatching(/^v1,/), example.signature]);
  });
});

describe('a signing secret', () => {
  it('is made of 32 random bytes', () => {
    const made = createSigningSecret();
    expect(checkSigningSecret(made)).toBe(made);
    expect(Buffer.from(made.slice(6), 'base64')).toHaveLength(32);
    expect(createSigningSecret()).not.toBe(made);
  });

  it.each([
    '',
    'hush',
    'whsec_',
    `whsec_${Buffer.alloc(23).toString('base64')}`,
    `whsec_${Buffer.alloc(65).toString('base64')}`,
    `whsec_${Buffer.alloc(32).toString('base64url')}`,
    'whsec_!!!!MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw',
    'MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw',
  ])('is refused when it is none, and not shown: %j', (secret) => {
    const check = (): string => checkSigningSecret(secret);
    expect(check).toThrow('secret must be "whsec_" and 24 to 64 bytes in base64');
  });
});
