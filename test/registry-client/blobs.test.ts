import { buffer } from 'node:stream/consumers';
import { createServer, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Readable } from 'node:stream';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Digest } from '../../src/domain/digest.ts';
import { connectRegistry, type RegistryClient } from '../../src/registry-client/client.ts';
import { mediaTypes, sha256Of } from '../../src/registry-client/documents.ts';
import { imageType, startRegistry, type RunningRegistry } from '../registry/rig.ts';
import { blobOf, openClients, someBytes, startServer, type Seen } from './rig.ts';

const bytes = someBytes(300_000);
const digest = sha256Of(bytes);

/** A server that has one blob and knows ranges or not; it breaks off after each `piece` bytes. */
async function startBreaking(piece: number, knowsRanges = true) {
  return startServer(({ headers }, response) => {
    const start = knowsRanges ? Number(/bytes=(\d+)-/.exec(headers.range ?? '')?.[1] ?? 0) : 0;
    const rest = bytes.subarray(start);
    response.writeHead(start > 0 ? 206 : 200, { 'content-length': String(rest.length) });
    if (piece >= rest.length) response.end(rest);
    else response.write(rest.subarray(0, piece), () => response.destroy());
  });
}

describe('a blob that is read', () => {
  it('is gone on with where it broke off', async () => {
    const fake = await startBreaking(100_000);
    const { clients } = openClients();
    expect((await buffer(await clients.at(fake.host).openBlob('app', digest))).equals(bytes)).toBe(true);
    const ranges = fake.requests.map(({ headers }) => headers.range);
    expect(ranges[0]).toBeUndefined();
    expect(ranges.length).toBeGreaterThan(2);
  });

  it('is begun anew, and what was read is left out, where the registry knows no ranges', async () => {
    let piece = 100_000;
    const fake = await startServer((_, response) => {
      response.writeHead(200, { 'content-length': String(bytes.length) });
      if (piece === 100_000) response.write(bytes.subarray(0, piece), () => response.destroy());
      else response.end(bytes);
      piece = bytes.length;
    });
    const { clients } = openClients();
    expect((await buffer(await clients.at(fake.host).openBlob('app', digest))).equals(bytes)).toBe(true);
  });

  it('ends with an error when it breaks too often, is another one, or is longer than it should be', async () => {
    const { clients } = openClients();
    const breaking = await startBreaking(10);
    await expect(buffer(await clients.at(breaking.host).openBlob('app', digest))).rejects.toMatchObject({
      failure: { reason: 'source-unavailable' },
    });
    const whole = clients.at((await startBreaking(bytes.length)).host);
    const other = sha256Of(Buffer.from('other'));
    await expect(buffer(await whole.openBlob('app', other))).rejects.toThrow('other bytes');
    await expect(buffer(await whole.openBlob('app', digest, { size: 1000 }))).rejects.toThrow('more bytes');
    await expect(whole.smallBlob('app', other)).rejects.toThrow('another blob');
  });

  it('can be begun later, and let go of unread', async () => {
    const fake = await startBreaking(bytes.length);
    const client = openClients().clients.at(fake.host);
    const rest = await buffer(await client.openBlob('app', digest, { offset: 1000 }));
    expect(rest.equals(bytes.subarray(1000))).toBe(true);
    (await client.openBlob('app', digest)).destroy();
  });
});

/** A registry that takes uploads, and fails as `fault` says before it does. */
async function startUploads(fault: (seen: Seen, response: ServerResponse) => boolean = () => false) {
  const parts: Buffer[] = [];
  const held = (): Buffer => Buffer.concat(parts);
  const fake = await startServer((seen, response) => {
    const { method, path, body } = seen;
    const headers = { location: `http://elsewhere.test${path.split('?')[0] ?? ''}s1?_state=a%2Bb` };
    if (fault(seen, response)) return;
    if (method === 'POST') {
      parts.length = 0;
      response.writeHead(202, { location: '/v2/app/blobs/uploads/s1?_state=a%2Bb' }).end();
    } else if (method === 'PATCH' || method === 'PUT') {
      parts.push(body);
      const isDone = method === 'PUT' && path.endsWith(`digest=${encodeURIComponent(sha256Of(held()))}`);
      response
        .writeHead(method === 'PATCH' ? 202 : isDone ? 201 : 400, {
          ...headers,
          location: '/v2/app/blobs/uploads/s1?n=2',
        })
        .end();
    } else if (method === 'GET')
      response.writeHead(204, { range: `0-${String(Math.max(held().length - 1, 0))}` }).end();
    else response.writeHead(204).end();
  });
  return { ...fake, held, parts };
}

