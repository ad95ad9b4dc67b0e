import { connect } from 'node:net';
import { request } from 'node:http';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createMemoryBlobStore } from '../../src/blob/memory/store.ts';
import { findRoute } from '../../src/registry/routes.ts';
import { basic, codesOf, startRegistry, until, type RunningRegistry } from './rig.ts';

let running: RunningRegistry;
const storage = createMemoryBlobStore(() => 0);
beforeAll(async () => {
  running = await startRegistry({ storage, limits: { socketIdleMs: 300 } });
  await running.pushImage('app', 'v1');
});
afterAll(async () => {
  await running.stop();
  expect(running.errors).toEqual([]);
});

/** Sends a request with the path exactly as it is given; status and body. */
function sendRaw(method: string, path: string, headers: Record<string, string> = {}): Promise<[number, string]> {
  return new Promise((resolve, reject) => {
    const { port } = new URL(running.url);
    const all = { authorization: basic('admin', 'secret'), ...headers };
    const sent = request({ host: '127.0.0.1', port, method, path, headers: all, agent: false }, (answer) => {
      const chunks: Buffer[] = [];
      answer.on('data', (chunk: Buffer) => chunks.push(chunk));
      answer.on('end', () => resolve([answer.statusCode ?? 0, Buffer.concat(chunks).toString()]));
    });
    sent.on('error', reject);
    sent.end();
  });
}

const isErrorDocument = (text: string): boolean => {
  const { errors } = JSON.parse(text) as { errors: { code: unknown; message: unknown }[] };
  return (
    errors.length > 0 && errors.every(({ code, message }) => typeof code === 'string' && typeof message === 'string')
  );
};

// Everything that HTTP lets stand in a request line, and the words that mean something to a registry.
const word = fc.oneof(
  {
    weight: 3,
    arbitrary: fc.constantFrom(
      'app',
      'v1',
      'manifests',
      'blobs',
      'uploads',
      'tags',
      'list',
      'referrers',
      '_catalog',
      '',
      '.',
      '..',
      '%2e%2e',
      '%2F',
      '%',
      '%00',
      '%ff',
      '_tags',
      'sha256:',
      `sha256:${'a'.repeat(64)}`,
    ),
  },
  {
    weight: 1,
    arbitrary: fc.string({
      unit: fc.integer({ min: 0x21, max: 0x7e }).map((code) => String.fromCharCode(code)),
      maxLength: 20,
    }),
  },
);
const path = fc
  .tuple(
    fc.array(word, { maxLength: 7 }),
    fc.constantFrom('', '?n=1', '?digest=x', '?mount=x&from=..', '?last=%ff', '?n=1&n=2', '?tag=..'),
  )
  .map(([words, query]) => `/v2/${words.join('/').replaceAll(/[?#]/g, '')}${query}`);
const method = fc.constantFrom('GET', 'HEAD', 'PUT', 'POST', 'PATCH', 'DELETE', 'OPTIONS', 'TRACE');
const headers = fc.record(
  {
    range: fc.oneof(
      fc.constantFrom('bytes=0-', 'bytes=99999999999999999999-', 'bytes=--1'),
      fc.stringMatching(/^[ -~]{0,20}$/),
    ),
    'content-range': fc.constantFrom('0-0', '5-1', 'x', 'bytes 0-99999999999999999999/*'),
    'content-type': fc.stringMatching(/^[ -~]{0,30}$/),
    'if-none-match': fc.stringMatching(/^[ -~]{0,20}$/),
  },
  { requiredKeys: [] },
);

