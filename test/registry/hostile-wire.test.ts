import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createDice } from './hostile-cases.ts';
import { converse, exchange, open, say, wire, type WireRequest } from './hostile-wire.ts';
import { basic, sha, startRegistry, until, type RunningRegistry } from './rig.ts';

const login = `Authorization: ${basic('admin', 'secret')}\r\n`;
const uploads = '/v2/app/blobs/uploads/';

let running: RunningRegistry;
let port: number;
let kept: string;
beforeAll(async () => {
  running = await startRegistry({ limits: { socketIdleMs: 400 } });
  port = (running.server.address() as AddressInfo).port;
  kept = (await running.pushImage('app', 'v1')).bytes;
});
afterAll(async () => {
  await running.stop();
  expect(running.errors).toEqual([]);
});

/** What every request of this file would like to do. */
const inner = `DELETE /v2/app/manifests/v1 HTTP/1.1\r\nHost: x\r\n${login}\r\n`;
const head = (method: string, target: string, ...headers: string[]): string =>
  `${method} ${target} HTTP/1.1\r\nHost: x\r\n${login}${headers.map((line) => `${line}\r\n`).join('')}\r\n`;
const statusesOf = (heard: string): number[] =>
  [...heard.matchAll(/HTTP\/1\.1 (\d{3}) /g)].map(([, status]) => Number(status));

async function expectKept(): Promise<void> {
  const answer = await running.send('GET', '/v2/app/manifests/v1');
  expect([answer.status, await answer.text()]).toEqual([200, kept]);
}

describe('a request inside of another one', () => {
  const chunk = (text: string): string => `${text.length.toString(16)}\r\n${text}\r\n0\r\n\r\n`;
  const framings: [string, string][] = [
    [
      'Content-Length and Transfer-Encoding',
      head('PUT', '/v2/app/manifests/v2', 'Content-Length: 5', 'Transfer-Encoding: chunked') + `0\r\n\r\n${inner}`,
    ],
    [
      'Transfer-Encoding and Content-Length',
      head('PATCH', `${uploads}x`, 'Transfer-Encoding: chunked', 'Content-Length: 5') + `0\r\n\r\n${inner}`,
    ],
    [
      'two lengths that differ',
      head('PUT', '/v2/app/manifests/v2', 'Content-Length: 0', `Content-Length: ${String(inner.length)}`) + inner,
    ],
    ['a list of lengths', head('PUT', '/v2/app/manifests/v2', `Content-Length: 0, ${String(inner.length)}`) + inner],
    ['a length with a sign', head('PUT', '/v2/app/manifests/v2', 'Content-Length: +0') + inner],
    ['a negative length', head('PUT', '/v2/app/manifests/v2', 'Content-Length: -1') + inner],
    ['a length in hexadecimal', head('PUT', '/v2/app/manifests/v2', 'Content-Length: 0x0') + inner],
    ['a length that no number holds', head('PUT', '/v2/app/manifests/v2', `Content-Length: ${'9'.repeat(30)}`) + inner],
    ['an encoding that is none', head('PATCH', `${uploads}x`, 'Transfer-Encoding: xchunked') + `0\r\n\r\n${inner}`],
    [
      'an encoding after chunked',
      head('PATCH', `${uploads}x`, 'Transfer-Encoding: chunked, identity') + `0\r\n\r\n${inner}`,
    ],
    ['a blank before the colon', head('PATCH', `${uploads}x`, 'Transfer-Encoding : chunked') + `0\r\n\r\n${inner}`],
    ['a header that goes on in the next line', head('PATCH', `${uploads}x`, 'X: y', ' Content-Length: 500') + inner],
    [
      'chunks of a size that is no number',
      head('PATCH', `${uploads}x`, 'Transfer-Encoding: chunked') + `zz\r\n${inner}`,
    ],
    [
      'chunks of a size that no number holds',
      head('PATCH', `${uploads}x`, 'Transfer-Encoding: chunked') + `${'f'.repeat(20)}\r\n${inner}`,
    ],
    [
      'a chunk that is longer than it says',
      head('PATCH', `${uploads}x`, 'Transfer-Encoding: chunked') + `1\r\n${inner}\r\n0\r\n\r\n`,
    ],
    [
      'line ends without a return',
      head('PATCH', `${uploads}x`, 'Transfer-Encoding: chunked').replaceAll('\r', '') + `0\n\n${inner}`,
    ],
    ['a null in a header', head('PATCH', `${uploads}x`, 'X: a\0Content-Length: 500') + inner],
    ['a line end in the target', `GET /v2/\r\nX: HTTP/1.1\r\n${login}\r\n${inner}`],
  ];

  it.each(framings)('by %s is not carried out', async (_, bytes) => {
    const heard = await say(port, bytes);
    for (const status of statusesOf(heard)) expect(status).toBeLessThan(500);
    expect(statusesOf(heard)).not.toContain(202);
    await expectKept();
  });

  it('is what it is: the body of an upload, also where the upload is refused', async () => {
    const bodies: WireRequest[] = [
      wire('PUT', '/v2/app/manifests/v2', { body: inner }),
      wire('POST', uploads, { body: inner }),
      wire('PATCH', `${uploads}none`, { body: inner, headers: { Authorization: basic('admin', 'secret') } }),
      wire('GET', '/v2/', { body: inner, headers: { 'Content-Length': String(inner.length) } }),
      wire('TRACE', '/v2/', { body: inner, headers: { 'Content-Length': String(inner.length) } }),
    ];
    const statuses = (await exchange(port, bodies)).map(({ status }) => status);
    expect(statuses).toEqual([401, 401, 404, 401, 405]);
    const chunked = head('PATCH', `${uploads}none`, 'Transfer-Encoding: chunked', 'Connection: close') + chunk(inner);
    expect(statusesOf(await say(port, chunked))).toEqual([404]);
    await expectKept();
  });
});

