import { describe, expect, it } from 'vitest';
import { sha } from '../rig.ts';
import { algorithms, begin, binary, closing, fresh, useRegistry, type Answer } from './rig.ts';

const ask = useRegistry();
const repository = 'push/blobs';
const uploads = `/v2/${repository}/blobs/uploads/`;

interface Blob {
  readonly bytes: Buffer;
  readonly digest: string;
}

const patch = (location: string, body: Buffer, range?: string): Promise<Answer> =>
  ask('PATCH', location, { body, headers: { ...binary, ...(range !== undefined && { 'content-range': range }) } });

/** Sends the blob in parts, the last one with the PUT where `putsLast`. */
async function inChunks({ bytes, digest }: Blob, putsLast: boolean): Promise<Answer> {
  let location = await begin(ask, repository);
  const step = Math.ceil(bytes.length / 3);
  for (let at = 0; at < bytes.length; at += step) {
    const body = bytes.subarray(at, at + step);
    const range = `${String(at)}-${String(at + body.length - 1)}`;
    const isLast = at + step >= bytes.length;
    if (isLast && putsLast) {
      return ask('PUT', closing(location, digest), { body, headers: { ...binary, 'content-range': range } });
    }
    const answer = await patch(location, body, range);
    expect([answer.status, answer.header('range')]).toEqual([202, `0-${String(at + body.length - 1)}`]);
    location = answer.header('location') ?? '';
  }
  return ask('PUT', closing(location, digest), { headers: { ...binary, 'content-length': '0' } });
}

/** Every way in which the specification lets a client push a blob. */
const ways: Record<string, (blob: Blob) => Promise<Answer>> = {
  'with a single POST': ({ bytes, digest }) =>
    ask('POST', `${uploads}?digest=${digest}`, { body: bytes, headers: binary }),
  'with a single POST that encodes the digest': ({ bytes, digest }) =>
    ask('POST', `${uploads}?digest=${encodeURIComponent(digest)}`, { body: bytes, headers: binary }),
  'with POST and PUT': async ({ bytes, digest }) =>
    ask('PUT', closing(await begin(ask, repository), digest), { body: bytes, headers: binary }),
  'with POST that announces the algorithm, and PUT': async ({ bytes, digest }) => {
    const location = await begin(ask, repository, `?digest-algorithm=${digest.split(':')[0] ?? ''}`);
    return ask('PUT', closing(location, digest), { body: bytes, headers: binary });
  },
  'with POST that announces the other algorithm, and PUT': async ({ bytes, digest }) => {
    const location = await begin(
      ask,
      repository,
      `?digest-algorithm=${digest.startsWith('sha256') ? 'sha512' : 'sha256'}`,
    );
    return ask('PUT', closing(location, digest), { body: bytes, headers: binary });
  },
  'in chunks': (blob) => inChunks(blob, false),
  'in chunks, the last one with the PUT': (blob) => inChunks(blob, true),
  'as a stream without a length': async ({ bytes, digest }) => {
    const body = new ReadableStream<Uint8Array>({
      start: (controller) => {
        for (let at = 0; at < bytes.length; at += 100) controller.enqueue(bytes.subarray(at, at + 100));
        controller.close();
      },
    });
    const location = await begin(ask, repository);
    const more = { body, duplex: 'half', headers: binary } as RequestInit;
    const answer = await ask('PATCH', location, more);
    expect(answer.status).toBe(202);
    return ask('PUT', closing(answer.header('location') ?? '', digest));
  },
  'with one PATCH without Content-Range': async ({ bytes, digest }) => {
    const answer = await patch(await begin(ask, repository), bytes);
    return ask('PUT', closing(answer.header('location') ?? '', digest));
  },
};