describe('whatever is asked', () => {
  it('is answered: never with a fault of the server, and every refusal with an error document', async () => {
    await fc.assert(
      fc.asyncProperty(method, path, headers, async (verb, where, more) => {
        const [status, body] = await sendRaw(verb, where, more);
        expect(status).toBeLessThan(500);
        if (status >= 400 && verb !== 'HEAD') expect(isErrorDocument(body)).toBe(true);
      }),
      { numRuns: 1500 },
    );
  });

  it('nothing is stored but under the registry, and nothing under a name that is none', async () => {
    const { keys } = await storage.list('');
    expect(keys.filter((key) => !key.startsWith('registry/'))).toEqual([]);
    expect(keys.filter((key) => key.includes('..'))).toEqual([]);
  });

  it('has a route that keeps name and reference apart, whatever the name', () => {
    const name = fc.array(fc.constantFrom('a', 'manifests', 'blobs', 'uploads', 'tags', 'list'), {
      minLength: 1,
      maxLength: 5,
    });
    fc.assert(
      fc.property(name, (parts) => {
        const joined = parts.join('/');
        expect(findRoute(`/v2/${joined}/manifests/v1`)).toEqual({ kind: 'manifest', name: joined, reference: 'v1' });
        expect(findRoute(`/v2/${joined}/tags/list`)).toEqual({ kind: 'tags', name: joined });
        expect(findRoute(`/v2/${joined}/blobs/uploads/`)).toEqual({ kind: 'uploads', name: joined });
        expect(findRoute(`/v2/${joined}/blobs/uploads/id-1`)).toEqual({ kind: 'upload', name: joined, id: 'id-1' });
        expect(findRoute(`/v2/${joined}/blobs/sha256%3Aab`)).toEqual({
          kind: 'blob',
          name: joined,
          digest: 'sha256:ab',
        });
      }),
    );
  });
});

describe('names', () => {
  it.each(['App', 'a//b', 'a/', '-a', 'a_', 'a..b', 'a/../b', 'a'.repeat(256), '_catalog', 'a:b', 'a@b', '.staging'])(
    'like %s are refused',
    async (name) => {
      for (const rest of ['manifests/v1', 'tags/list', `blobs/sha256:${'a'.repeat(64)}`]) {
        const [status, body] = await sendRaw('GET', `/v2/${name}/${rest}`);
        expect([status, body]).toEqual([400, expect.stringContaining('NAME_INVALID')]);
      }
      const [status] = await sendRaw('POST', `/v2/${name}/blobs/uploads/`);
      expect(status).toBe(400);
    },
  );

  it.each(['/v2x', '/v3/', '/', '/oauth2x', '/v2%2f'])('of paths like %s are not the registry’s', async (where) => {
    expect((await sendRaw('GET', where))[0]).toBe(418);
  });
});

describe('methods', () => {
  it('that an endpoint does not have are refused with those that it has', async () => {
    const answer = await running.send('POST', '/v2/app/manifests/v1');
    expect([answer.status, answer.headers.get('allow'), await codesOf(answer)]).toEqual([
      405,
      'GET, HEAD, PUT, DELETE',
      ['UNSUPPORTED'],
    ]);
    expect((await running.send('DELETE', '/v2/')).status).toBe(405);
    expect((await running.send('PUT', '/v2/_catalog')).status).toBe(405);
  });
});

describe('a body', () => {
  it('that stops coming is given up, and leaves nothing visible', async () => {
    const socket = connect(Number(new URL(running.url).port), '127.0.0.1');
    let closed = false;
    socket
      .on('close', () => (closed = true))
      .on('error', () => undefined)
      .resume();
    const digest = `sha256:${'a'.repeat(64)}`;
    socket.write(
      `POST /v2/slow/blobs/uploads/?digest=${digest} HTTP/1.1\r\nHost: x\r\nAuthorization: ${basic('admin', 'secret')}\r\nContent-Length: 1000\r\n\r\nhello`,
    );
    await until(() => closed);
    await until(async () => (await storage.listStaged('registry-')).every(({ id }) => !id.includes('slow')));
    expect((await running.send('GET', `/v2/slow/blobs/${digest}`)).status).toBe(404);
  });

  it('that nobody may send is answered while it still comes', async () => {
    const body = Buffer.alloc(8_000_000);
    const answer = await fetch(`${running.url}/v2/app/blobs/uploads/`, { method: 'POST', body });
    expect(answer.status).toBe(401);
  });
});
