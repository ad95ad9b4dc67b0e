import { describe, expect, it } from 'vitest';
import { basic, descriptor, imageType, indexType, sha, startRegistry } from '../rig.ts';
import {
  algorithms,
  fresh,
  prepareImage,
  pushBlob,
  pushImage,
  putManifest,
  readAnswer,
  useRegistry,
  type Answer,
} from './rig.ts';

const ask = useRegistry();
const repository = 'manage/app';
const at = `/v2/${repository}`;
const remove = (rest: string): Promise<Answer> => ask('DELETE', `${at}/${rest}`);
const statusOf = async (rest: string): Promise<number> => (await ask('HEAD', `${at}/${rest}`)).status;

describe('deleting tags (end-9)', () => {
  it('takes away that tag at once, and nothing else', async () => {
    const { digest, bytes } = await pushImage(ask, repository, { reference: 'one' });
    await putManifest(ask, { repository, reference: 'two' }, bytes);
    const answer = await remove('manifests/one');
    expect([answer.status, answer.bytes.length]).toEqual([202, 0]);
    expect([await statusOf('manifests/one'), await statusOf('manifests/two')]).toEqual([404, 200]);
    expect(await statusOf(`manifests/${digest}`)).toBe(200);
    const { tags } = JSON.parse((await ask('GET', `${at}/tags/list`)).bytes.toString()) as { tags: string[] };
    expect([tags.includes('one'), tags.includes('two')]).toEqual([false, true]);
  });

  it('lets the tag be set again', async () => {
    const { bytes } = await pushImage(ask, repository, { reference: 'again' });
    await remove('manifests/again');
    expect((await putManifest(ask, { repository, reference: 'again' }, bytes)).status).toBe(201);
    expect(await statusOf('manifests/again')).toBe(200);
  });

  it('is 404 with MANIFEST_UNKNOWN for one that is not there, or no tag at all', async () => {
    await pushImage(ask, repository);
    for (const tag of ['none', '.none', 'a'.repeat(200)]) {
      const answer = await remove(`manifests/${tag}`);
      expect([answer.status, answer.codes()]).toEqual([404, ['MANIFEST_UNKNOWN']]);
    }
  });
});

describe.each(algorithms)('deleting manifests by a %s digest (end-9)', (algorithm) => {
  it('takes away the manifest and all its tags at once', async () => {
    const bytes = await prepareImage(ask, repository);
    const digest = sha(bytes, algorithm);
    await putManifest(ask, { repository, reference: `${digest}?tag=x&tag=y` }, bytes);
    const { length } = await remove(`manifests/${digest}`).then((answer) => {
      expect(answer.status).toBe(202);
      return answer.bytes;
    });
    expect(length).toBe(0);
    for (const reference of [digest, 'x', 'y']) expect(await statusOf(`manifests/${reference}`)).toBe(404);
  });

  it('leaves its blobs, and what is about it', async () => {
    const image = JSON.parse(await prepareImage(ask, repository)) as { layers: { digest: string }[] };
    const bytes = JSON.stringify(image);
    const digest = sha(bytes, algorithm);
    await putManifest(ask, { repository, reference: digest }, bytes);
    const about = await pushImage(ask, repository, { fields: { subject: descriptor(imageType, bytes, digest) } });
    expect((await remove(`manifests/${digest}`)).status).toBe(202);
    expect(await statusOf(`blobs/${image.layers[0]?.digest ?? ''}`)).toBe(200);
    expect(await statusOf(`manifests/${about.digest}`)).toBe(200);
    const referrers = await ask('GET', `${at}/referrers/${digest}`);
    expect(referrers.bytes.toString()).toContain(about.digest);
  });

  it('is 404 the second time, and 201 to push it again, without its old tags', async () => {
    const bytes = await prepareImage(ask, repository);
    const digest = sha(bytes, algorithm);
    const put = (reference: string): Promise<Answer> => putManifest(ask, { repository, reference }, bytes);
    await put(`${digest}?tag=gone-${algorithm}`);
    await remove(`manifests/${digest}`);
    const again = await remove(`manifests/${digest}`);
    expect([again.status, again.codes()]).toEqual([404, ['MANIFEST_UNKNOWN']]);
    expect((await put(digest)).status).toBe(201);
    expect(await statusOf(`manifests/gone-${algorithm}`)).toBe(404);
  });
});

describe('deleting manifests', () => {
  it('by a digest that is none: 400 with DIGEST_INVALID', async () => {
    const answer = await remove('manifests/sha256:bad');
    expect([answer.status, answer.codes()]).toEqual([400, ['DIGEST_INVALID']]);
  });

  it('of a repository that is not there: 404 with NAME_UNKNOWN', async () => {
    const answer = await ask('DELETE', `/v2/manage/none/manifests/${sha('x')}`);
    expect([answer.status, answer.codes()]).toEqual([404, ['NAME_UNKNOWN']]);
  });

  it('of an index leaves its images', async () => {
    const image = await pushImage(ask, repository);
    const index = { schemaVersion: 2, mediaType: indexType, manifests: [descriptor(imageType, image.bytes)] };
    await putManifest(ask, { repository, reference: 'multi' }, index);
    expect((await remove(`manifests/${sha(JSON.stringify(index))}`)).status).toBe(202);
    expect([await statusOf('manifests/multi'), await statusOf(`manifests/${image.digest}`)]).toEqual([404, 200]);
  });
});