describe.each(algorithms)('pushing a blob with a %s digest (end-4, end-5, end-6)', (algorithm) => {
  const make = (bytes = fresh(1531)): Blob => ({ bytes, digest: sha(bytes, algorithm) });

  it.each(Object.keys(ways))('%s: 201, and its location gives it at once', async (way) => {
    const blob = make();
    const answer = await ways[way]?.(blob);
    expect([answer?.status, answer?.bytes.length]).toEqual([201, 0]);
    expect(answer?.header('docker-content-digest')).toBe(blob.digest);
    const got = await ask('GET', answer?.header('location') ?? '');
    expect([got.status, got.bytes.equals(blob.bytes)]).toEqual([200, true]);
  });

  it.each(Object.keys(ways))('%s, but with bytes of another digest: 400, and nothing is there', async (way) => {
    const { bytes, digest } = make();
    const answer = await ways[way]?.({ bytes: Buffer.concat([bytes, Buffer.from('!')]), digest });
    expect([answer?.status, answer?.codes()]).toEqual([400, ['DIGEST_INVALID']]);
    expect((await ask('HEAD', `/v2/${repository}/blobs/${digest}`)).status).toBe(404);
  });

  it.each(['', '{}'])('of the bytes %j: 201', async (text) => {
    const blob = make(Buffer.from(text));
    for (const way of ['with a single POST', 'with POST and PUT']) expect((await ways[way]?.(blob))?.status).toBe(201);
    const got = await ask('GET', `/v2/${repository}/blobs/${blob.digest}`);
    expect([got.status, got.bytes.toString(), got.header('content-length')]).toEqual([200, text, String(text.length)]);
  });

  it('a second time: 201 again', async () => {
    const blob = make();
    for (const way of ['with a single POST', 'with POST and PUT', 'in chunks']) {
      expect((await ways[way]?.(blob))?.status).toBe(201);
    }
  });
});

describe('digests that are refused', () => {
  const digests = [
    'sha256:baddigeststring',
    `md5:${'a'.repeat(32)}`,
    `sha256:${'A'.repeat(64)}`,
    'sha256',
    '%00',
    '..',
  ];

  it.each(digests)('%s: 400 with DIGEST_INVALID, by POST and by PUT', async (digest) => {
    const post = await ask('POST', `${uploads}?digest=${digest}`, { body: 'hello' });
    expect([post.status, post.codes()]).toEqual([400, ['DIGEST_INVALID']]);
    const put = await ask('PUT', `${await begin(ask, repository)}?digest=${digest}`, { body: 'hello' });
    expect([put.status, put.codes()]).toEqual([400, ['DIGEST_INVALID']]);
  });

  it.each(['sha384', 'SHA256', '', 'md5'])('the announced algorithm %j: 400', async (algorithm) => {
    const answer = await ask('POST', `${uploads}?digest-algorithm=${algorithm}`);
    expect([answer.status, answer.codes()]).toEqual([400, ['DIGEST_INVALID']]);
  });
});

describe('chunks out of order (416)', () => {
  const bytes = fresh(900);
  const [first, second] = [bytes.subarray(0, 300), bytes.subarray(300, 600)];

  it('are refused with what the session has, and the upload goes on from there', async () => {
    const location = await begin(ask, repository);
    const early = await patch(location, second, '300-599');
    expect([early.status, early.header('location')]).toEqual([416, location]);
    expect((await patch(location, first, '0-299')).status).toBe(202);
    for (const range of ['0-299', '600-899', '299-598', '301-600']) {
      const answer = await patch(location, first, range);
      expect([answer.status, answer.header('range')]).toEqual([416, '0-299']);
      expect(answer.codes()).toEqual(['BLOB_UPLOAD_INVALID']);
    }
    const headers = { 'content-range': '600-899' };
    const put = await ask('PUT', closing(location, sha(bytes)), { body: bytes.subarray(600), headers });
    expect(put.status).toBe(416);
    const status = await ask('GET', location);
    expect([status.status, status.header('range'), status.header('location')]).toEqual([204, '0-299', location]);
    expect((await patch(location, second, '300-599')).status).toBe(202);
    const last = await ask('PUT', closing(location, sha(bytes)), { body: bytes.subarray(600), headers });
    expect(last.status).toBe(201);
  });

  it.each(['0-98', '0-100', '5-4'])('are refused as %s when they have 100 bytes', async (range) => {
    const location = await begin(ask, repository);
    expect((await patch(location, fresh(100), range)).status).toBe(416);
    expect((await ask('GET', location)).status).toBe(204);
  });

  it.each(['bytes 0-99/*', 'bytes=0-99', '0-99/100', 'bytes 0-99/100'])('may be written as %s', async (range) => {
    expect((await patch(await begin(ask, repository), fresh(100), range)).status).toBe(202);
  });
});

