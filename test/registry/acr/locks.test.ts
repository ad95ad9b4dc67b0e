import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { codesOf, imageType, sha, until } from '../rig.ts';
import { startAcrRig, type AcrRig } from './rig.ts';

let rig: AcrRig;
let digest: string;
let bytes: string;
beforeEach(async () => {
  rig = await startAcrRig();
  ({ digest, bytes } = await rig.pushImage('app', 'v1'));
});
afterEach(async () => {
  await rig.stop();
  expect(rig.errors).toEqual([]);
});

const refusal = async (method: string, path: string, body?: string): Promise<string> => {
  const headers = { 'content-type': imageType };
  const answer = await rig.send(method, path, body === undefined ? {} : { body, headers });
  const text = await answer.text();
  expect([answer.status, text]).toEqual([403, expect.stringContaining('"DENIED"')]);
  return text;
};
const push = (reference: string): Promise<number> => rig.status('PUT', `/v2/app/manifests/${reference}`, bytes);
const layer = sha('layer of v1');

describe('a tag that must not be written', () => {
  beforeEach(() => rig.lock('/acr/v1/app/_tags/v1', { writeEnabled: false }));

  it('is neither moved nor taken away, alone or with its manifest; the message says how to lift that', async () => {
    const text = await refusal('PUT', '/v2/app/manifests/v1', bytes);
    expect(text).toContain('slipway repository update --image app:v1 --write-enabled true');
    await refusal('PUT', `/v2/app/manifests/${digest}?tag=v2&tag=v1`, bytes);
    await refusal('DELETE', '/v2/app/manifests/v1');
    await refusal('DELETE', '/acr/v1/app/_tags/v1');
    await refusal('DELETE', `/v2/app/manifests/${digest}`);
    await refusal('DELETE', `/acr/v1/app/_manifests/${digest}`);
    await refusal('DELETE', '/acr/v1/app');
    await refusal('DELETE', `/v2/app/blobs/${layer}`);
    expect(await rig.status('GET', '/v2/app/manifests/v2')).toBe(404);
  });

  it('is pulled all the same, its manifest gets other tags, and the lock survives a restart', async () => {
    expect(await rig.status('GET', '/v2/app/manifests/v1')).toBe(200);
    expect(await push('v2')).toBe(201);
    await rig.stop();
    rig = await startAcrRig({ storage: rig.storage });
    await refusal('DELETE', '/v2/app/manifests/v1');
    await rig.lock('/acr/v1/app/_tags/v1', { writeEnabled: true });
    expect(await push('v1')).toBe(201);
    expect(await rig.status('DELETE', `/v2/app/manifests/${digest}`)).toBe(202);
  });
});

describe('a tag that must not be deleted', () => {
  it('is moved, and not taken away', async () => {
    await rig.lock('/acr/v1/app/_tags/v1', { deleteEnabled: false });
    await refusal('DELETE', '/v2/app/manifests/v1');
    await refusal('DELETE', `/v2/app/manifests/${digest}`);
    expect(await push('v1')).toBe(201);
  });
});

describe('a manifest that is locked', () => {
  it.each(['writeEnabled', 'deleteEnabled'])('by %s is not deleted, while its tags may go', async (lock) => {
    await rig.lock(`/acr/v1/app/_manifests/${digest}`, { [lock]: false });
    await refusal('DELETE', `/v2/app/manifests/${digest}`);
    await refusal('DELETE', `/v2/app/blobs/${layer}`);
    await refusal('DELETE', '/acr/v1/app');
    expect(await rig.status('DELETE', '/v2/app/manifests/v1')).toBe(202);
  });

  it('keeps what it is made of', async () => {
    const child = { mediaType: imageType, digest, size: bytes.length };
    const index = await rig.pushIndex('app', 'all', [child]);
    await rig.lock(`/acr/v1/app/_manifests/${index}`, { deleteEnabled: false });
    expect(await refusal('DELETE', `/v2/app/manifests/${digest}`)).toContain(index);
  });

  it('keeps its lock when it is pushed again', async () => {
    await rig.lock(`/acr/v1/app/_manifests/${digest}`, { deleteEnabled: false });
    expect(await push('v2')).toBe(201);
    await refusal('DELETE', `/v2/app/manifests/${digest}`);
  });
});

