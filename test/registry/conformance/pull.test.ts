import { describe, expect, it } from 'vitest';
import { descriptor, imageType, indexType, sha } from '../rig.ts';
import { algorithms, fresh, prepareImage, pushBlob, pushImage, putManifest, useRegistry, type Answer } from './rig.ts';

const ask = useRegistry();

describe('determining support (end-1)', () => {
  it.each(['GET', 'HEAD'])('answers %s /v2/ with 200, and says that it speaks the second version', async (method) => {
    const answer = await ask(method, '/v2/');
    expect([answer.status, answer.header('content-type')]).toEqual([200, 'application/json; charset=utf-8']);
    expect(answer.header('docker-distribution-api-version')).toBe('registry/2.0');
    expect(answer.bytes.toString()).toBe(method === 'GET' ? '{}' : '');
  });

  it('answers the same without the slash', async () => {
    expect((await ask('GET', '/v2')).status).toBe(200);
  });
});

describe('pulling manifests (end-3)', () => {
  const image = (reference: string): Promise<{ digest: string; bytes: string }> =>
    pushImage(ask, 'pull/app', { reference });
  const accepts = [undefined, imageType, `${indexType}, ${imageType}`, 'application/json', '*/*', 'text/html'];

  it.each(accepts)('gives the very bytes and the type of the push to a client that accepts %s', async (accept) => {
    const { digest, bytes } = await image('v1');
    for (const reference of ['v1', digest]) {
      const headers = accept === undefined ? {} : { accept };
      const answer = await ask('GET', `/v2/pull/app/manifests/${reference}`, { headers });
      expect([answer.status, answer.bytes.toString(), answer.header('content-type')]).toEqual([200, bytes, imageType]);
      expect(answer.header('docker-content-digest')).toBe(digest);
      expect(answer.header('content-length')).toBe(String(bytes.length));
    }
  });

  it.each(algorithms)('gives the digest of the %s that a manifest was pushed with', async (algorithm) => {
    const bytes = await prepareImage(ask, 'pull/algorithm');
    const digest = sha(bytes, algorithm);
    await putManifest(ask, { repository: 'pull/algorithm', reference: digest }, bytes);
    const answer = await ask('GET', `/v2/pull/algorithm/manifests/${digest.replace(':', '%3A')}`);
    expect([answer.status, answer.header('docker-content-digest')]).toEqual([200, digest]);
  });

  it('answers 404 with MANIFEST_UNKNOWN for a tag and a digest that are not there', async () => {
    await image('v1');
    for (const reference of ['v2', 'V1', sha('none'), sha('none', 'sha512'), 'v1-', '__proto__', 'constructor']) {
      const answer = await ask('GET', `/v2/pull/app/manifests/${reference}`);
      expect([answer.status, answer.codes()]).toEqual([404, ['MANIFEST_UNKNOWN']]);
    }
  });

  it('answers 404 with NAME_UNKNOWN for a repository that is not there', async () => {
    for (const name of ['pull/none', 'pull', 'constructor', 'pull/app/more']) {
      const answer = await ask('GET', `/v2/${name}/manifests/v1`);
      expect([answer.status, answer.codes()]).toEqual([404, ['NAME_UNKNOWN']]);
    }
  });

  it.each(['sha256:baddigeststring', 'sha256:', `sha256:${'A'.repeat(64)}`, `sha1:${'a'.repeat(40)}`, 'a:b'])(
    'refuses the digest %s',
    async (digest) => {
      const answer = await ask('GET', `/v2/pull/app/manifests/${digest}`);
      expect([answer.status, answer.codes()]).toEqual([400, ['DIGEST_INVALID']]);
    },
  );
});

describe('pulling blobs (end-2)', () => {
  it.each(algorithms)('gives the bytes of a %s digest, as octets, with length and digest', async (algorithm) => {
    const bytes = fresh(70_000);
    const digest = sha(bytes, algorithm);
    await ask('POST', `/v2/pull/blob/blobs/uploads/?digest=${digest}`, { body: bytes });
    const answer = await ask('GET', `/v2/pull/blob/blobs/${digest}`);
    expect([answer.status, answer.bytes.equals(bytes)]).toEqual([200, true]);
    expect(answer.header('content-length')).toBe('70000');
    expect(answer.header('docker-content-digest')).toBe(digest);
    expect(answer.header('content-type')).toBe('application/octet-stream');
  });

  it('never compresses them, whatever a client accepts', async () => {
    await pushBlob(ask, 'pull/blob', 'a'.repeat(5000));
    const headers = { 'accept-encoding': 'gzip, br, zstd' };
    const answer = await ask('GET', `/v2/pull/blob/blobs/${sha('a'.repeat(5000))}`, { headers });
    expect([answer.header('content-encoding'), answer.header('content-length')]).toEqual([undefined, '5000']);
  });

  it('answers 404 with BLOB_UNKNOWN for one that is not there, or lies in another repository', async () => {
    await pushBlob(ask, 'pull/other', 'elsewhere');
    for (const digest of [sha('none'), sha('none', 'sha512'), sha('elsewhere')]) {
      const answer = await ask('GET', `/v2/pull/blob/blobs/${digest}`);
      expect([answer.status, answer.codes()]).toEqual([404, ['BLOB_UNKNOWN']]);
    }
  });

  it('answers 400 with DIGEST_INVALID for what is no digest', async () => {
    const answer = await ask('GET', '/v2/pull/blob/blobs/sha256:baddigeststring');
    expect([answer.status, answer.codes()]).toEqual([400, ['DIGEST_INVALID']]);
  });
});

