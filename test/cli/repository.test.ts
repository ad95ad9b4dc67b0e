import { onTestFinished, describe, expect, it } from 'vitest';
import { startAcrRig, type AcrRig } from '../registry/acr/rig.ts';
import { call, makeFolder } from './rig-api.ts';

async function setUp() {
  const rig = await startAcrRig();
  onTestFinished(() => rig.stop());
  rig.clock.time = Date.parse('2026-11-21T09:00:00.000Z');
  const env = { SLIPWAY_SERVER: rig.url, SLIPWAY_USERNAME: 'admin', SLIPWAY_PASSWORD: 'secret' };
  const cwd = await makeFolder();
  const slipway = (...words: string[]) => call(['repository', ...words], { env, cwd });
  return { rig, slipway };
}

async function pushThree(rig: AcrRig): Promise<string[]> {
  const digests: string[] = [];
  for (const tag of ['v1', 'v2', 'v3']) {
    digests.push((await rig.pushFor('team/app', tag, { os: 'linux', architecture: 'amd64', n: tag })).digest);
    rig.clock.time += 60_000;
  }
  return digests;
}

describe('slipway repository', () => {
  it('lists repositories, tags and manifests in the order that is asked for', async () => {
    const { rig, slipway } = await setUp();
    const digests = await pushThree(rig);
    await rig.pushFor('base', 'v1', { os: 'linux' });
    expect((await slipway('list')).stdout).toBe('base\nteam/app\n');
    expect((await slipway('list', '--top', '1')).stdout).toBe('base\n');
    expect((await slipway('tags', 'team/app')).stdout).toBe('v1\nv2\nv3\n');
    expect((await slipway('tags', 'team/app', '--orderby', 'time_desc', '--top', '2')).stdout).toBe('v3\nv2\n');
    expect(JSON.parse((await slipway('tags', 'team/app', '--json')).stdout)).toEqual(['v1', 'v2', 'v3']);
    await rig.lock('/acr/v1/team/app/_tags/v1', { writeEnabled: false });
    rig.clock.time -= 2 * 60_000;
    await rig.send('GET', '/v2/team/app/manifests/v1');
    rig.clock.time += 2 * 60_000;
    const detail = await slipway('tags', 'team/app', '--detail');
    expect(detail.stdout).toMatch(
      new RegExp(`^v1 +${digests[0] ?? ''} +5 minutes ago +pulled 4 minutes ago +locked: no write\n`),
    );
    expect(detail.stdout).toMatch(/^v2 .+ no pull noted$/m);
    const shown = await slipway('show', 'team/app:v1');
    expect(shown.stdout).toMatch(/^tag +set 5 minutes ago, pulled 4 minutes ago, locked: no write$/m);
    expect(shown.stdout).toMatch(/^pulled +4 minutes ago$/m);
    const manifests = await slipway('manifests', 'team/app', '--orderby', 'time_asc');
    expect(manifests.stdout).toMatch(new RegExp(`^${digests[0] ?? ''} +\\d+ B +linux/amd64 +5 minutes ago +v1\n`));
    const json = JSON.parse((await slipway('manifests', 'team/app', '--json')).stdout) as { tags: string[] }[];
    expect(json.flatMap(({ tags }) => tags).sort()).toEqual(['v1', 'v2', 'v3']);
  });

  it('shows a repository, and an image by tag and by digest', async () => {
    const { rig, slipway } = await setUp();
    const [digest] = await pushThree(rig);
    expect((await slipway('show', 'team/app')).stdout).toMatch(/^repository +team\/app\nmanifests +3\ntags +3\n/);
    for (const words of [['team/app:v1'], ['--image', 'team/app:v1'], ['-t', `team/app@${digest ?? ''}`]])
      expect((await slipway('show', ...words)).stdout).toMatch(new RegExp(`\ndigest +${digest ?? ''}\ntags +v1\n`));
    expect(JSON.parse((await slipway('show', 'team/app:v1', '--json')).stdout)).toMatchObject({
      name: 'v1',
      manifest: { digest },
    });
    expect((await slipway('show', '--repository', 'team/app')).code).toBe(0);
  });

  it('locks and lifts locks, and says whose lock refuses a deletion', async () => {
    const { rig, slipway } = await setUp();
    await pushThree(rig);
    const locked = await slipway('update', '--image', 'team/app:v1', '--write-enabled', 'false');
    expect([locked.code, locked.stdout]).toEqual([0, 'team/app:v1: writeEnabled is false.\n']);
    const refused = await slipway('delete', '--image', 'team/app:v1', '--yes');
    expect([refused.code, refused.stderr]).toEqual([
      1,
      expect.stringContaining('slipway repository update --image team/app:v1 --write-enabled true'),
    ]);
    expect((await slipway('update', 'team/app:v1', '--write-enabled', 'true')).code).toBe(0);
    expect((await slipway('delete', 'team/app:v1', '--yes')).code).toBe(0);
  });

  it('takes a tag away and leaves the image', async () => {
    const { rig, slipway } = await setUp();
    const [digest] = await pushThree(rig);
    expect((await slipway('untag', 'team/app:v1')).stdout).toBe(
      `team/app:v1 is gone; the image stays as team/app@${digest ?? ''}.\n`,
    );
    expect((await slipway('show', `team/app@${digest ?? ''}`)).code).toBe(0);
    expect((await slipway('untag', 'team/app:v1')).code).toBe(3);
  });

  it('asks before it deletes, and names the tags that go with an image', async () => {
    const { rig, slipway } = await setUp();
    const { digest } = await rig.pushFor('app', 'v1', { os: 'linux' });
    await rig.pushFor('app', 'v1', { os: 'linux' });
    const bytes = await (await rig.send('GET', '/v2/app/manifests/v1')).text();
    const headers = { 'content-type': 'application/vnd.oci.image.manifest.v1+json' };
    await rig.send('PUT', '/v2/app/manifests/latest', { body: bytes, headers });
    const asked = await slipway('delete', '--image', 'app:v1');
    expect([asked.code, asked.stderr]).toEqual([2, expect.stringContaining('These tags go with it: latest, v1')]);
    expect((await slipway('show', 'app:v1')).code).toBe(0);
    expect((await slipway('delete', '--image', 'app:v1', '--yes')).stdout).toBe(
      `app@${digest} is deleted, and with it latest, v1.\n`,
    );
    expect((await slipway('show', 'app:latest')).code).toBe(3);
  });

  it('deletes a whole repository only where that is said', async () => {
    const { rig, slipway } = await setUp();
    await pushThree(rig);
    expect((await slipway('delete', 'team/app', '--yes')).code).toBe(2);
    expect((await slipway('delete', '--repository', 'team/app')).code).toBe(2);
    const deleted = await slipway('delete', '--repository', 'team/app', '-y');
    expect(deleted.stdout).toBe('The repository team/app is deleted, with 3 manifests and 3 tags.\n');
    expect((await slipway('list')).stdout).toBe('');
  });

  it.each([
    ['show'],
    ['show', 'a', '--image', 'a:b'],
    ['show', 'App'],
    ['show', 'localhost:5080/app:v1'],
    ['show', '--image', 'app'],
    ['show', '--repository', 'app:v1'],
    ['tags', 'app:v1'],
    ['tags', 'app', '--top', '0'],
    ['tags', 'app', '--orderby', 'size'],
    ['update', 'app'],
    ['update', 'app', '--write-enabled', 'maybe'],
    ['untag', 'app'],
  ])('refuses %j', async (...words) => {
    const { slipway } = await setUp();
    expect((await slipway(...words)).code).toBe(2);
  });

  it('says what is not there, and what one may not do', async () => {
    const { slipway } = await setUp();
    for (const words of [
      ['show', 'none'],
      ['show', 'none:v1'],
      ['tags', 'none'],
      ['delete', 'none:v1', '-y'],
    ])
      expect((await slipway(...words)).code).toBe(3);
  });
});
