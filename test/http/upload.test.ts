import { request as httpRequest } from 'node:http';
import { gzipSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { fail } from '../../src/domain/failure.ts';
import { buildRequest, startRig, until, workingWorker } from './rig.ts';

const archive = gzipSync('a tar, for all that the rig knows');

async function put(url: string, body: RequestInit['body'] & {}, headers: Record<string, string> = {}) {
  const response = await fetch(url, { method: 'PUT', body, headers, duplex: 'half' });
  return { status: response.status, headers: response.headers, text: await response.text() };
}

async function newUrl(rig: Awaited<ReturnType<typeof startRig>>): Promise<{ uploadUrl: string; relativePath: string }> {
  return (await rig.api('POST', '/listBuildSourceUploadUrl')).body;
}

describe('uploading a context', () => {
  it('gives a signed URL, takes an archive there, and a run can be made from it', async () => {
    const rig = await startRig();
    await rig.store.workers.beat(workingWorker());
    const { uploadUrl, relativePath } = await newUrl(rig);
    expect(relativePath).toMatch(/^source\/202611210900\/[0-9a-f-]{36}\.tar\.gz$/);
    expect(uploadUrl.startsWith(`${rig.url}/uploads/${relativePath}?`)).toBe(true);
    const answer = await put(uploadUrl, archive, { 'x-ms-blob-type': 'BlockBlob', 'x-ms-version': '2019-07-07' });
    expect([answer.status, answer.text]).toEqual([201, '']);
    expect(answer.headers.get('etag')).toMatch(/^"0x[0-9A-F]+"$/);
    expect(rig.sink.objects.get(`contexts/${relativePath}`)?.equals(archive)).toBe(true);
    const run = await rig.api('POST', '/scheduleRun', buildRequest({ sourceLocation: relativePath }));
    expect(run.status).toBe(200);
  });

  it('takes an archive of unknown length', async () => {
    const rig = await startRig();
    const { uploadUrl, relativePath } = await newUrl(rig);
    const answer = await put(uploadUrl, new Blob([archive, archive]).stream());
    expect(answer.status).toBe(201);
    expect(rig.sink.objects.get(`contexts/${relativePath}`)?.length).toBe(archive.length * 2);
  });

  it('takes one archive for each URL', async () => {
    const rig = await startRig();
    const { uploadUrl } = await newUrl(rig);
    const answers = await Promise.all([put(uploadUrl, archive), put(uploadUrl, archive), put(uploadUrl, archive)]);
    expect(answers.map(({ status }) => status).sort()).toEqual([201, 409, 409]);
  });

  it('refuses a URL that was changed, moved to another path, made for reading, or has expired', async () => {
    const rig = await startRig();
    const [one, other] = [await newUrl(rig), await newUrl(rig)];
    const sig = new URL(one.uploadUrl).searchParams.get('sig') ?? '';
    const moved = `${rig.url}/uploads/${other.relativePath}?sig=${sig}`;
    for (const url of [
      moved,
      `${one.uploadUrl}x`,
      `${rig.url}/uploads/${one.relativePath}`,
      `${one.uploadUrl}&sig=${sig}`,
    ]) {
      const answer = await put(url, archive);
      expect(answer.status).toBe(403);
      expect(JSON.parse(answer.text).error.code).toBe('AuthorizationFailed');
    }
    rig.clock.advance(3_600_001);
    const late = await put(one.uploadUrl, archive);
    expect([late.status, JSON.parse(late.text).error.code]).toEqual([410, 'Expired']);
    expect(rig.sink.objects.size).toBe(0);
  });

  it('refuses a declared length over the limit before it reads anything, and the URL stays good', async () => {
    const rig = await startRig({ config: { upload: { maxBytes: 100, expiresMs: 1000 } } });
    const { uploadUrl } = await newUrl(rig);
    const answer = await put(uploadUrl, Buffer.alloc(101, 1));
    expect([answer.status, JSON.parse(answer.text).error.code]).toEqual([413, 'RequestTooLarge']);
    expect(rig.sink.seen).toBe(0);
    expect((await put(uploadUrl, Buffer.alloc(100, 1))).status).toBe(201);
  });

  it('refuses a body of unknown length as soon as it is over the limit, and keeps nothing', async () => {
    const rig = await startRig({ config: { upload: { maxBytes: 200_000, expiresMs: 1000 } } });
    const { uploadUrl } = await newUrl(rig);
    const answer = await put(uploadUrl, new Blob([Buffer.alloc(5_000_000, 1)]).stream());
    expect(answer.status).toBe(413);
    expect(rig.sink.objects.size).toBe(0);
    expect(rig.sink.seen).toBeLessThanOrEqual(200_000);
  });

  it('keeps nothing of an archive that the inspector refuses, wherever the fault lies, and says why', async () => {
    const rig = await startRig();
    const good = Buffer.alloc(300_000, 1);
    for (const body of [
      Buffer.from('BAD'),
      Buffer.concat([good, Buffer.from('BAD')]),
      Buffer.concat([Buffer.from('BAD'), good]),
    ]) {
      const { uploadUrl } = await newUrl(rig);
      const answer = await put(uploadUrl, body);
      expect([answer.status, JSON.parse(answer.text).error.code]).toEqual([400, 'InvalidContext']);
      expect(rig.sink.objects.size).toBe(0);
      expect((await put(uploadUrl, archive)).status).toBe(409);
    }
    const { uploadUrl } = await newUrl(rig);
    expect((await put(uploadUrl, '')).status).toBe(400);
  });

  it('keeps nothing of a connection that broke half-way, and takes the archive when it is sent again', async () => {
    const rig = await startRig();
    const { uploadUrl, relativePath } = await newUrl(rig);
    const half = httpRequest(uploadUrl, { method: 'PUT', headers: { 'content-length': '1000' } });
    half.on('error', () => undefined);
    half.write(Buffer.alloc(500, 1));
    await until(() => rig.sink.seen === 500);
    half.destroy();
    await until(() => rig.logged.some(({ message }) => message === 'request' && rig.sink.objects.size === 0));
    let answer = await put(uploadUrl, archive);
    await until(async () => answer.status !== 409 || (answer = await put(uploadUrl, archive)).status !== 409);
    expect(answer.status).toBe(201);
    expect(rig.sink.objects.get(`contexts/${relativePath}`)?.equals(archive)).toBe(true);
  });

  it('gives up an upload that sends nothing any more', async () => {
    const rig = await startRig({ config: { upload: { maxBytes: 1000, expiresMs: 60_000, idleMs: 50 } } });
    const { uploadUrl } = await newUrl(rig);
    const stalled = httpRequest(uploadUrl, { method: 'PUT', headers: { 'content-length': '1000' } });
    const closed = new Promise((resolve) => stalled.on('error', resolve));
    stalled.write('a');
    await closed;
    let answer = await put(uploadUrl, archive);
    await until(async () => answer.status !== 409 || (answer = await put(uploadUrl, archive)).status !== 409);
    expect(answer.status).toBe(201);
  });

  it('reads no faster than the storage writes', async () => {
    const rig = await startRig({ config: { upload: { maxBytes: 1e9, expiresMs: 60_000 } } });
    let open: () => void = () => undefined;
    rig.sink.hold = new Promise((resolve) => (open = resolve));
    const { uploadUrl } = await newUrl(rig);
    let sent = 0;
    const source = new ReadableStream({
      pull(controller) {
        sent += 65_536;
        if (sent > 64 * 1024 * 1024) controller.close();
        else controller.enqueue(Buffer.alloc(65_536, 1));
      },
    });
    const answer = put(uploadUrl, source);
    await until(() => rig.sink.seen > 0);
    let before = -1;
    await until(async () => {
      const isStill = before === sent;
      before = sent;
      await new Promise((resolve) => setTimeout(resolve, 30));
      return isStill && before === sent;
    });
    expect(sent).toBeLessThan(32 * 1024 * 1024);
    expect(rig.sink.seen).toBeLessThan(1024 * 1024);
    open();
    expect((await answer).status).toBe(201);
  });

  it('gives the URL back when the storage fails, and answers 503', async () => {
    let isBroken = true;
    const rig = await startRig({
      blobs: {
        put: async (_key, stream) => {
          for await (const _chunk of stream) if (isBroken) throw fail('storage-unavailable', 'the disk is full');
        },
        delete: async () => undefined,
      },
    });
    const { uploadUrl } = await newUrl(rig);
    const answer = await put(uploadUrl, archive);
    expect([answer.status, answer.headers.get('retry-after')]).toEqual([503, '5']);
    isBroken = false;
    expect((await put(uploadUrl, archive)).status).toBe(201);
  });

  it('refuses blocks, encoded bodies and other methods', async () => {
    const rig = await startRig();
    const { uploadUrl } = await newUrl(rig);
    expect((await put(`${uploadUrl}&comp=block&blockid=AAA`, archive)).status).toBe(400);
    expect((await put(uploadUrl, archive, { 'content-encoding': 'gzip' })).status).toBe(415);
    const get = await fetch(uploadUrl);
    expect([get.status, get.headers.get('allow')]).toEqual([405, 'PUT']);
  });

  it('never writes a signature to its own log', async () => {
    const rig = await startRig();
    const { uploadUrl } = await newUrl(rig);
    await put(uploadUrl, archive);
    await until(() => rig.logged.length >= 2);
    expect(JSON.stringify(rig.logged)).not.toContain(new URL(uploadUrl).searchParams.get('sig'));
  });
});