describe('a repository that must not be written', () => {
  it('takes no push of any kind, and loses nothing', async () => {
    await rig.pushImage('other', 'v1');
    await rig.lock('/acr/v1/app', { writeEnabled: false });
    const blob = sha('new');
    for (const query of ['', `?digest=${blob}`, `?mount=${sha('{}')}&from=other`])
      await refusal('POST', `/v2/app/blobs/uploads/${query}`, 'new');
    await refusal('PUT', '/v2/app/manifests/v2', bytes);
    await refusal('PUT', `/v2/app/manifests/${digest}`, bytes);
    await refusal('DELETE', '/v2/app/manifests/v1');
    await refusal('DELETE', `/v2/app/manifests/${digest}`);
    await refusal('DELETE', '/acr/v1/app');
    expect(await rig.status('GET', '/v2/app/manifests/v1')).toBe(200);
    expect(await rig.status('HEAD', `/v2/app/blobs/${layer}`)).toBe(200);
  });

  it('ends an upload that was begun before', async () => {
    const begun = await rig.send('POST', '/v2/app/blobs/uploads/');
    await rig.lock('/acr/v1/app', { writeEnabled: false });
    await refusal('PUT', `${begun.headers.get('location') ?? ''}?digest=${sha('x')}`, 'x');
  });
});

describe('what must not be read', () => {
  it('is not pulled by tag or digest', async () => {
    await rig.lock('/acr/v1/app/_tags/v1', { readEnabled: false });
    await refusal('GET', '/v2/app/manifests/v1');
    expect(await rig.status('GET', `/v2/app/manifests/${digest}`)).toBe(200);
    await rig.lock('/acr/v1/app/_tags/v1', { readEnabled: true });
    await rig.lock(`/acr/v1/app/_manifests/${digest}`, { readEnabled: false });
    await refusal('GET', '/v2/app/manifests/v1');
    await refusal('GET', `/v2/app/manifests/${digest}`);
  });

  it('as a whole repository gives out no blob and lends none', async () => {
    await rig.lock('/acr/v1/app', { readEnabled: false });
    await refusal('GET', `/v2/app/blobs/${layer}`);
    await refusal('GET', '/v2/app/manifests/v1');
    await refusal('GET', `/v2/app/referrers/${digest}`);
    expect(await rig.status('POST', `/v2/other/blobs/uploads/?mount=${layer}&from=app`)).toBe(202);
    expect(await push('v2')).toBe(201);
  });
});

describe('what must not be listed', () => {
  it('is in no list, and can be had by its name', async () => {
    await rig.pushImage('app', 'v2', { annotations: { n: '2' } });
    await rig.pushImage('hidden', 'v1');
    await rig.lock('/acr/v1/hidden', { listEnabled: false });
    await rig.lock('/acr/v1/app/_tags/v1', { listEnabled: false });
    await rig.lock(`/acr/v1/app/_manifests/${digest}`, { listEnabled: false });
    expect(await rig.get('/v2/_catalog')).toEqual({ repositories: ['app'] });
    expect(await rig.get('/acr/v1/_catalog')).toEqual({ repositories: ['app'] });
    expect(await rig.get('/v2/app/tags/list')).toMatchObject({ tags: ['v2'] });
    expect(await rig.get('/acr/v1/app/_tags')).toMatchObject({ tags: [{ name: 'v2' }] });
    expect(await rig.get('/acr/v1/app/_manifests')).toMatchObject({ manifests: [{ tags: ['v2'] }] });
    expect(await rig.get('/v2/hidden/tags/list')).toMatchObject({ tags: [] });
    expect(await rig.get('/acr/v1/app/_tags/v1')).toMatchObject({ tag: { digest } });
    expect(await rig.get(`/acr/v1/app/_manifests/${digest}`)).toMatchObject({ manifest: { tags: ['v1'] } });
    expect(await rig.status('GET', '/v2/hidden/manifests/v1')).toBe(200);
  });
});