describe('a session', () => {
  it('of its own is begun by each POST, and begins empty (end-4a, end-13)', async () => {
    const [one, other] = [await begin(ask, repository), await begin(ask, repository)];
    expect(one).not.toBe(other);
    const answer = await ask('GET', one);
    expect([answer.status, answer.header('range'), answer.header('location')]).toEqual([204, '0-0', one]);
    expect(answer.header('docker-upload-uuid')).toMatch(/./);
  });

  it('never asks for a least length of chunks', async () => {
    expect((await ask('POST', uploads)).header('oci-chunk-min-length')).toBeUndefined();
  });

  it('can be begun without the slash at the end', async () => {
    expect((await ask('POST', uploads.slice(0, -1))).status).toBe(202);
  });

  it('is over when it is cancelled (end-14)', async () => {
    const location = await begin(ask, repository);
    await patch(location, fresh());
    expect((await ask('DELETE', location)).status).toBe(204);
    for (const method of ['GET', 'PATCH', 'PUT', 'DELETE']) {
      const answer = await ask(method, closing(location, sha('x')));
      expect([method, answer.status, answer.codes()]).toEqual([method, 404, ['BLOB_UPLOAD_UNKNOWN']]);
    }
  });

  it('is over when the blob is there', async () => {
    const location = await begin(ask, repository);
    expect((await ask('PUT', closing(location, sha('done')), { body: 'done' })).status).toBe(201);
    expect((await ask('GET', location)).status).toBe(404);
  });

  it('that never was is 404 with BLOB_UPLOAD_UNKNOWN', async () => {
    for (const method of ['GET', 'PATCH', 'PUT', 'DELETE']) {
      const answer = await ask(method, `${uploads}none?digest=${sha('x')}`);
      expect([answer.status, answer.codes()]).toEqual([404, ['BLOB_UPLOAD_UNKNOWN']]);
    }
  });

  it('shows none of its bytes before it is closed', async () => {
    const bytes = fresh();
    await patch(await begin(ask, repository), bytes);
    expect((await ask('GET', `/v2/${repository}/blobs/${sha(bytes)}`)).status).toBe(404);
  });
});

describe.each(algorithms)('mounting a blob with a %s digest (end-11)', (algorithm) => {
  const pushed = async (): Promise<Blob> => {
    const bytes = fresh();
    const digest = sha(bytes, algorithm);
    await ask('POST', `/v2/push/source/blobs/uploads/?digest=${digest}`, { body: bytes });
    return { bytes, digest };
  };

  it.each(['&from=push/source', '&from=push%2Fsource', ''])('with %j: 201, and it is there', async (from) => {
    const { bytes, digest } = await pushed();
    const answer = await ask('POST', `${uploads}?mount=${digest}${from}`);
    expect([answer.status, answer.header('docker-content-digest')]).toEqual([201, digest]);
    const got = await ask('GET', answer.header('location') ?? '');
    expect([got.status, got.bytes.equals(bytes)]).toEqual([200, true]);
  });

  it.each(['&from=push/none', '&from=push/blobs', '&from=..'])(
    'with %j, where it is not: 202 and an upload',
    async (from) => {
      const { bytes, digest } = await pushed();
      const answer = await ask('POST', `${uploads}?mount=${digest}${from}`);
      expect(answer.status).toBe(202);
      const put = await ask('PUT', closing(answer.header('location') ?? '', digest), { body: bytes });
      expect(put.status).toBe(201);
    },
  );

  it('that nobody has: 202 and an upload', async () => {
    expect((await ask('POST', `${uploads}?mount=${sha(fresh(), algorithm)}&from=push/source`)).status).toBe(202);
  });
});
