import { once } from 'node:events';
import { createServer, request, type Server } from 'node:http';
import { mkdtemp, readdir, rm } from 'node:fs/promises';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { buffer } from 'node:stream/consumers';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { createEgress } from '../../src/egress/egress.ts';
import { createContextOpener, openContext, type OpenContextOptions } from '../../src/source/open-context.ts';
import type { Context } from '../../src/source/ports.ts';
import { descriptor, imageType, startRegistry, type RunningRegistry } from '../registry/rig.ts';
import { archive, file, filesOf, gzipped, member, rawMember, testLimits } from './tar-rig.ts';

const account = { userName: 'admin', password: 'secret' };
const layerType = 'application/vnd.oci.image.layer.v1.tar';
let registry: RunningRegistry;
let host = '';
let temp = '';

beforeAll(async () => {
  registry = await startRegistry();
  host = new URL(registry.url).host;
});
afterAll(() => registry.stop());
beforeEach(async () => {
  temp = await mkdtemp(path.join(tmpdir(), 'oci-test-'));
});
afterEach(async () => {
  expect(await readdir(temp), 'something was left behind').toEqual([]);
  await rm(temp, { recursive: true });
});

interface Layer {
  readonly bytes: Buffer;
  readonly mediaType?: string;
  readonly annotations?: Readonly<Record<string, string>>;
}

/** Pushes an artifact as ORAS would; its digest. */
async function push(repository: string, tag: string, layers: readonly Layer[], more: object = {}): Promise<string> {
  const described = [];
  for (const { bytes, mediaType = `${layerType}+gzip`, annotations } of layers) {
    await registry.pushBlob(repository, bytes);
    described.push({ ...descriptor(mediaType, bytes), ...(annotations && { annotations }) });
  }
  return (await registry.pushImage(repository, tag, { layers: described, ...more })).digest;
}

const folderMarks = { 'org.opencontainers.image.title': '.', 'io.deis.oras.content.unpack': 'true' };
const folder = (...members: readonly Buffer[]): Layer => ({
  bytes: gzipped(archive(...members)),
  annotations: folderMarks,
});

function open(location: string, options: Partial<OpenContextOptions> = {}): Promise<Context> {
  const own = { host, url: registry.url, credential: () => account };
  const uploads = { open: async () => undefined };
  return openContext(location, {
    ...{ egress: createEgress({ allow: [] }), tempRoot: temp, limits: testLimits, uploads },
    waiting: { sleep: async () => undefined },
    ownRegistry: own,
    ...options,
  });
}

const asForeign = { egress: createEgress({ allow: ['127.0.0.1'] }), ownRegistry: { host: 'x', url: 'http://x' } };

