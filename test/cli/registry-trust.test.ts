import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { password, startRig } from '../http/rig.ts';
import { startRegistry } from '../registry/rig.ts';
import { makeKeys, pemOf } from '../trust/rig.ts';
import { call, makeFolder } from './rig-api.ts';

async function setUp() {
  const registry = await startRegistry();
  onTestFinished(registry.stop);
  const { trustDesk, scanPolicy } = registry.registry;
  const start = () => Promise.reject(new Error('not asked for here'));
  const { url } = await startRig({ trust: trustDesk, scans: { ...scanPolicy, start } });
  const env = { SLIPWAY_SERVER: url, SLIPWAY_USERNAME: 'admin', SLIPWAY_PASSWORD: password };
  const cwd = await makeFolder();
  await writeFile(join(cwd, 'release.pub'), pemOf(makeKeys.p256()));
  await writeFile(join(cwd, 'second.pub'), pemOf(makeKeys.ed25519()));
  const slipway = (...words: string[]) => call(['registry', ...words], { env, cwd });
  return { slipway, registry, trustDesk, scanPolicy };
}

describe('slipway registry trust', () => {
  it('makes, changes, lists, shows and deletes policies', async () => {
    const { slipway, trustDesk } = await setUp();
    const made = await slipway('trust', 'create', 'released', '--repository', 'team/*', '--key', 'release.pub');
    expect([made.code, made.stderr, made.stdout]).toEqual([
      0,
      '',
      'Trust policy released demands a signature in team/*.\n',
    ]);
    const keys = ['--key', 'release.pub', '--key', 'second.pub'];
    const changed = await slipway('trust', 'update', 'released', ...keys, '--min-signatures', '2', '--mode', 'warn');
    expect(changed.stdout).toBe('Trust policy released warns without 2 signatures in team/*.\n');
    expect(trustDesk.get('released')).toMatchObject({ minSignatures: 2, mode: 'warn', repositories: ['team/*'] });
    expect((await slipway('trust', 'list')).stdout).toBe('released  warns without 2 signatures in team/*\n');
    const shown = await slipway('trust', 'show', 'released');
    expect(shown.stdout).toMatch(/keys +2\n[\s\S]*-----BEGIN PUBLIC KEY-----/);
    expect((await slipway('trust', 'delete', 'released')).stdout).toBe('Trust policy released is deleted.\n');
    expect((await slipway('trust', 'delete', 'released')).code).toBe(3);
  });

  it('says whether an image can be pulled, by its exit code too', async () => {
    const { slipway, registry } = await setUp();
    await registry.pushImage('team/app', 'v1');
    const free = await slipway('trust', 'verify', 'team/app:v1');
    expect([free.code, free.stdout]).toEqual([0, expect.stringMatching(/^No trust policy.*\n.* can be pulled\.\n$/)]);
    await slipway('trust', 'create', 'released', '--repository', 'team/*', '--key', 'release.pub');
    const held = await slipway('trust', 'verify', 'team/app:v1');
    expect(held.code).toBe(1);
    expect(held.stdout).toMatch(/^the trust policy released demands a signature.*\n.* cannot be pulled\.\n$/);
    expect(JSON.parse((await slipway('trust', 'verify', 'team/app:v1', '--json')).stdout)).toMatchObject({
      isAllowed: false,
    });
  });

  it.each([
    [['create', 'released', '--repository', 'team/*']],
    [['create', 'released', '--key', 'release.pub']],
    [['create', 'released', '--repository', '*', '--key', 'no-such-file']],
    [['create', 'released', '--repository', '*', '--key', 'release.pub', '--min-signatures', 'two']],
    [['update', 'released']],
    [['verify', 'NOT AN IMAGE']],
  ])('refuses %j', async (words) => {
    const { slipway } = await setUp();
    expect((await slipway('trust', ...words)).code).toBe(2);
  });
});

describe('slipway registry scan', () => {
  it('says what scans, shows it and ends it', async () => {
    const { slipway, scanPolicy } = await setUp();
    expect((await slipway('scan', 'show')).code).toBe(3);
    const flags = ['--repository', 'team/*', '--image', 'scanner:1', '--args', '-x {{.Values.image}}'];
    const rule = ['--fail-on', 'critical=1', '--fail-on', 'high=10', '--uncounted', 'pass', '--quarantine'];
    const set = await slipway('scan', 'set', ...flags, ...rule, '--timeout', '600');
    expect([set.code, set.stderr]).toEqual([0, '']);
    expect(set.stdout).toContain('scanner       scanner:1 -x {{.Values.image}}\n');
    expect(set.stdout).toContain('fails on      critical=1, high=10, uncounted=pass\n');
    expect(scanPolicy.get()).toMatchObject({ quarantine: true, timeout: 600, failOn: { uncounted: 'pass' } });
    expect((await slipway('scan', 'show')).stdout).toBe(set.stdout);
    expect((await slipway('scan', 'off')).stdout).toBe('Images are not scanned any more.\n');
    expect((await slipway('scan', 'off')).code).toBe(3);
  });

  it.each([
    [['set', '--image', 'scanner']],
    [['set', '--repository', '*']],
    [['set', '--repository', '*', '--image', 'scanner', '--fail-on', 'critical']],
    [['set', '--repository', '*', '--image', 'scanner', '--timeout', 'long']],
    [['set', '--repository', '*', '--image', 'scanner', '--task', 'scan-image']],
    [['set', '--repository', '*', '--image', 'scanner', '--quarantine']],
  ])('refuses %j', async (words) => {
    const { slipway } = await setUp();
    expect((await slipway('scan', ...words)).code).toBe(2);
  });
});
