import { request } from 'node:http';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { basic, codesOf, sha, startRegistry, until, type RunningRegistry } from './rig.ts';

let running: RunningRegistry;
beforeEach(async () => {
  running = await startRegistry();
});
afterEach(async () => {
  await running.stop();
  expect(running.errors).toEqual([]);
});

const begin = async (query = ''): Promise<string> => {
  const answer = await running.send('POST', `/v2/app/blobs/uploads/${query}`);
  expect(answer.status).toBe(202);
  return answer.headers.get('location') ?? '';
};
const getBlob = async (digest: string, repository = 'app'): Promise<string | number> => {
  const answer = await running.send('GET', `/v2/${repository}/blobs/${digest}`);
  return answer.status === 200 ? answer.text() : answer.status;
};
const put = (session: string, digest: string, more: RequestInit = {}): Promise<Response> =>
  running.send('PUT', `${session}?digest=${encodeURIComponent(digest)}`, more);

describe('a blob that is pushed', () => {
  it('in one POST is there at once', async () => {
    const digest = sha('hello');
    const answer = await running.send('POST', `/v2/app/blobs/uploads/?digest=${digest}`, { body: 'hello' });
    expect(answer.status).toBe(201);
    expect(answer.headers.get('location')).toBe(`/v2/app/blobs/${digest}`);
    expect(answer.headers.get('docker-content-digest')).toBe(digest);
    expect(await getBlob(digest)).toBe('hello');
  });

  it('with POST and PUT is there, whatever its size', async () => {
    const bytes = Buffer.alloc(5_000_000, 'slipway ');
    const answer = await put(await begin(), sha(bytes), { body: bytes });
    expect(answer.status).toBe(201);
    expect(await getBlob(sha(bytes))).toBe(bytes.toString());
  });

  it('as a stream of unknown length and an empty PUT is there', async () => {
    const session = await begin();
    const body = new Blob(['one ', 'two ', 'three']).stream();
    const patched = await running.send('PATCH', session, { body, duplex: 'half' });
    expect([patched.status, patched.headers.get('range')]).toEqual([202, '0-12']);
    expect((await put(session, sha('one two three'))).status).toBe(201);
    expect(await getBlob(sha('one two three'))).toBe('one two three');
  });

  it('in chunks with Content-Range, the last one in the PUT, is there', async () => {
    const session = await begin();
    const patch = (range: string, body: string): Promise<Response> =>
      running.send('PATCH', session, { body, headers: { 'content-range': range } });
    expect((await patch('0-3', 'one ')).headers.get('range')).toBe('0-3');
    expect((await patch('bytes 4-7/*', 'two ')).headers.get('range')).toBe('0-7');
    const closed = await put(session, sha('one two three'), { body: 'three', headers: { 'content-range': '8-12' } });
    expect(closed.status).toBe(201);
  });

  it('can be empty', async () => {
    expect((await put(await begin(), sha(''))).status).toBe(201);
    expect(await getBlob(sha(''))).toBe('');
    const single = await running.send('POST', `/v2/app/blobs/uploads/?digest=${sha('')}`);
    expect(single.status).toBe(201);
  });

  it('can have a sha512 digest, announced or not', async () => {
    const digest = sha('hello', 'sha512');
    expect((await put(await begin('?digest-algorithm=sha512'), digest, { body: 'hello' })).status).toBe(201);
    expect(await getBlob(digest)).toBe('hello');
    const other = sha('other', 'sha512');
    expect((await put(await begin(), other, { body: 'other' })).status).toBe(201);
    expect(await getBlob(other)).toBe('other');
  });

  it('twice at the same time is there once, and both are told so', async () => {
    const answers = await Promise.all(
      [1, 2, 3].map(() => running.send('POST', `/v2/app/blobs/uploads/?digest=${sha('same')}`, { body: 'same' })),
    );
    expect(answers.map(({ status }) => status)).toEqual([201, 201, 201]);
    expect(await getBlob(sha('same'))).toBe('same');
  });

  it('is not there under a digest that its bytes do not have, and its session is over', async () => {
    const session = await begin();
    const answer = await put(session, sha('hello'), { body: 'hullo' });
    expect([answer.status, await codesOf(answer)]).toEqual([400, ['DIGEST_INVALID']]);
    expect(await getBlob(sha('hello'))).toBe(404);
    expect(await getBlob(sha('hullo'))).toBe(404);
    expect((await running.send('GET', session)).status).toBe(404);
    expect(await running.storage.listStaged('')).toEqual([]);
    const single = await running.send('POST', `/v2/app/blobs/uploads/?digest=${sha('hello')}`, { body: 'hullo' });
    expect([single.status, await codesOf(single)]).toEqual([400, ['DIGEST_INVALID']]);
  });

  it.each(['', 'sha256:short', 'md5:d41d8cd98f00b204e9800998ecf8427e', 'hello'])(
    'with the digest %j is refused, and the session goes on',
    async (digest) => {
      const session = await begin();
      const answer = await put(session, digest, { body: 'hello' });
      expect([answer.status, await codesOf(answer)]).toEqual([400, ['DIGEST_INVALID']]);
      expect((await put(session, sha('hello'), { body: 'hello' })).status).toBe(201);
    },
  );
});

