import { describe, expect, it } from 'vitest';
import { fail, failureReasons } from '../../src/domain/failure.ts';
import { answerError } from '../../src/http/errors.ts';
import { createMemoryStore } from '../../src/store/memory/store.ts';
import type { Store } from '../../src/store/ports.ts';
import { basic, buildRequest, createTestClock, startRig, until } from './rig.ts';

/** A store of which everything rejects as it does without Redis. */
function brokenStore(): Store {
  const reject = async (): Promise<never> => {
    throw fail('redis-unavailable', 'Redis cannot be reached');
  };
  const broken = new Proxy({}, { get: () => reject }) as never;
  const store = createMemoryStore({ clock: createTestClock() });
  return { ...store, runs: broken, events: broken, workers: broken, once: broken, ping: reject };
}

describe('errors', () => {
  it('have a status and a code of their own for each reason', () => {
    const answers = failureReasons.map((reason) => answerError(fail(reason, 'a sentence')));
    expect(new Set(answers.map(({ body }) => body.error.code)).size).toBe(failureReasons.length);
    for (const { status } of answers) expect(status).toBeGreaterThanOrEqual(400);
  });

  it('carry the field, the hint, further faults, and when to try again', () => {
    const error = fail('rate-limited', 'too many', {
      field: 'a.b',
      hint: 'wait',
      details: [{ field: 'c', message: 'd' }],
      retryAfterSeconds: 7,
    });
    expect(answerError(error)).toEqual({
      status: 429,
      headers: { 'Retry-After': '7' },
      body: {
        error: {
          code: 'TooManyRequests',
          message: 'too many',
          target: 'a.b',
          hint: 'wait',
          details: [{ code: 'TooManyRequests', message: 'd', target: 'c' }],
        },
      },
    });
  });

  it('say nothing of what went wrong inside, but the server log does', async () => {
    const secret = new Error('SELECT password FROM accounts');
    const rig = await startRig({ authenticate: () => Promise.reject(secret) });
    const answer = await rig.api('GET', '/runs');
    expect(answer.status).toBe(500);
    expect(JSON.stringify(answer.body)).not.toContain('SELECT');
    expect(rig.logged.find(({ level }) => level === 'error')?.context).toMatchObject({ err: secret });
  });

  it('answer 503 at once with the reason when Redis is away, and 200 when it is back', async () => {
    const rig = await startRig({ store: brokenStore() });
    const paths = ['/runs', '/runs/ca1', '/runs/ca1/log', '/runs/ca1/events', '/workers'];
    for (const path of paths) {
      const answer = await rig.api('GET', path);
      expect([answer.status, answer.body.error.code]).toEqual([503, 'RedisUnavailable']);
      expect(answer.headers.get('retry-after')).toBe('5');
    }
    expect((await rig.api('POST', '/scheduleRun', buildRequest())).status).toBe(503);
    expect((await rig.api('POST', '/runs/ca1/cancel')).status).toBe(503);
    const ready = await fetch(`${rig.url}/readyz`);
    expect([ready.status, await ready.json()]).toEqual([
      503,
      { status: 'not ready', checks: { redis: { ok: false, reason: 'Redis cannot be reached' } } },
    ]);
    expect((await fetch(`${rig.url}/healthz`)).status).toBe(200);
  });

  it('answer 405 with what is allowed', async () => {
    const rig = await startRig();
    const cases = [
      ['DELETE', '/runs', 'GET, HEAD'],
      ['PUT', '/runs/ca1', 'GET, HEAD, PATCH'],
      ['GET', '/scheduleRun', 'POST'],
      ['POST', '/', 'GET, HEAD'],
    ] as const;
    for (const [method, path, allow] of cases) {
      const answer = await rig.api(method, path);
      expect([answer.status, answer.headers.get('allow'), answer.body.error.code]).toEqual([
        405,
        allow,
        'MethodNotAllowed',
      ]);
    }
  });

  it('answer 404 with a document for what is not there', async () => {
    const rig = await startRig();
    for (const path of ['/nothing', '/runs/zz9', '/runs/NOT-AN-ID', '/runs/ca1/nothing', '/Runs']) {
      const answer = await rig.api('GET', path);
      expect([answer.status, answer.body.error.code]).toEqual([404, 'ResourceNotFound']);
    }
    expect((await fetch(`${rig.url}/elsewhere`)).status).toBe(404);
  });

  it.each([
    ['malformed JSON', '{"type":', {}, 400],
    ['JSON that is no object', '[1,2]', {}, 400],
    ['no body at all', undefined, {}, 400],
    ['another media type', 'type=DockerBuildRequest', { 'content-type': 'application/x-www-form-urlencoded' }, 415],
    ['a charset that JSON does not have', '{}', { 'content-type': 'application/json; charset=koi8-r' }, 400],
    ['a compressed body', '{}', { 'content-encoding': 'gzip' }, 400],
    ['a body over 1 MiB', JSON.stringify({ a: 'x'.repeat(1024 * 1024) }), {}, 413],
  ])('refuse %s', async (_name, body, headers, status) => {
    const rig = await startRig();
    const answer = await rig.api('POST', '/scheduleRun', body, headers);
    expect(answer.status).toBe(status);
    expect(answer.body.error.message).toMatch(/\w+ \w+/);
  });

  it('answer a path that cannot be decoded as a malformed request', async () => {
    const rig = await startRig();
    const answer = await rig.api('GET', '/runs/%E0%A4%A');
    expect([answer.status, answer.body.error.code]).toEqual([400, 'InvalidRequest']);
  });
});

describe('every answer', () => {
  it('has a request id and the headers that keep it from being misread', async () => {
    const rig = await startRig();
    const answer = await rig.api('GET', '/', undefined, { 'x-ms-correlation-request-id': 'abc-123' });
    expect(answer.headers.get('x-ms-request-id')).toMatch(/^[0-9a-f-]{36}$/);
    expect(answer.headers.get('x-ms-correlation-request-id')).toBe('abc-123');
    expect(answer.headers.get('x-content-type-options')).toBe('nosniff');
    expect(answer.headers.get('cache-control')).toContain('no-cache');
    expect(answer.headers.get('x-powered-by')).toBeNull();
  });

  it('leaves one line in the log, with who asked and without the query', async () => {
    const rig = await startRig();
    await fetch(`${rig.url}/api/v1/runs?sig=hidden`, { headers: { authorization: basic } });
    await until(() => rig.logged.length > 0);
    expect(rig.logged).toMatchObject([
      { level: 'info', context: { method: 'GET', path: '/api/v1/runs', status: 200, caller: 'admin' } },
    ]);
    expect(JSON.stringify(rig.logged)).not.toContain('hidden');
  });
});