describe('what is no request', () => {
  const lines = [
    ...[
      '\r\n\r\n\r\n',
      '\0\0\0\0\r\n\r\n',
      'GET\r\n\r\n',
      'GET /v2/\r\n\r\n',
      'GET /v2/ HTTP/0.9\r\n\r\n',
      'GET /v2/ HTTP/9.9\r\n\r\n',
    ],
    ...[
      'GET  /v2/ HTTP/1.1\r\n\r\n',
      'get /v2/ HTTP/1.1\r\n\r\n',
      ' GET /v2/ HTTP/1.1\r\n\r\n',
      'GET /v2/\0 HTTP/1.1\r\n\r\n',
    ],
    ...['PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n', 'CONNECT /v2/ HTTP/1.1\r\nHost: x\r\n\r\n', 'GET /v2/ HTTP/1.1\r\n\r\n'],
    ...['\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03', 'SSH-2.0-x\r\n', 'GET /v2/ HTTP/1.1\r\nHost: x\r\nX\r\n\r\n'],
    ...['GET /v2/ HTTP/1.1\r\nHost: x\r\n: y\r\n\r\n', 'GET /v2/ HTTP/1.1\r\nHost: x\r\nH\u0000: y\r\n\r\n'],
  ];

  it.each(lines)('%j ends the connection with 400 or nothing, and no more', async (bytes) => {
    const heard = await say(port, Buffer.from(bytes, 'latin1'), true);
    expect(heard === '' || /^HTTP\/1\.1 4\d\d [A-Za-z ]+\r\n/.test(heard)).toBe(true);
  });

  it('thousands of bytes at random do the same', async () => {
    const dice = createDice(7);
    for (let round = 0; round < 200; round += 1) {
      const bytes = Buffer.from(Array.from({ length: 1 + dice.roll(300) }, () => dice.roll(256)));
      const heard = await say(port, bytes, true);
      expect(heard === '' || /^HTTP\/1\.1 400 /.test(heard)).toBe(true);
    }
    await expectKept();
  });
});

describe('targets that are no paths', () => {
  it.each([
    'http://evil.test/v2/app/manifests/v1',
    '*',
    'evil.test:443',
    '//v2/',
    '/v2/../../etc/passwd',
    '/../v2/',
    '/v2//',
    '?',
    '/v2?x',
    '/v2/?/app',
  ])('%s never becomes another request', async (target) => {
    for (const method of ['GET', 'DELETE', 'OPTIONS', 'PUT']) {
      const [answer] = await converse(port, [
        wire(method, target, { headers: { Authorization: basic('admin', 'secret') } }),
      ]);
      const status = answer === 'closed' || answer === undefined ? 400 : answer.status;
      expect(status === 200 || (status >= 400 && status < 500)).toBe(true);
    }
    await expectKept();
  });
});

describe('headers beyond measure', () => {
  it.each([
    ['one of 20 000 bytes', [`X: ${'a'.repeat(20_000)}`]],
    ['thousands of them', Array.from({ length: 5000 }, (_, n) => `X-${String(n)}: y`)],
    ['a name of 20 000 bytes', [`${'x'.repeat(20_000)}: y`]],
  ])('%s are refused with 431', async (_, headers) => {
    const heard = await say(port, head('GET', '/v2/', ...headers));
    expect(statusesOf(heard)).toEqual([431]);
  });

  it('a target of 20 000 bytes is refused by the parser', async () => {
    const [status] = statusesOf(await say(port, head('GET', `/v2/${'a'.repeat(20_000)}/tags/list`)));
    expect([414, 431]).toContain(status);
  });

  it('hundreds of small ones do no harm', async () => {
    const headers = Array.from({ length: 500 }, (_, n) => `X-${String(n)}: y`);
    expect(statusesOf(await say(port, head('GET', '/v2/', ...headers, 'Connection: close')))).toEqual([200]);
  });
});