describe('PATCH', () => {
  it('changes what it names and leaves the rest, and the tag where it is', async () => {
    await rig.lock('/acr/v1/app/_tags/v1', { writeEnabled: false, listEnabled: false });
    await rig.lock('/acr/v1/app/_tags/v1', { listEnabled: true, somethingElse: 1 });
    expect(await rig.get('/acr/v1/app/_tags/v1')).toMatchObject({
      tag: { digest, changeableAttributes: { writeEnabled: false, listEnabled: true } },
    });
  });

  it.each(['', 'nonsense', '[]', '{"writeEnabled":"no"}', '{"quarantineState":"Fine"}', '{"quarantineDetails":7}'])(
    'refuses the body %j',
    async (body) => {
      expect((await rig.patch(`/acr/v1/app/_manifests/${digest}`, body)).status).toBe(400);
    },
  );

  it('refuses a body that is too large, and what is not there', async () => {
    expect((await rig.patch('/acr/v1/app', ' '.repeat(70_000))).status).toBe(413);
    expect(await codesOf(await rig.patch('/acr/v1/none', {}))).toEqual(['NAME_UNKNOWN']);
    expect(await codesOf(await rig.patch('/acr/v1/app/_tags/none', {}))).toEqual(['MANIFEST_UNKNOWN']);
  });

  it('decides about a quarantine, and tells of the push when the manifest is found good', async () => {
    const path = `/acr/v1/app/_manifests/${digest}`;
    await until(() => rig.events.length === 1);
    await rig.lock(path, { quarantineState: 'Quarantined' });
    const details = '{"state":"scan passed","link":"https://scanner.example/1"}';
    await rig.lock(path, { quarantineState: 'Passed', quarantineDetails: details });
    expect(await rig.get(path)).toMatchObject({
      manifest: { changeableAttributes: { quarantineState: 'Passed', quarantineDetails: details } },
    });
    await until(() => rig.events.length === 2);
    expect(rig.events[1]).toMatchObject({ kind: 'push', tag: 'v1', digest });
  });
});

describe('a push under a condition', () => {
  const conditional = async (headers: Record<string, string>, reference = 'v1'): Promise<Response> =>
    rig.send('PUT', `/v2/app/manifests/${reference}`, {
      body: bytes,
      headers: { 'content-type': imageType, ...headers },
    });

  it('moves a tag only from where the caller has seen it', async () => {
    const refused = await conditional({ 'if-match': `"${sha('other')}"` });
    expect([refused.status, refused.headers.get('etag'), await codesOf(refused)]).toEqual([
      412,
      `"${digest}"`,
      ['DENIED'],
    ]);
    expect((await conditional({ 'if-match': `"${sha('other')}", "${digest}"` })).status).toBe(201);
    expect((await conditional({ 'if-match': '*' }, 'none')).status).toBe(412);
  });

  it('makes a tag only where there is none', async () => {
    expect((await conditional({ 'if-none-match': '*' })).status).toBe(412);
    expect((await conditional({ 'if-none-match': '*' }, 'new')).status).toBe(201);
    expect((await conditional({ 'if-none-match': '*' }, digest)).status).toBe(412);
  });

  it('succeeds for one of many that make the same tag at once', async () => {
    const answers = await Promise.all([1, 2, 3, 4, 5].map(() => conditional({ 'if-none-match': '*' }, 'first')));
    expect(answers.map(({ status }) => status).sort()).toEqual([201, 412, 412, 412, 412]);
  });
});