describe('an artifact of our own registry', () => {
  it('is read as the folder that it is, with the digest that its tag stands for', async () => {
    const digest = await push('contexts/app', 'one', [folder(file('./Dockerfile', 'FROM x'), file('a', 'b'))]);
    const context = await open(`oci://${host}/contexts/app:one`, { dockerfile: 'Dockerfile' });
    expect(await filesOf({ ...context, open: async () => await unzipped(context) })).toEqual({
      './Dockerfile': 'FROM x',
      a: 'b',
    });
    expect(context).toMatchObject({ digest, revision: digest });
    expect(context).not.toHaveProperty('commit');
    expect(context.description).toBe(`oci ${host}/contexts/app:one at ${digest.slice(0, 19)}`);
    expect(await context.readFile('a', 10)).toBe('b');
    await context.dispose();
    await context.dispose();
  });

  it('is waited for while the registry is away', async () => {
    await push('contexts/away', 'v1', [folder(file('a', 'b'))]);
    const door = createServer((asked, answer) => {
      asked.pipe(request(`${registry.url}${asked.url ?? ''}`, { headers: asked.headers })).once('response', (came) => {
        came.pipe(answer.writeHead(came.statusCode ?? 0, came.headers));
      });
    }).listen(0, '127.0.0.1');
    await once(door, 'listening');
    const { port } = door.address() as AddressInfo;
    door.close();
    let pauses = 0;
    const sleep = async (): Promise<void> => {
      if (++pauses === 5) await once(door.listen(port, '127.0.0.1'), 'listening');
    };
    const own = { host, url: `http://127.0.0.1:${String(port)}`, credential: () => account };
    const context = await open(`oci://${host}/contexts/away:v1`, { ownRegistry: own, waiting: { sleep } });
    expect(await context.readFile('a', 10)).toBe('b');
    expect(pauses).toBe(5);
    await context.dispose();
    door.closeAllConnections();
    door.close();
  });

  it('is read at a digest, whatever its tag stands for by now', async () => {
    const first = await push('contexts/moved', 'latest', [folder(file('v', '1'))]);
    await push('contexts/moved', 'latest', [folder(file('v', '2'))]);
    const read = async (location: string, more: Partial<OpenContextOptions> = {}) => {
      const context = await open(location, more);
      const text = await context.readFile('v', 10);
      await context.dispose();
      return [text, context.digest === first];
    };
    expect(await read(`oci://${host}/contexts/moved`)).toEqual(['2', false]);
    expect(await read(`oci://${host}/contexts/moved@${first}`)).toEqual(['1', true]);
    expect(await read(`oci://${host}/contexts/moved:latest`, { commit: first })).toEqual(['1', true]);
  });

  it('is joined of its layers in order, files among them, and of one folder where one is named', async () => {
    await push('contexts/layers', 'v1', [
      folder(member('directory', 'app/'), file('app/Dockerfile', 'FROM x'), file('app/a', '1'), file('other', 'x')),
      { bytes: archive(file('app/a', '2')), mediaType: layerType },
      {
        bytes: Buffer.from('notes'),
        mediaType: layerType,
        annotations: { 'org.opencontainers.image.title': 'app/NOTES' },
      },
    ]);
    const whole = await open(`oci://${host}/contexts/layers:v1`);
    expect(await filesOf(whole)).toEqual({
      'app/Dockerfile': 'FROM x',
      'app/a': '2',
      other: 'x',
      'app/NOTES': 'notes',
    });
    await whole.dispose();
    const part = await open(`oci://${host}/contexts/layers:v1#:app`, { dockerfile: 'Dockerfile' });
    expect(await filesOf(part)).toEqual({ Dockerfile: 'FROM x', a: '2', NOTES: 'notes' });
    expect(part.revision).toBe(`${part.digest ?? ''}#:app`);
    expect(part.description).toContain('/contexts/layers:v1#:app at sha256:');
    await part.dispose();
    await expect(open(`oci://${host}/contexts/layers:v1#:none`)).rejects.toMatchObject({
      failure: { reason: 'invalid-request', field: 'sourceLocation' },
    });
  });

  it('keeps .dockerignore out of what is built', async () => {
    await push('contexts/ignored', 'v1', [
      folder(file('.dockerignore', 'secret'), file('Dockerfile', ''), file('secret', 'x')),
    ]);
    const context = await open(`oci://${host}/contexts/ignored:v1`);
    const filtered = await context.openForBuild?.('Dockerfile');
    expect(Object.keys(await filesOf({ ...context, open: async () => filtered! }))).toEqual([
      '.dockerignore',
      'Dockerfile',
    ]);
    await context.dispose();
  });

  it('is read with the credential of the run where it has one', async () => {
    await push('contexts/login', 'v1', [folder(file('a', 'b'))]);
    const uploads = { open: async () => undefined };
    const opener = createContextOpener({
      ...{ egress: createEgress({ allow: [] }), tempRoot: temp, limits: testLimits, uploads },
      ownRegistry: { host, url: registry.url },
    });
    const asked: string[] = [];
    const wish = { secret: undefined, dockerfile: undefined, signal: new AbortController().signal };
    const context = await opener(`oci://${host}/contexts/login:v1`, {
      ...wish,
      credentialFor: async (name) => {
        asked.push(name);
        return { userName: 'admin', password: 'secret' };
      },
    });
    await context.dispose();
    expect(asked).toEqual([host]);
    await expect(opener(`oci://${host}/contexts/login:v1`, wish)).rejects.toMatchObject({
      failure: { reason: 'source-unavailable', message: expect.stringContaining('status 401') as string },
    });
  });

  it.each([
    ['climbs out', [folder(file('../x'))], 'invalid-context'],
    ['has a device', [folder(rawMember('3', 'null'))], 'invalid-context'],
    [
      'lies behind a link of another layer',
      [folder(member('symlink', 'd', 'e')), folder(file('d/x'))],
      'invalid-context',
    ],
    ['is no archive', [{ bytes: Buffer.from('x'.repeat(600)) }], 'invalid-context'],
    [
      'is a file that climbs out',
      [{ bytes: Buffer.from('x'), mediaType: layerType, annotations: { 'org.opencontainers.image.title': '../x' } }],
      'invalid-context',
    ],
    ['is compressed in another way', [{ bytes: Buffer.from('x'), mediaType: `${layerType}+zstd` }], 'invalid-context'],
    ['has too many entries', [folder(...Array.from({ length: 1001 }, (_, at) => file(String(at))))], 'too-large'],
  ])('is refused when a layer %s', async (_, layers: readonly Layer[], reason) => {
    await push('contexts/bad', 'v1', layers);
    await expect(open(`oci://${host}/contexts/bad:v1`)).rejects.toMatchObject({ failure: { reason } });
  });

  it('is refused when it is larger than allowed, is not there, or has no Dockerfile', async () => {
    await push('contexts/small', 'v1', [folder(file('a', 'b'))]);
    const limits = { ...testLimits, maxBytes: 50 };
    const location = `oci://${host}/contexts/small:v1`;
    await expect(open(location, { limits })).rejects.toMatchObject({ failure: { reason: 'too-large' } });
    await expect(open(`oci://${host}/contexts/none:v1`)).rejects.toMatchObject({
      failure: { reason: 'source-unavailable', message: expect.stringContaining('status 404') as string },
    });
    await expect(open(location, { dockerfile: 'Dockerfile' })).rejects.toMatchObject({
      failure: { field: 'dockerFilePath' },
    });
  });
});