describe('a blob that is sent', () => {
  it('goes in one request, to where the registry says, whose query stays as it is', async () => {
    const fake = await startUploads();
    await openClients().clients.at(fake.host).uploadBlob('app', blobOf(bytes));
    expect(fake.log()).toEqual([
      'POST /v2/app/blobs/uploads/',
      `PUT /v2/app/blobs/uploads/s1?_state=a%2Bb&digest=${encodeURIComponent(digest)}`,
    ]);
    expect(fake.held().equals(bytes)).toBe(true);
    expect(fake.requests[1]?.headers['content-length']).toBe('300000');
  });

  it('goes in parts of one size, each with its place, when that is wanted', async () => {
    const fake = await startUploads();
    await openClients().clients.at(fake.host).uploadBlob('app', blobOf(bytes), { chunkBytes: 128_000 });
    const patches = fake.requests.filter(({ method }) => method === 'PATCH');
    expect(patches.map(({ headers }) => headers['content-range'])).toEqual([
      '0-127999',
      '128000-255999',
      '256000-299999',
    ]);
    expect(fake.held().equals(bytes)).toBe(true);
  });

  it('is gone on with in the middle of a part that did not arrive whole', async () => {
    let hasBroken = false;
    const fake = await startUploads(({ method, body }, response) => {
      if (method !== 'PATCH' || hasBroken || fake.held().length === 0) return false;
      hasBroken = true;
      fake.parts.push(body.subarray(0, 5));
      response.destroy();
      return true;
    });
    await openClients().clients.at(fake.host).uploadBlob('app', blobOf(bytes), { chunkBytes: 128_000 });
    expect(fake.held().equals(bytes)).toBe(true);
    const begun = fake.requests.map(({ headers }) => headers['content-range']).filter(Boolean);
    expect(begun).toEqual(['0-127999', '128000-255999', '128005-255999', '256000-299999']);
  });

  it('is begun anew when the connection breaks, a few times', async () => {
    let times = 0;
    const fake = await startUploads(({ method }, response) => {
      if (method === 'PUT') times += 1;
      if (method !== 'PUT' || times > 2) return false;
      response.destroy();
      return true;
    });
    await openClients().clients.at(fake.host).uploadBlob('app', blobOf(bytes));
    expect(fake.log().filter((line) => line.startsWith('POST'))).toHaveLength(3);
    times = -10;
    await expect(openClients().clients.at(fake.host).uploadBlob('app', blobOf(bytes))).rejects.toMatchObject({
      failure: { reason: 'source-unavailable' },
    });
  });

  it('is not sent again when the registry says no, or its own stream ends with an error', async () => {
    const fake = await startUploads(({ method }, response) => {
      if (method === 'PUT') response.writeHead(403).end();
      return method === 'PUT';
    });
    const client = openClients().clients.at(fake.host);
    await expect(client.uploadBlob('app', blobOf(bytes))).rejects.toMatchObject({ status: 403 });
    const broken = { ...blobOf(bytes), open: () => Readable.from(failing(), { objectMode: false }) };
    for (const wish of [{}, { chunkBytes: 100_000 }])
      await expect(client.uploadBlob('app', broken, wish)).rejects.toThrow('no more');
    expect(fake.log().filter((line) => line.startsWith('DELETE'))).toHaveLength(3);
  });

  it('is not sent to the end when the registry refuses it early', async () => {
    let sent = 0;
    const endless = async function* () {
      for (; sent < 2_000; sent += 1) yield Buffer.alloc(1024 * 1024);
    };
    const server = createServer((request, response) => {
      const isBegin = request.method === 'POST';
      if (isBegin) request.resume();
      response.writeHead(isBegin ? 202 : 413, isBegin ? { location: '/v2/app/blobs/uploads/s1' } : {}).end();
    });
    await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
    const host = `127.0.0.1:${String((server.address() as AddressInfo).port)}`;
    const blob = { digest, size: 2_000 * 1024 * 1024, open: () => Readable.from(endless(), { objectMode: false }) };
    await expect(openClients().clients.at(host).uploadBlob('app', blob)).rejects.toMatchObject({
      failure: { reason: 'too-large' },
    });
    expect(sent).toBeLessThan(100);
    server.closeAllConnections();
    server.close();
  });
});

