import http, { type IncomingMessage, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { FailureError } from '../../src/domain/failure.ts';
import type { GitProviderName } from '../../src/domain/git-repository.ts';
import { createEgress } from '../../src/egress/egress.ts';
import { openForge } from '../../src/notify/forge/api.ts';
import { createForgeSender } from '../../src/notify/forge/send.ts';
import { setUpWebhook } from '../../src/notify/webhook-setup/set-up.ts';

const hookUrl = 'https://slipway.example.com/hooks/git/shop';
const wish = { url: hookUrl, secret: 'a secret', pullRequests: false };

interface Seen {
  readonly what: string;
  readonly body: ReturnType<typeof JSON.parse>;
  readonly authorization: string | undefined;
}

type Answer = [status: number, body: unknown, headers?: Record<string, string>];

/** A forge on loopback: answers by a table of `METHOD /path`, 404 for all else. */
let server: Server;
let port: number;
let answers: Record<string, Answer> = {};
let seen: Seen[] = [];

async function handle(request: IncomingMessage): Promise<Answer> {
  const what = `${request.method ?? ''} ${request.url ?? ''}`;
  const body = await text(request);
  seen.push({ what, body: body === '' ? undefined : JSON.parse(body), authorization: request.headers.authorization });
  return answers[what] ?? [404, { message: 'Not Found' }];
}

beforeAll(async () => {
  server = http.createServer((request, response) => {
    void handle(request).then(([status, body, headers]) => {
      response.writeHead(status, headers).end(body === undefined ? '' : JSON.stringify(body));
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  port = (server.address() as AddressInfo).port;
});

afterAll(() => new Promise((resolve) => server.close(resolve)));

beforeEach(() => {
  answers = {};
  seen = [];
});

function setUp(provider: GitProviderName, url: string, more: Partial<typeof wish> = {}) {
  const apiUrl = `http://127.0.0.1:${String(port)}/api`;
  const forge = openForge({ provider, url, apiUrl }, { token: 't0ken' });
  const send = createForgeSender(createEgress({ allow: ['127.0.0.1'] }), 5000);
  return setUpWebhook(forge, { ...wish, ...more }, send);
}

async function faultOf(promise: Promise<unknown>): Promise<string> {
  const error: unknown = await promise.catch((caught: unknown) => caught);
  if (!(error instanceof FailureError)) throw new Error('no failure', { cause: error });
  expect(JSON.stringify(error.failure)).not.toMatch(/a secret|t0ken/);
  return error.failure.reason;
}

describe('webhook setup', () => {
  it('makes a webhook where there is none', async () => {
    answers = {
      'GET /api/repos/acme/shop/hooks?per_page=100': [200, [{ id: 1, config: { url: 'https://other.example' } }]],
      'POST /api/repos/acme/shop/hooks': [201, { id: 2 }],
    };
    expect(await setUp('github', 'https://github.com/acme/shop')).toEqual([{ action: 'created', id: '2' }]);
    expect(seen[1]).toEqual({
      what: 'POST /api/repos/acme/shop/hooks',
      authorization: 'Bearer t0ken',
      body: {
        name: 'web',
        active: true,
        events: ['push'],
        config: { url: hookUrl, content_type: 'json', secret: 'a secret', insecure_ssl: '0' },
      },
    });
  });

  it('brings the one that is there up to date', async () => {
    answers = {
      'GET /api/repos/acme/shop/hooks?per_page=100': [200, [{ id: 7, config: { url: hookUrl } }]],
      'PATCH /api/repos/acme/shop/hooks/7': [200, { id: 7 }],
    };
    const result = await setUp('github', 'https://github.com/acme/shop', { pullRequests: true });
    expect(result).toEqual([{ action: 'updated', id: '7' }]);
    expect(seen[1]?.body).toMatchObject({ events: ['push', 'pull_request'], config: { secret: 'a secret' } });
  });

  it.each([
    {
      provider: 'gitlab',
      url: 'https://gitlab.com/a/b/c',
      list: '/api/projects/a%2Fb%2Fc/hooks?per_page=100',
      found: [{ id: 7, url: hookUrl }],
      update: 'PUT /api/projects/a%2Fb%2Fc/hooks/7',
    },
    {
      provider: 'gitea',
      url: 'https://git.corp/a/b',
      list: '/api/repos/a/b/hooks?limit=50',
      found: [{ id: 7, config: { url: hookUrl } }],
      update: 'PATCH /api/repos/a/b/hooks/7',
    },
    {
      provider: 'bitbucket',
      url: 'https://bitbucket.org/a/b',
      list: '/api/repositories/a/b/hooks?pagelen=100',
      found: { values: [{ uuid: '{7}', url: hookUrl }] },
      update: 'PUT /api/repositories/a/b/hooks/%7B7%7D',
    },
    {
      provider: 'bitbucket',
      url: 'https://bb.corp/scm/WEB/b.git',
      list: '/api/projects/WEB/repos/b/webhooks?limit=100',
      found: { values: [{ id: 7, url: hookUrl }] },
      update: 'PUT /api/projects/WEB/repos/b/webhooks/7',
    },
  ] as const)('speaks to $provider at $url', async ({ provider, url, list, found, update }) => {
    const create = `POST ${list.replace(/\?.*$/, '')}`;
    answers = { [`GET ${list}`]: [200, []], [create]: [201, { id: 7 }] };
    expect(await setUp(provider, url)).toMatchObject([{ action: 'created' }]);
    expect(JSON.stringify(seen[1]?.body)).toContain('a secret');
    answers = { [`GET ${list}`]: [200, found], [update]: [200, undefined] };
    expect(await setUp(provider, url, { pullRequests: true })).toMatchObject([{ action: 'updated' }]);
    expect(JSON.stringify(seen.at(-1)?.body)).toMatch(/pull_?request|merge_requests_events":true|pr:/);
  });

  it('gives GitLab a signing token where the secret is one', async () => {
    const secret = `whsec_${Buffer.alloc(32, 1).toString('base64')}`;
    answers = {
      'GET /api/projects/a%2Fb/hooks?per_page=100': [200, []],
      'POST /api/projects/a%2Fb/hooks': [201, { id: 1 }],
    };
    await setUp('gitlab', 'https://gitlab.com/a/b', { secret });
    expect(seen[1]?.body).toMatchObject({
      token: secret,
      signing_token: secret,
      push_events: true,
      tag_push_events: true,
    });
  });

  it('makes a subscription of Azure DevOps for each event', async () => {
    const list = 'GET /api/_apis/hooks/subscriptions?publisherId=tfs&consumerId=webHooks&api-version=6.0';
    const ours = { consumerInputs: { url: hookUrl }, publisherInputs: { repository: 'r-1' } };
    answers = {
      'GET /api/Web%20Team/_apis/git/repositories/shop?api-version=6.0': [200, { id: 'r-1', project: { id: 'p-1' } }],
      [list]: [200, { value: [{ id: 's-1', eventType: 'git.push', ...ours }] }],
      'POST /api/_apis/hooks/subscriptions?api-version=6.0': [200, { id: 's-2' }],
      'PUT /api/_apis/hooks/subscriptions/s-1?api-version=6.0': [200, { id: 's-1' }],
    };
    const url = 'https://dev.azure.com/acme/Web%20Team/_git/shop';
    expect(await setUp('azure-devops', url, { pullRequests: true })).toEqual([
      { action: 'updated', id: 's-1' },
      { action: 'created', id: 's-2' },
      { action: 'created', id: 's-2' },
    ]);
    expect(seen.at(-1)?.body).toMatchObject({
      eventType: 'git.pullrequest.updated',
      publisherInputs: { projectId: 'p-1', repository: 'r-1', notificationType: 'PushNotification' },
      consumerInputs: { url: hookUrl, basicAuthPassword: 'a secret' },
    });
  });

  it('says what is wrong without repeating what was sent', async () => {
    const list = 'GET /api/repos/acme/shop/hooks?per_page=100';
    const url = 'https://github.com/acme/shop';
    answers = { [list]: [403, { message: 'a secret t0ken' }] };
    expect(await faultOf(setUp('github', url))).toBe('forbidden');
    answers = {};
    expect(await faultOf(setUp('github', url))).toBe('not-found');
    answers = { [list]: [200, []], 'POST /api/repos/acme/shop/hooks': [422, { message: 'a secret' }] };
    expect(await faultOf(setUp('github', url))).toBe('source-unavailable');
  });

  it('takes a list that is not what it should be for an empty one', async () => {
    answers = {
      'GET /api/repos/acme/shop/hooks?per_page=100': [200, { values: [null, 7, { config: null }] }],
      'POST /api/repos/acme/shop/hooks': [201, 'made'],
    };
    expect(await setUp('github', 'https://github.com/acme/shop')).toEqual([{ action: 'created' }]);
  });
});

describe('the sender', () => {
  it('follows a renamed repository within the forge, with the same method and body', async () => {
    answers = {
      'GET /api/repos/acme/shop/hooks?per_page=100': [301, {}, { location: '/api/repositories/1/hooks' }],
      'GET /api/repositories/1/hooks': [200, []],
      'POST /api/repos/acme/shop/hooks': [
        307,
        {},
        { location: `http://127.0.0.1:${String(port)}/api/repositories/1/hooks` },
      ],
      'POST /api/repositories/1/hooks': [201, { id: 3 }],
    };
    expect(await setUp('github', 'https://github.com/acme/shop')).toEqual([{ action: 'created', id: '3' }]);
    expect(seen.at(-1)?.body).toMatchObject({ name: 'web' });
  });

  it('carries the token to no other host', async () => {
    const list = 'GET /api/repos/acme/shop/hooks?per_page=100';
    answers = { [list]: [302, {}, { location: `http://localhost:${String(port)}/elsewhere` }] };
    expect(await faultOf(setUp('github', 'https://github.com/acme/shop'))).toBe('source-unavailable');
    expect(seen).toHaveLength(1);
  });

  it('refuses an address that the operator did not allow', async () => {
    const apiUrl = `http://127.0.0.1:${String(port)}/api`;
    const forge = openForge({ provider: 'github', url: 'https://github.com/a/b', apiUrl }, { token: 't0ken' });
    const send = createForgeSender(createEgress({ allow: [] }));
    expect(await faultOf(setUpWebhook(forge, wish, send))).toBe('invalid-request');
    expect(seen).toEqual([]);
  });
});