// Once from memory in one piece, once streamed from the store.
describe.each([2048, 600_000])('a part of a blob of %d bytes (RFC 9110 §14)', (size) => {
  const bytes = fresh(size);
  const last = size - 1;
  const part = async (range: string): Promise<Answer> => {
    await pushBlob(ask, 'pull/range', bytes);
    return ask('GET', `/v2/pull/range/blobs/${sha(bytes)}`, { headers: { range } });
  };

  it.each([
    ['bytes=500-1499', 500, 1499],
    ['bytes=0-0', 0, 0],
    ['bytes=500-', 500, last],
    ['bytes=-500', size - 500, last],
    ['bytes=2000-99999999', 2000, last],
    [`bytes=-${String(size * 2)}`, 0, last],
    [`bytes=${String(last)}-${String(last)}`, last, last],
    [`bytes=0-${String(last)}`, 0, last],
  ])('%s is 206 with just that part', async (range, start, end) => {
    const answer = await part(range);
    expect([answer.status, answer.header('content-range')]).toEqual([
      206,
      `bytes ${String(start)}-${String(end)}/${String(size)}`,
    ]);
    expect(answer.header('content-length')).toBe(String(end - start + 1));
    expect(answer.bytes.equals(bytes.subarray(start, end + 1))).toBe(true);
  });

  it.each(['bytes=500-0', `bytes=${String(size)}-`, 'bytes=99999999-999999999', 'bytes=-0'])(
    '%s is 416 with the size',
    async (range) => {
      const answer = await part(range);
      expect([answer.status, answer.header('content-range')]).toEqual([416, `bytes */${String(size)}`]);
      expect(answer.codes()).toHaveLength(1);
    },
  );

  it.each(['bytes=0-1,3-4', 'lines=0-1', 'bytes=a-b', 'bytes=-', 'bytes 0-1', ''])(
    '%j is no range, and gives the whole',
    async (range) => {
      const answer = await part(range);
      expect([answer.status, answer.bytes.length]).toEqual([200, size]);
    },
  );
});

describe('checking whether content exists (HEAD)', () => {
  it('answers for a manifest as GET does, without its bytes', async () => {
    const { digest, bytes } = await pushImage(ask, 'pull/head', { reference: 'v1' });
    for (const reference of ['v1', digest]) {
      const answer = await ask('HEAD', `/v2/pull/head/manifests/${reference}`);
      expect([answer.status, answer.bytes.length, answer.header('content-type')]).toEqual([200, 0, imageType]);
      expect(answer.header('content-length')).toBe(String(bytes.length));
      expect(answer.header('docker-content-digest')).toBe(digest);
    }
  });

  it('answers for a blob as GET does, with its length, which the next specification demands', async () => {
    for (const text of ['hello', '{}', '']) {
      await pushBlob(ask, 'pull/head', text);
      const answer = await ask('HEAD', `/v2/pull/head/blobs/${sha(text)}`);
      expect([answer.status, answer.bytes.length]).toEqual([200, 0]);
      expect(answer.header('content-length')).toBe(String(text.length));
      expect(answer.header('docker-content-digest')).toBe(sha(text));
    }
  });

  it('answers 404 for what is not there, without a body', async () => {
    await pushImage(ask, 'pull/head', { reference: 'v1' });
    for (const rest of ['manifests/none', `manifests/${sha('none')}`, `blobs/${sha('none')}`]) {
      const answer = await ask('HEAD', `/v2/pull/head/${rest}`);
      expect([answer.status, answer.bytes.length]).toEqual([404, 0]);
    }
  });
});

describe('conditional requests (RFC 9110 §13)', () => {
  it('answer 304 to whoever has it, and 200 to everybody else', async () => {
    const { digest, bytes } = await pushImage(ask, 'pull/cached', { reference: 'v1' });
    const get = async (tag: string): Promise<number> =>
      (await ask('GET', '/v2/pull/cached/manifests/v1', { headers: { 'if-none-match': tag } })).status;
    expect(await get(`"${digest}"`)).toBe(304);
    expect(await get(`"x", W/"${digest}"`)).toBe(304);
    expect(await get(`"${sha(`${bytes} `)}"`)).toBe(200);
    const whole = await ask('GET', '/v2/pull/cached/manifests/v1');
    expect(whole.header('etag')).toBe(`"${digest}"`);
  });

  it('do the same for a blob', async () => {
    await pushBlob(ask, 'pull/cached', 'cached');
    const digest = sha('cached');
    const get = async (tag: string): Promise<number> =>
      (await ask('GET', `/v2/pull/cached/blobs/${digest}`, { headers: { 'if-none-match': tag } })).status;
    for (const tag of [`"${digest}"`, `W/"${digest}"`, `"x", W/"${digest}"`, '*']) expect(await get(tag)).toBe(304);
    expect(await get(`"x", "y"`)).toBe(200);
  });
});

describe('indexes', () => {
  it('are given whole: no platform is chosen for the client', async () => {
    const image = await pushImage(ask, 'pull/multi');
    const list = {
      ...{ schemaVersion: 2, mediaType: 'application/vnd.docker.distribution.manifest.list.v2+json' },
      manifests: [{ ...descriptor(imageType, image.bytes), platform: { os: 'linux', architecture: 'amd64' } }],
    };
    const at = { repository: 'pull/multi', reference: 'v1', type: list.mediaType };
    expect((await putManifest(ask, at, list)).status).toBe(201);
    const answer = await ask('GET', '/v2/pull/multi/manifests/v1', { headers: { accept: imageType } });
    expect([answer.header('content-type'), answer.bytes.toString()]).toEqual([list.mediaType, JSON.stringify(list)]);
  });
});