describe.each(algorithms)('deleting blobs by a %s digest (end-10)', (algorithm) => {
  const push = async (name: string, bytes: Buffer): Promise<string> => {
    const digest = sha(bytes, algorithm);
    expect((await ask('POST', `/v2/${name}/blobs/uploads/?digest=${digest}`, { body: bytes })).status).toBe(201);
    return digest;
  };

  it('takes it out of this repository at once, and leaves it to others', async () => {
    const bytes = fresh();
    const digest = await push(repository, bytes);
    await push('manage/other', bytes);
    expect((await remove(`blobs/${digest}`)).status).toBe(202);
    expect(await statusOf(`blobs/${digest}`)).toBe(404);
    expect((await ask('HEAD', `/v2/manage/other/blobs/${digest}`)).status).toBe(200);
  });

  it('is 404 with BLOB_UNKNOWN for one that is not there, and lets it be pushed again', async () => {
    const bytes = fresh();
    const digest = await push(repository, bytes);
    await remove(`blobs/${digest}`);
    const again = await remove(`blobs/${digest}`);
    expect([again.status, again.codes()]).toEqual([404, ['BLOB_UNKNOWN']]);
    await push(repository, bytes);
    expect(await statusOf(`blobs/${digest}`)).toBe(200);
  });
});

describe('what is refused, and how', () => {
  it('methods that an endpoint does not have: 405 with UNSUPPORTED and the methods that it has', async () => {
    const cases = [
      ['POST', '/v2/', 'GET, HEAD'],
      ['PUT', `${at}/tags/list`, 'GET, HEAD'],
      ['POST', `${at}/manifests/v1`, 'GET, HEAD, PUT, DELETE'],
      ['PUT', `${at}/blobs/${sha('x')}`, 'GET, HEAD, DELETE'],
      ['GET', `${at}/blobs/uploads/`, 'POST'],
      ['POST', `${at}/blobs/uploads/x`, 'GET, PATCH, PUT, DELETE'],
      ['DELETE', `${at}/referrers/${sha('x')}`, 'GET, HEAD'],
    ] as const;
    for (const [method, path, allow] of cases) {
      const answer = await ask(method, path);
      expect([path, answer.status, answer.header('allow')]).toEqual([path, 405, allow]);
      expect(answer.codes()).toEqual(['UNSUPPORTED']);
    }
  });

  it('names that are none: 400 with NAME_INVALID', async () => {
    for (const name of ['Upper', 'a//b', '-a', 'a-', 'a..b', 'a__', 'a/_b', 'ä', 'a'.repeat(256)]) {
      const answer = await ask('GET', `/v2/${name}/tags/list`);
      expect([name, answer.status, answer.codes()]).toEqual([name, 400, ['NAME_INVALID']]);
    }
  });

  it('but not the names that the specification allows', async () => {
    for (const name of ['a', '0', 'a.b', 'a_b', 'a__b', 'a-b', 'a---b', 'a/b/c/d', 'manifests/blobs/uploads/tags']) {
      const digest = sha(name);
      await pushBlob(ask, name, name);
      expect((await ask('HEAD', `/v2/${name}/blobs/${digest}`)).status).toBe(200);
    }
  });

  it('paths that mean nothing: 404', async () => {
    for (const path of ['/v2/x', `${at}/tags`, `${at}/tags/list/more`, `${at}/blob/${sha('x')}`, '/v2/_none']) {
      const answer = await ask('GET', path);
      expect([path, answer.status, answer.codes()]).toEqual([path, 404, ['UNSUPPORTED']]);
    }
  });
});

describe('authentication', () => {
  it('is asked for with 401, UNAUTHORIZED and a challenge; wrong credentials too', async () => {
    const { url } = ask.running();
    for (const headers of [{}, { authorization: basic('admin', 'wrong') }, { authorization: 'Bearer x' }]) {
      for (const [method, path] of [
        ['GET', '/v2/'],
        ['GET', `${at}/tags/list`],
        ['POST', `${at}/blobs/uploads/`],
        ['PUT', `${at}/manifests/v1`],
        ['DELETE', `${at}/manifests/v1`],
      ] as const) {
        const answer = await readAnswer(await fetch(url + path, { method, headers }));
        expect([answer.status, answer.codes()]).toEqual([401, ['UNAUTHORIZED']]);
        expect(answer.header('www-authenticate')).toMatch(/^(?:Basic|Bearer) realm="/);
      }
    }
  });

  it('that is known, without the right: DENIED, and it is not said whether it is there', async () => {
    const running = await startRegistry();
    await running.pushImage('secret/app', 'v1');
    const headers = { authorization: basic('member', 'secret') };
    const answers = await Promise.all(
      ['secret/app', 'secret/none'].map(async (name) =>
        readAnswer(await fetch(`${running.url}/v2/${name}/tags/list`, { headers })),
      ),
    );
    for (const answer of answers) {
      expect([401, 403]).toContain(answer.status);
      expect(['DENIED', 'UNAUTHORIZED']).toContain(answer.codes()[0]);
    }
    expect(answers[0]?.status).toBe(answers[1]?.status);
    await running.stop();
  });
});
