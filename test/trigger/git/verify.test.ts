import { createHmac } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import type { GitProviderName } from '../../../src/domain/git-repository.ts';
import { hmacHex, nowMs, providers, readPayload } from './rig.ts';

const secret = 'a secret of the webhook';
const body = Buffer.from('{"ref":"refs/heads/main","message":"größer"}\n');
const seconds = String(nowMs / 1000);
const signingToken = `whsec_${Buffer.alloc(32, 7).toString('base64')}`;

interface Scheme {
  readonly provider: GitProviderName;
  readonly scheme: string;
  readonly sign: (secret: string, raw: Buffer) => Record<string, string>;
  /** False for a token that says nothing of the body. */
  readonly coversBody: boolean;
}

const schemes: Scheme[] = [
  {
    provider: 'github',
    scheme: 'X-Hub-Signature-256',
    sign: (key, raw) => ({ 'x-hub-signature-256': `sha256=${hmacHex(key, raw)}` }),
    coversBody: true,
  },
  {
    provider: 'gitea',
    scheme: 'X-Gitea-Signature',
    sign: (key, raw) => ({ 'x-gitea-signature': hmacHex(key, raw) }),
    coversBody: true,
  },
  {
    provider: 'gitea',
    scheme: 'X-Forgejo-Signature',
    sign: (key, raw) => ({ 'x-forgejo-signature': hmacHex(key, raw) }),
    coversBody: true,
  },
  {
    provider: 'gitea',
    scheme: 'X-Gogs-Signature',
    sign: (key, raw) => ({ 'x-gogs-signature': hmacHex(key, raw) }),
    coversBody: true,
  },
  {
    provider: 'bitbucket',
    scheme: 'X-Hub-Signature',
    sign: (key, raw) => ({ 'x-hub-signature': `sha256=${hmacHex(key, raw)}` }),
    coversBody: true,
  },
  {
    provider: 'generic',
    scheme: 'X-Slipway-Signature',
    sign: (key, raw) => ({
      'x-slipway-timestamp': seconds,
      'x-slipway-signature': `sha256=${hmacHex(key, `${seconds}.`, raw)}`,
    }),
    coversBody: true,
  },
  {
    provider: 'gitlab',
    scheme: 'X-Gitlab-Token',
    sign: (key) => ({ 'x-gitlab-token': key }),
    coversBody: false,
  },
  {
    provider: 'azure-devops',
    scheme: 'basic authentication',
    sign: (key) => ({ authorization: `Basic ${Buffer.from(`anyone:${key}`).toString('base64')}` }),
    coversBody: false,
  },
  {
    provider: 'azure-devops',
    scheme: 'X-Slipway-Token',
    sign: (key) => ({ 'x-slipway-token': key }),
    coversBody: false,
  },
];

describe.each(schemes)('$provider by $scheme', ({ provider: name, sign, coversBody }) => {
  const provider = providers.get(name);

  it('takes what was made with the secret', () => {
    expect(provider.verify(sign(secret, body), body, [secret])).toBe('ok');
  });

  it('takes either secret while they are rotated', () => {
    expect(provider.verify(sign(secret, body), body, ['the next one', secret])).toBe('ok');
    expect(provider.verify(sign(secret, body), body, [secret, 'the former one'])).toBe('ok');
  });

  it('refuses another secret, and one that only begins alike', () => {
    expect(provider.verify(sign('another', body), body, [secret])).toBe('wrong');
    expect(provider.verify(sign(secret.slice(0, -1), body), body, [secret])).toBe('wrong');
    expect(provider.verify(sign(`${secret}x`, body), body, [secret])).toBe('wrong');
  });

  it('tells a missing signature from a wrong one', () => {
    expect(provider.verify({}, body, [secret])).toBe('missing');
  });

  it('is never satisfied when there is no secret', () => {
    expect(provider.verify({}, body, [])).toBe('missing');
    expect(provider.verify(sign(secret, body), body, [])).toBe('wrong');
    expect(provider.verify(sign('', body), body, [''])).not.toBe('ok');
  });

  if (coversBody) {
    it('refuses a body that was changed by one byte', () => {
      const changed = Buffer.from(body);
      changed[3] = changed[3]! ^ 1;
      expect(provider.verify(sign(secret, body), changed, [secret])).toBe('wrong');
      expect(provider.verify(sign(secret, body), Buffer.concat([body, Buffer.from(' ')]), [secret])).toBe('wrong');
    });
  }

  it('refuses what has the form of a signature and is none', () => {
    for (const [header, value] of Object.entries(sign(secret, body))) {
      for (const text of [value.slice(0, -2), `${value}00`, value.replace(/./g, 'z'), 'sha256=', 'sha1=abc', ' ']) {
        const headers = { ...sign(secret, body), [header]: text };
        expect(provider.verify(headers, body, [secret]), `${header}: ${text}`).not.toBe('ok');
      }
    }
  });
});