describe('an artifact of another registry', () => {
  it('is reached only where the operator allows it', async () => {
    await expect(open('oci://10.0.0.1/app:v1')).rejects.toMatchObject({ failure: { reason: 'invalid-request' } });
  });

  it('is read with a token of the location or a login of the run, when it is asked for', async () => {
    await push('team/app', 'v1', [folder(file('a', 'b'))]);
    const location = `oci://${host}/team/app:v1`;
    const login = async (name: string) => (name === host ? { userName: 'member', password: 'secret' } : undefined);
    for (const more of [{ credentialFor: login }, { token: 'secret' }]) {
      const text = 'token' in more ? location.replace('//', '//admin:secret@') : location;
      const context = await open(text, { ...asForeign, ...('token' in more ? {} : more) });
      expect(await context.readFile('a', 10)).toBe('b');
      expect(context.description).not.toContain('secret');
      await context.dispose();
    }
    await expect(open(location, asForeign)).rejects.toMatchObject({ failure: { reason: 'source-unavailable' } });
  });

  it('gets a token of the server that its registry names, and is not believed about digests', async () => {
    const { url, close, seen } = await startTokenRegistry();
    const context = await open(`oci://${url}/app:good`, {
      ...asForeign,
      credentialFor: async () => ({ userName: 'u', password: 'p' }),
    });
    expect(await context.readFile('a', 10)).toBe('b');
    await context.dispose();
    expect(seen).toContain(
      `/token?service=test&scope=repository%3Aapp%3Apull Basic ${Buffer.from('u:p').toString('base64')}`,
    );
    await expect(open(`oci://${url}/app:evil`, asForeign)).rejects.toMatchObject({
      failure: { reason: 'source-unavailable', message: expect.stringContaining('another layer') as string },
    });
    await close();
  });
});

async function unzipped(context: Context) {
  const { Readable } = await import('node:stream');
  const { gunzipSync } = await import('node:zlib');
  return Readable.from([gunzipSync(await buffer(await context.open()))]);
}

/** A registry that wants tokens; its tag `evil` has a layer whose bytes are others than its digest says. */
async function startTokenRegistry() {
  const seen: string[] = [];
  const good = gzipped(archive(file('a', 'b')));
  const manifestOf = (bytes: Buffer): string =>
    JSON.stringify({ schemaVersion: 2, mediaType: imageType, layers: [descriptor(`${layerType}+gzip`, bytes)] });
  const evil = gzipped(archive(file('a', 'c')));
  const server: Server = createServer((request, response) => {
    const { url = '', headers } = request;
    seen.push(`${url} ${headers.authorization ?? ''}`);
    const address = `http://127.0.0.1:${String((server.address() as AddressInfo).port)}`;
    if (url.startsWith('/token')) response.end('{"token":"t0ken"}');
    else if (headers.authorization !== 'Bearer t0ken')
      response.writeHead(401, { 'www-authenticate': `Bearer realm="${address}/token",service="test"` }).end();
    else if (url.endsWith('/manifests/good')) response.end(manifestOf(good));
    else if (url.endsWith('/manifests/evil')) response.end(manifestOf(evil));
    else response.end(good);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const close = async (): Promise<void> => {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  };
  return { seen, close, url: `127.0.0.1:${String((server.address() as AddressInfo).port)}` };
}
