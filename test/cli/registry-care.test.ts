import { afterEach, describe, expect, it } from 'vitest';
import { password, startRig } from '../http/rig.ts';
import { dayMs, startCare, type CareRig } from '../registry/policies/rig.ts';
import { call, makeFolder } from './rig-api.ts';

const running: CareRig[] = [];
afterEach(async () => {
  for (const each of running.splice(0)) await each.stop();
});

async function setUp() {
  const rig = await startCare({ care: { maxBytes: 1024 ** 3 } });
  running.push(rig);
  const { url } = await startRig({ care: rig.registry.care });
  const env = { SLIPWAY_SERVER: url, SLIPWAY_USERNAME: 'admin', SLIPWAY_PASSWORD: password };
  const cwd = await makeFolder();
  return { rig, slipway: (...words: string[]) => call(['registry', ...words], { env, cwd }) };
}

describe('slipway registry policy', () => {
  it('changes what it is told to, and shows all of it', async () => {
    const { slipway, rig } = await setUp();
    const flags = [
      ...['--soft-delete', 'enabled', '--soft-delete-days', '14', '--quota', 'team/*=1.5G'],
      ...[
        '--purge',
        'enabled',
        '--purge-filter',
        '.*:^pr-',
        '--purge-ago',
        '14d',
        '--purge-keep',
        '5',
        '--purge-untagged',
      ],
    ];
    const changed = await slipway('policy', 'update', ...flags);
    expect([changed.code, changed.stderr]).toEqual([0, '']);
    expect(rig.registry.care.policies()).toMatchObject({
      softDeletePolicy: { status: 'enabled', retentionDays: 14 },
      purgePolicy: { status: 'enabled', rules: [{ filters: ['.*:^pr-'], ago: '14d', keep: 5, untagged: true }] },
      quotaPolicy: { rules: [{ repositories: 'team/*', maxBytes: 1.5 * 1024 ** 3 }] },
    });
    const shown = (await slipway('policy', 'show')).stdout;
    expect(shown).toBe(changed.stdout);
    expect(shown).toMatch(/soft delete +enabled +14 days/);
    expect(shown).toContain('tags of .*:^pr- older than 14d, but for the newest 5, and untagged manifests');
    await slipway('policy', 'update', '--no-quota');
    await slipway('policy', 'update', '--write-once', 'team/*:v*,!*-rc', '--write-once', 'base:*');
    const rules = [
      { repositories: 'team/*', tags: ['v*', '!*-rc'] },
      { repositories: 'base', tags: ['*'] },
    ];
    expect(rig.registry.care.policies().writeOncePolicy).toEqual({ rules });
    expect((await slipway('policy', 'show')).stdout).toMatch(
      /write once +team\/\* +v\*, !\*-rc\nwrite once +base +\*\n/,
    );
    await slipway('policy', 'update', '--no-write-once');
    expect(rig.registry.care.policies().writeOncePolicy).toEqual({ rules: [] });
    const unused = ['--retention-not-pulled-days', '30', '--purge-filter', '.*:.*', '--purge-not-pulled-for', '90d'];
    const said = (await slipway('policy', 'update', ...unused)).stdout;
    expect(said).toContain('go after 7 days if nobody has pulled them for 30 days');
    expect(said).toContain('older than 1d and not pulled for 90d');
    expect(rig.registry.care.policies().quotaPolicy).toEqual({ rules: [] });
  });

  it.each([
    [[]],
    [['--soft-delete', 'on']],
    [['--retention-days', 'many']],
    [['--retention-days', '1000']],
    [['--quota', 'team=much']],
    [['--purge-ago', '3d']],
    [['--purge-not-pulled-for', '3d']],
    [['--retention-not-pulled-days', 'some']],
    [['--write-once', 'team/*']],
    [['--write-once', ':v*']],
    [['--write-once', 'team/*:!v*']],
    [['--purge-filter', 'app']],
  ])('refuses %j', async (flags) => {
    const { slipway } = await setUp();
    expect((await slipway('policy', 'update', ...flags)).code).toBe(2);
  });
});

describe('slipway registry purge', () => {
  it('shows what would go, deletes it when told to, and asks before', async () => {
    const { slipway, rig } = await setUp();
    const { digest } = await rig.pushImage('app', 'v1');
    rig.clock.time += 2 * dayMs;
    const flags = ['--filter', 'app:.*', '--untagged'];
    const dry = await slipway('purge', ...flags, '--dry-run');
    expect(dry.stdout).toContain(`app:v1  ${digest}\napp@${digest}\nWould be deleted: 1 tag and 1 manifest, `);
    const unasked = await slipway('purge', ...flags);
    expect([unasked.code, unasked.stderr]).toEqual([2, expect.stringContaining('must be confirmed')]);
    const unused = await slipway('purge', ...flags, '--not-pulled-for', '1d', '--dry-run');
    expect(unused.stdout).toBe('Would be deleted: 0 tags and 0 manifests.\n'); // pulls are noted since now
    const done = await slipway('purge', ...flags, '--yes', '--json');
    expect(JSON.parse(done.stdout)).toMatchObject({ dryRun: false, tags: [{ tag: 'v1' }], manifests: [{ digest }] });
    expect((await slipway('purge', ...flags)).stdout).toBe('Deleted: 0 tags and 0 manifests.\n');
  });
});

describe('slipway registry deleted, restore, usage and quarantine', () => {
  it('have back what was deleted', async () => {
    const { slipway, rig } = await setUp();
    await slipway('policy', 'update', '--soft-delete', 'enabled');
    const { digest } = await rig.pushImage('team/app', 'v1');
    await rig.send('DELETE', `/v2/team/app/manifests/${digest}`);
    expect((await slipway('deleted')).stdout).toContain(`team/app@${digest}  v1`);
    const back = await slipway('restore', 'team/app:v1');
    expect([back.code, back.stdout]).toEqual([0, `team/app@${digest} is back, as v1.\n`]);
    expect((await slipway('restore', 'team/app:v1')).code).toBe(3);
    expect((await slipway('deleted')).stderr).toContain('Nothing was deleted');
  });

  it('shows how much is held', async () => {
    const { slipway, rig } = await setUp();
    await rig.pushImage('team/app', 'v1');
    const { stdout } = await slipway('usage');
    expect(stdout).toMatch(/^\d+ B of 1\.0 GiB in 1 repository\nteam\/app +\d+ B +1 tag +1 manifest\n$/);
  });

  it('passes what is in quarantine', async () => {
    const { slipway, rig } = await setUp();
    await slipway('policy', 'update', '--quarantine', 'enabled');
    const { digest } = await rig.pushImage('app', 'v1');
    const passed = await slipway('quarantine', 'pass', 'app:v1');
    expect(passed.stdout).toBe(`app@${digest} is Passed and can be pulled.\n`);
    expect((await slipway('quarantine', 'fail', `app@${digest}`)).stdout).toContain('is Failed and cannot be pulled');
  });
});
