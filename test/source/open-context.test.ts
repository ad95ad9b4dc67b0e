import http from 'node:http';
import type { AddressInfo } from 'node:net';
import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { Readable } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createEgress } from '../../src/egress/egress.ts';
import { openContext, type OpenContextOptions } from '../../src/source/open-context.ts';
import type { Context } from '../../src/source/ports.ts';
import { parseSourceLocation } from '../../src/source/location.ts';
import { openTarballContext } from '../../src/source/tarball.ts';
import { archive, file, gzipped, testLimits } from './tar-rig.ts';

let temp = '';
const servers: http.Server[] = [];
const atOnce = { sleep: async () => undefined };
const good = gzipped(archive(file('Dockerfile', 'FROM x'), file('a', 'b')));

beforeEach(async () => {
  temp = await mkdtemp(path.join(tmpdir(), 'context-test-'));
});

afterEach(async () => {
  for (const server of servers.splice(0)) {
    server.closeAllConnections();
    server.close();
  }
  expect(await readdir(temp), 'something was left behind').toEqual([]);
  await rm(temp, { recursive: true });
});

async function serve(handler: http.RequestListener): Promise<string> {
  const server = http.createServer(handler);
  servers.push(server);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return `http://127.0.0.1:${String((server.address() as AddressInfo).port)}/context.tar.gz`;
}

function open(location: string, options: Partial<OpenContextOptions> = {}): Promise<Context> {
  const egress = createEgress({ allow: ['127.0.0.1'] });
  const uploads = { open: async (name: string) => (name === 'source/1/a.tar.gz' ? Readable.from([good]) : undefined) };
  return openContext(location, { egress, tempRoot: temp, limits: testLimits, uploads, waiting: atOnce, ...options });
}

describe('openContext with an upload', () => {
  it('hands on its bytes', async () => {
    const context = await open('source/1/a.tar.gz');
    expect(await buffer(await context.open())).toEqual(good);
    await context.dispose();
  });

  it('hands on its bytes to a build too when it has no ignore file', async () => {
    const context = await open('source/1/a.tar.gz');
    const stream = await context.openForBuild?.(undefined);
    expect(stream && (await buffer(stream))).toEqual(good);
  });

  it('says that an upload is gone', async () => {
    const context = await open('source/1/gone.tar.gz');
    await expect(context.open()).rejects.toMatchObject({ failure: { reason: 'not-found', field: 'sourceLocation' } });
  });
});

describe('openContext with the URL of an archive', () => {
  it('downloads and checks it, gives its bytes, and cleans up', async () => {
    const context = await open(await serve((_, response) => response.end(good)), { dockerfile: './Dockerfile' });
    expect(await buffer(await context.open())).toEqual(good);
    expect(await buffer(await context.open())).toEqual(good);
    await context.dispose();
    await context.dispose();
  });

  it('tells two archives of one address apart', async () => {
    const other = gzipped(archive(file('Dockerfile', 'FROM y')));
    const answers = [good, good, other];
    const url = await serve((_, response) => response.end(answers.shift()));
    const digests: (string | undefined)[] = [];
    for (const _ of [1, 2, 3]) {
      const context = await open(url);
      digests.push(context.digest);
      await context.dispose();
    }
    expect(digests[0]).toMatch(/^sha256:[0-9a-f]{64}$/);
    expect([digests[1] === digests[0], digests[2] === digests[0]]).toEqual([true, false]);
  });

  it('masks a signature in its description', async () => {
    const context = await open(`${await serve((_, response) => response.end(good))}?sig=s3cr3t`);
    expect(context.description).not.toContain('s3cr3t');
    await context.dispose();
  });

  it('tries again when the server fails or breaks off', async () => {
    let tries = 0;
    const url = await serve((_, response) => {
      tries += 1;
      if (tries === 1) response.writeHead(503).end();
      else if (tries === 2) {
        response.writeHead(200, { 'content-length': String(good.length) });
        response.write(good.subarray(0, 20));
        setImmediate(() => response.destroy());
      } else response.end(good);
    });
    const context = await open(url);
    expect(tries).toBe(3);
    expect(await buffer(await context.open())).toEqual(good);
    await context.dispose();
  });

  it.each([
    [404, 1],
    [401, 1],
    [500, 3],
  ])('gives up on status %i after %i tries', async (status, expected) => {
    let tries = 0;
    const url = await serve((_, response) => {
      tries += 1;
      response.writeHead(status).end('no');
    });
    await expect(open(url)).rejects.toMatchObject({
      failure: { reason: 'source-unavailable', message: expect.stringContaining(`status ${String(status)}`) as string },
    });
    expect(tries).toBe(expected);
  });

  it('refuses a page that is no archive, an archive that climbs out, and one without the Dockerfile', async () => {
    const page = await serve((_, response) => response.end('<html>'.repeat(200)));
    await expect(open(page)).rejects.toMatchObject({ failure: { reason: 'invalid-context' } });
    const evil = await serve((_, response) => response.end(archive(file('../x'))));
    await expect(open(evil)).rejects.toMatchObject({ failure: { reason: 'invalid-context' } });
    const other = await serve((_, response) => response.end(good));
    await expect(open(other, { dockerfile: 'x' })).rejects.toMatchObject({ failure: { field: 'dockerFilePath' } });
  });

  it('stops at an endless download, at its time limit, and at the signal', async () => {
    const endless = await serve((_, response) => {
      response.write(good);
      const more = (): void => {
        if (!response.destroyed && response.write(Buffer.alloc(65_536))) setImmediate(more);
        else response.once('drain', more);
      };
      more();
    });
    await expect(open(endless, { limits: { ...testLimits, maxBytes: 1_000_000 } })).rejects.toMatchObject({
      failure: { reason: 'too-large' },
    });
    const silent = await serve((_, response) => response.write(good.subarray(0, 10)));
    await expect(open(silent, { limits: { ...testLimits, timeoutMs: 100 } })).rejects.toMatchObject({
      failure: { reason: 'timed-out' },
    });
    const controller = new AbortController();
    const work = open(silent, { signal: controller.signal });
    setImmediate(() => controller.abort(new Error('canceled')));
    await expect(work).rejects.toThrow('canceled');
  });

  it('sends a token as a password, over https alone', async () => {
    const url = await serve((_, response) => response.end(good));
    await expect(open(url, { token: 'x' })).rejects.toMatchObject({ failure: { reason: 'invalid-request' } });
    let sent: string | undefined;
    const seen = await serve((request, response) => {
      sent = request.headers.authorization;
      response.end(good);
    });
    const location = { kind: 'tarball', url: seen, user: 'u', token: 'p' } as const;
    const egress = createEgress({ allow: ['127.0.0.1'] });
    const context = await openTarballContext(location, { egress, tempRoot: temp, limits: testLimits });
    expect(sent).toBe(`Basic ${Buffer.from('u:p').toString('base64')}`);
    await context.dispose();
  });

  it('refuses a private address', async () => {
    await expect(open('http://10.0.0.1/a.tgz')).rejects.toMatchObject({
      failure: { reason: 'invalid-request', field: 'sourceLocation' },
    });
    expect(parseSourceLocation('http://10.0.0.1/a.tgz').kind).toBe('tarball');
  });
});