describe('an upload session', () => {
  it('says how much has arrived', async () => {
    const session = await begin();
    await running.send('PATCH', session, { body: 'hello' });
    const answer = await running.send('GET', session);
    expect([answer.status, answer.headers.get('range'), answer.headers.get('location')]).toEqual([204, '0-4', session]);
  });

  it.each(['1-5', '6-10', '0-4/5'])('refuses a chunk at %s when the next byte is another', async (range) => {
    const session = await begin();
    if (range.startsWith('0')) await running.send('PATCH', session, { body: 'first' });
    const headers = { 'content-range': range };
    const answer = await running.send('PATCH', session, { body: 'hello', headers });
    expect(answer.status).toBe(416);
    expect(answer.headers.get('location')).toBe(session);
    expect((await put(session, sha('hello'), { body: 'hello', headers: { 'content-range': '7-11' } })).status).toBe(
      416,
    );
  });

  it('refuses a Content-Range that is none, or not as long as the body', async () => {
    const session = await begin();
    const patch = (range: string): Promise<Response> =>
      running.send('PATCH', session, { body: 'hello', headers: { 'content-range': range } });
    expect((await patch('zero to four')).status).toBe(400);
    expect((await patch('0-9')).status).toBe(416);
    expect((await patch('4-0')).status).toBe(416);
  });

  it('is over when it is cancelled', async () => {
    const session = await begin();
    await running.send('PATCH', session, { body: 'hello' });
    expect((await running.send('DELETE', session)).status).toBe(204);
    for (const method of ['GET', 'PATCH', 'PUT', 'DELETE']) {
      const answer = await running.send(method, session, method === 'GET' ? {} : { body: 'x' });
      expect([answer.status, await codesOf(answer)]).toEqual([404, ['BLOB_UPLOAD_UNKNOWN']]);
    }
    expect(await running.storage.listStaged('')).toEqual([]);
    expect((await running.storage.list('registry/uploads/')).keys).toEqual([]);
  });

  it('belongs to its repository and to whoever began it', async () => {
    const answer = await running.send('POST', '/v2/team/app/blobs/uploads/');
    const session = answer.headers.get('location') ?? '';
    expect((await running.send('GET', session.replace('team/app', 'team/other'))).status).toBe(404);
    const authorization = basic('member', 'secret');
    expect((await running.send('GET', session, { headers: { authorization } })).status).toBe(404);
    expect((await running.send('GET', session)).status).toBe(204);
  });

  it('takes one writer at a time', async () => {
    const session = await begin();
    const slow = request(running.url + session, {
      method: 'PATCH',
      headers: { authorization: basic('admin', 'secret') },
    });
    slow.on('error', () => undefined);
    slow.write('first');
    await until(async () => (await running.send('GET', session)).status === 416);
    expect((await running.send('PATCH', session, { body: 'second' })).status).toBe(416);
    await new Promise<void>((done) => {
      slow.on('response', (answer) => answer.resume().on('end', done)).end();
    });
    expect((await put(session, sha('first'))).status).toBe(201);
  });

  it('keeps what arrived before the connection broke, shows none of it, and goes on', async () => {
    const session = await begin();
    const headers = { authorization: basic('admin', 'secret'), 'content-length': '1000' };
    const broken = request(running.url + session, { method: 'PATCH', headers });
    broken.on('error', () => undefined);
    broken.write('hello ');
    await until(async () => (await running.send('GET', session)).status === 416);
    broken.destroy();
    await until(async () => (await running.send('GET', session)).status === 204);
    expect((await running.send('GET', session)).headers.get('range')).toBe('0-5');
    expect(await getBlob(sha('hello '))).toBe(404);
    expect((await put(session, sha('hello world'), { body: 'world' })).status).toBe(201);
    expect(await getBlob(sha('hello world'))).toBe('hello world');
  });

  it('is removed, bytes and all, when nobody continues it for a day', async () => {
    const old = await begin();
    await running.send('PATCH', old, { body: 'hello' });
    running.clock.time += 23 * 3_600_000;
    const young = await begin();
    await running.send('PATCH', young, { body: 'hello' });
    running.clock.time += 2 * 3_600_000;
    expect(await running.registry.removeExpiredUploads()).toBe(1);
    expect((await running.send('GET', old)).status).toBe(404);
    expect((await running.send('GET', young)).status).toBe(204);
    expect(await running.storage.listStaged('')).toHaveLength(1);
  });

  it('refuses what is larger than a blob may be, announced or not', async () => {
    await running.stop();
    running = await startRegistry({ limits: { blobBytes: 10 } });
    const announced = await running.send('PATCH', await begin(), { body: 'hello world' });
    expect([announced.status, await codesOf(announced)]).toEqual([413, ['SIZE_INVALID']]);
    const body = new Blob(['hello ', 'world']).stream();
    const streamed = await running.send('PATCH', await begin(), { body, duplex: 'half' });
    expect(streamed.status).toBe(413);
  });
});