async function* failing() {
  yield bytes.subarray(0, 1000);
  throw new Error('no more');
}

describe('our own registry', () => {
  let running: RunningRegistry;
  let client: RegistryClient;
  beforeAll(async () => {
    running = await startRegistry();
    client = connectRegistry({ origin: running.url, credential: { userName: 'admin', password: 'secret' } });
  });
  afterAll(() => running.stop());

  it.each([undefined, 100_000])('takes blobs whole and in parts (%s), and gives them back', async (chunkBytes) => {
    const blob = blobOf(someBytes(250_000, chunkBytes ?? 1));
    await client.uploadBlob('app', blob, { chunkBytes });
    expect(await client.blobSize('app', blob.digest)).toBe(250_000);
    expect((await buffer(await client.openBlob('app', blob.digest))).equals(blob.bytes)).toBe(true);
    await client.uploadBlob('other', blob, { from: 'app' });
    expect(await client.blobSize('other', blob.digest)).toBe(250_000);
    expect(await client.blobSize('third', blob.digest)).toBeUndefined();
  });

  it('lists tags, and what is about an image', async () => {
    const { digest: subject } = await running.pushImage('app', 'v1');
    const artifactType = 'application/vnd.example.sbom';
    const about = {
      artifactType,
      subject: { mediaType: imageType, digest: subject, size: 2 },
      annotations: { a: 'b' },
    };
    const { digest: sbom } = await running.pushImage('app', 'by digest', about);
    expect(await client.tags('app')).toEqual(['v1']);
    expect(await client.tags('nobody/here')).toBeUndefined();
    const listed = [{ digest: sbom, artifactType, annotations: { a: 'b' }, mediaType: imageType }];
    expect(await client.referrers('app', subject as Digest)).toMatchObject(listed);
    expect(await client.referrers('app', subject as Digest, artifactType)).toMatchObject(listed);
    expect(await client.referrers('app', subject as Digest, 'a/b')).toEqual([]);
    expect(await client.referrers('app', sbom as Digest)).toEqual([]);
  });
});

describe('what is about an image, where a registry keeps no list', () => {
  it.each([404, 200])('is read from the tag that clients keep it under (status %d)', async (status) => {
    const subject = sha256Of(Buffer.from('x'));
    const entry = { mediaType: imageType, digest, size: 5, artifactType: 'a/b' };
    const index = JSON.stringify({ schemaVersion: 2, mediaType: mediaTypes.index, manifests: [entry, 'x', {}] });
    const fake = await startServer(({ path }, response) => {
      if (path.includes('/referrers/')) response.writeHead(status, { 'content-type': 'text/html' }).end('<html>');
      else if (path.endsWith(`/manifests/${subject.replace(':', '-')}`)) response.end(index);
      else response.writeHead(404).end();
    });
    const client = openClients().clients.at(fake.host);
    expect(await client.referrers('app', subject)).toEqual([entry]);
    expect(await client.referrers('app', subject, 'c/d')).toEqual([]);
    expect(await client.referrers('app', digest)).toEqual([]);
  });
});