describe('verification', () => {
  it('does not take SHA-1 from GitHub', () => {
    const sha1 = createHmac('sha1', secret).update(body).digest('hex');
    const github = providers.get('github');
    expect(github.verify({ 'x-hub-signature': `sha1=${sha1}` }, body, [secret])).toBe('missing');
    expect(github.verify({ 'x-hub-signature-256': `sha1=${sha1}` }, body, [secret])).toBe('wrong');
  });

  it('does not let a good Gitea signature make up for a wrong one of Forgejo', () => {
    const headers = { 'x-forgejo-signature': hmacHex('another', body), 'x-gitea-signature': hmacHex(secret, body) };
    expect(providers.get('gitea').verify(headers, body, [secret])).toBe('wrong');
  });

  it('refuses a generic push whose signed time is more than five minutes away', () => {
    const at = (offset: number) => {
      const timestamp = String(nowMs / 1000 + offset);
      const signature = `sha256=${hmacHex(secret, `${timestamp}.`, body)}`;
      const headers = { 'x-slipway-timestamp': timestamp, 'x-slipway-signature': signature };
      return providers.get('generic').verify(headers, body, [secret]);
    };
    expect([at(-301), at(-300), at(0), at(300), at(301)]).toEqual(['wrong', 'ok', 'ok', 'ok', 'wrong']);
  });

  it('refuses a generic push whose time is no time', () => {
    const headers = {
      'x-slipway-timestamp': 'soon',
      'x-slipway-signature': `sha256=${hmacHex(secret, 'soon.', body)}`,
    };
    expect(providers.get('generic').verify(headers, body, [secret])).toBe('wrong');
  });
});

describe("GitLab's signing token", () => {
  const gitlab = providers.get('gitlab');
  const sign = (key: Buffer, timestamp = seconds) => ({
    'webhook-id': 'f5e57ebe',
    'webhook-timestamp': timestamp,
    'webhook-signature': `v1,${Buffer.from(hmacHex(key, `f5e57ebe.${timestamp}.`, body), 'hex').toString('base64')}`,
  });
  const key = Buffer.alloc(32, 7);

  it('takes a signature over id, time and body', () => {
    expect(gitlab.verify(sign(key), body, [signingToken])).toBe('ok');
  });

  it('takes the right one of several signatures', () => {
    const headers = { ...sign(key), 'webhook-signature': `v1,AAAA ${sign(key)['webhook-signature']}` };
    expect(gitlab.verify(headers, body, [signingToken])).toBe('ok');
  });

  it('refuses another key, an old time, and a body that was changed', () => {
    expect(gitlab.verify(sign(Buffer.alloc(32, 8)), body, [signingToken])).toBe('wrong');
    expect(gitlab.verify(sign(key, String(nowMs / 1000 - 600)), body, [signingToken])).toBe('wrong');
    expect(gitlab.verify(sign(key), Buffer.from('{}'), [signingToken])).toBe('wrong');
  });

  it('does not let the token beside it make up for a wrong signature', () => {
    const headers = { ...sign(Buffer.alloc(32, 8)), 'x-gitlab-token': secret };
    expect(gitlab.verify(headers, body, [signingToken, secret])).toBe('wrong');
  });

  it('goes by the token where no signing token is known', () => {
    expect(gitlab.verify({ ...sign(key), 'x-gitlab-token': secret }, body, [secret])).toBe('ok');
  });
});

describe('deliveries', () => {
  it.each([
    ['github-push', '72d3162e-cc78-11e3-81ab-4c9367dc0958'],
    ['gitlab-push', 'f5e57ebe-07d9-4a43-99a5-3a1f1ee0a0f1'],
    ['gitea-push', 'f6266f16-1bf3-46a5-9ea4-602e06ead473'],
    ['forgejo-push', '0b1c2d3e-1bf3-46a5-9ea4-602e06ead473'],
    ['gogs-push', 'aa266f16-1bf3-46a5-9ea4-602e06ead473'],
    ['bitbucket-cloud-push', '2c1a6b8e-5d3f-4b7a-9c8d-1e2f3a4b5c6d'],
    ['bitbucket-server-push', '6e6b2c3d-04e5-4c1a-9a0f-1b2c3d4e5f60'],
    ['azure-devops-push', '5e6f7081-92a3-4b4c-8d5e-6f708192a3b4'],
  ])('of %s have the name that the forge gives them', (name, id) => {
    const { headers, body: payload } = readPayload(name);
    expect(providers.recognise(headers)?.deliveryId(headers, payload)).toBe(id);
  });

  it('of a generic push are known by their id, or else by their signature', () => {
    const { headers, body: payload } = readPayload('generic-push');
    const generic = providers.get('generic');
    expect(generic.deliveryId(headers, payload)).toBe('post-receive-4711');
    delete payload.id;
    const nameOf = (signature: string) => generic.deliveryId({ 'x-slipway-signature': signature }, payload);
    expect(nameOf('sha256=AB')).toBe(nameOf('sha256=ab'));
    expect(nameOf('sha256=ab')).not.toBe(nameOf('sha256=ac'));
  });

  it('keep a name of any length short', () => {
    const id = providers.get('github').deliveryId({ 'x-github-delivery': 'x'.repeat(10_000) }, {});
    expect(id).toMatch(/^[0-9a-f]{64}$/);
  });

  it('are recognised by their headers', () => {
    const named = (headers: Record<string, string>) => providers.recognise(headers)?.name;
    expect(named(readPayload('github-push').headers)).toBe('github');
    expect(named(readPayload('gitea-push').headers)).toBe('gitea');
    expect(named(readPayload('forgejo-push').headers)).toBe('gitea');
    expect(named(readPayload('gogs-push').headers)).toBe('gitea');
    expect(named(readPayload('gitlab-push').headers)).toBe('gitlab');
    expect(named(readPayload('bitbucket-cloud-push').headers)).toBe('bitbucket');
    expect(named(readPayload('bitbucket-server-push').headers)).toBe('bitbucket');
    expect(named(readPayload('azure-devops-push').headers)).toBe('azure-devops');
    expect(named({ 'x-slipway-signature': 'sha256=00' })).toBe('generic');
    expect(named({ 'user-agent': 'curl/8' })).toBeUndefined();
  });
});