describe('mounting', () => {
  const mount = (query: string, authorization = basic('admin', 'secret')): Promise<Response> =>
    running.send('POST', `/v2/team/to/blobs/uploads/?${query}`, { headers: { authorization } });

  it('links a blob of another repository, without its bytes being sent', async () => {
    const digest = await running.pushBlob('from', 'hello');
    const answer = await mount(`mount=${encodeURIComponent(digest)}&from=from`);
    expect([answer.status, answer.headers.get('location')]).toEqual([201, `/v2/team/to/blobs/${digest}`]);
    expect(await getBlob(digest, 'team/to')).toBe('hello');
  });

  it('finds the blob by itself when no repository is named', async () => {
    const digest = await running.pushBlob('from', 'hello');
    expect((await mount(`mount=${digest}`)).status).toBe(201);
  });

  it('becomes an ordinary upload when the blob is not there', async () => {
    const digest = await running.pushBlob('from', 'hello');
    for (const query of [
      `mount=${sha('no')}&from=from`,
      `mount=${digest}&from=other`,
      `mount=${digest}&from=../x`,
      'mount=x',
    ]) {
      const answer = await mount(query);
      expect(answer.status).toBe(202);
      expect(answer.headers.get('location')).toMatch(/^\/v2\/team\/to\/blobs\/uploads\/./);
    }
  });

  it('becomes an ordinary upload when the caller may not read the source', async () => {
    const digest = await running.pushBlob('from', 'hello');
    const member = basic('member', 'secret');
    expect((await mount(`mount=${digest}&from=from`, member)).status).toBe(202);
    expect((await mount(`mount=${digest}`, member)).status).toBe(202);
    expect(await getBlob(digest, 'team/to')).toBe(404);
  });

  it('does not say that a blob is there whose bytes were lost, and a push heals it', async () => {
    const digest = await running.pushBlob('from', 'hello');
    const hex = digest.slice('sha256:'.length);
    await running.storage.delete(`registry/blobs/sha256/${hex.slice(0, 2)}/${hex}`);
    expect((await mount(`mount=${digest}&from=from`)).status).toBe(202);
    expect((await running.send('HEAD', `/v2/from/blobs/${digest}`)).status).toBe(404);
    await running.pushBlob('from', 'hello');
    expect(await getBlob(digest, 'from')).toBe('hello');
  });
});