describe('many requests at once on one connection', () => {
  it('are answered one after the other, each with its own answer', async () => {
    const texts = Array.from({ length: 200 }, (_, n) => `blob ${String(n)} ${'x'.repeat(n * 7)}`);
    const headers = { Authorization: basic('admin', 'secret') };
    const pushes = texts.map((body) => wire('POST', `${uploads}?digest=${sha(body)}`, { body, headers }));
    expect(new Set((await exchange(port, pushes)).map(({ status }) => status))).toEqual(new Set([201]));
    const pulls = texts.flatMap((text, n) => [
      wire('GET', `/v2/app/blobs/${sha(text)}`, { headers }),
      wire('HEAD', `/v2/app/blobs/${sha(text)}`, { headers }),
      wire('GET', `/v2/app/manifests/none-${String(n)}`, { headers }),
    ]);
    const answers = await exchange(port, pulls);
    texts.forEach((text, n) => {
      const [whole, bare, missing] = answers.slice(n * 3, n * 3 + 3);
      expect([whole?.status, whole?.body, bare?.status, bare?.body]).toEqual([200, text, 200, '']);
      expect([missing?.status, missing?.body]).toEqual([404, expect.stringContaining(`none-${String(n)}"`)]);
    });
  });
});

describe('bodies that do not come as they were announced', () => {
  const session = async (): Promise<string> => (await running.send('POST', uploads)).headers.get('location') ?? '';
  const free = async (location: string): Promise<boolean> => (await running.send('GET', location)).status !== 416;

  it('are given up when they stop coming, and the session is free again', async () => {
    const location = await session();
    const socket = open(port, head('PATCH', location, 'Content-Length: 1000') + 'hello');
    const isClosed = new Promise((resolve) => socket.resume().on('close', resolve));
    await isClosed;
    await until(() => free(location));
    expect((await running.send('GET', location)).headers.get('range')).toBe('0-4');
  });

  it('may come as slowly as a byte at a time', async () => {
    const location = await session();
    const socket = open(port, head('PATCH', location, 'Content-Length: 20', 'Connection: close'));
    let heard = '';
    socket.on('data', (chunk) => (heard += chunk.toString()));
    for (let n = 0; n < 20; n += 1) {
      await new Promise((resolve) => setTimeout(resolve, 5));
      socket.write('x');
    }
    await until(() => heard.includes('\r\n\r\n'));
    expect(statusesOf(heard)).toEqual([202]);
  });

  it('and are cut off in hundreds of ways leave nothing behind but what arrived', async () => {
    const dice = createDice(11);
    const sockets = Array.from({ length: 150 }, async (_, n) => {
      const digest = sha(`cut ${String(n)}`);
      const shapes = [
        head('POST', `${uploads}?digest=${digest}`, 'Content-Length: 5000') + 'x'.repeat(dice.roll(4000)),
        head('PUT', '/v2/app/manifests/cut', 'Content-Length: 5000') + '{"schemaVersion":2'.slice(0, dice.roll(19)),
        head('PATCH', `${uploads}none`, 'Transfer-Encoding: chunked') + 'ff\r\nx'.slice(0, dice.roll(6)),
        head('POST', `${uploads}?digest=${digest}`, 'Transfer-Encoding: chunked', 'Expect: 100-continue'),
        head('GET', '/v2/app/manifests/v1').slice(0, dice.roll(80)),
      ];
      const socket = open(port, dice.pick(shapes));
      await new Promise((resolve) => setTimeout(resolve, dice.roll(30)));
      socket.destroy();
    });
    await Promise.all(sockets);
    await until(async () => (await running.storage.listStaged('')).length <= 3);
    expect((await running.send('GET', '/v2/app/manifests/cut')).status).toBe(404);
    for (let n = 0; n < 150; n += 1) {
      expect((await running.send('HEAD', `/v2/app/blobs/${sha(`cut ${String(n)}`)}`)).status).toBe(404);
    }
    await expectKept();
  });

  it('and wait to be asked for are asked for only by whom they are allowed', async () => {
    const ask = (authorization: string): Promise<string> =>
      say(
        port,
        `POST ${uploads}?digest=${sha('hello')} HTTP/1.1\r\nHost: x\r\n${authorization}Content-Length: 5\r\nExpect: 100-continue\r\nConnection: close\r\n\r\n`,
      );
    expect(statusesOf(await ask(''))).toEqual([401]);
    expect(statusesOf(await ask(login))[0]).toBe(100);
    const strange = await say(port, head('GET', '/v2/', 'Expect: 200-ok', 'Connection: close'));
    expect(statusesOf(strange)).toEqual([417]);
  });
});
