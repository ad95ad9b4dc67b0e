import { describe, expect, it } from 'vitest';
import { checkLocation } from '../../src/source/check-location.ts';
import { openTaskSecrets } from '../../src/trigger/sealed-secrets.ts';
import { testKey } from '../http/rig.ts';
import { create, repository, setUpTasks as setUp } from './rig-task.ts';

describe('slipway task update', () => {
  const base = ['-c', `${repository}#main`, '-f', 'Dockerfile', '-t', 'app'];

  it('changes what is named, and nothing else', async () => {
    const { slipway, details } = await setUp();
    await slipway(create(...base, '--secret-arg', 'S=sesame', '--git-access-token', '-'), { stdin: 'token' });
    const before = (await details('web-app')).properties;
    const { code, stdout } = await slipway(['task', 'update', 'web-app', '--status', 'disabled', '--timeout', '900']);
    expect([code, stdout.split('\n')[0]]).toEqual([0, 'Task web-app is updated.']);
    const after = (await details('web-app')).properties;
    const { watch: _, ...kept } = before;
    expect(after).toMatchObject({ ...kept, status: 'Disabled', timeout: 900 });
  });

  it('changes triggers: their events, filters and token', async () => {
    const { slipway, details } = await setUp();
    await slipway(create(...base));
    const source = async () => (await details('web-app')).properties['trigger'].sourceTriggers[0];
    await slipway(['task', 'update', 'web-app', '--pull-request-trigger-enabled', '--path', 'src/**']);
    expect(await source()).toMatchObject({
      sourceTriggerEvents: ['commit', 'pullrequest'],
      paths: { include: ['src/**'] },
    });
    const off = ['--commit-trigger-enabled', 'false', '--pull-request-trigger-enabled', 'false'];
    await slipway(['task', 'update', '-n', 'web-app', '-r', 'any', ...off]);
    expect(await source()).toMatchObject({ status: 'Disabled' });
    await slipway(['task', 'update', 'web-app', '--commit-trigger-enabled', 'true', '--git-access-token', '-'], {
      stdin: 'new',
    });
    expect(await source()).toMatchObject({
      status: 'Enabled',
      sourceTriggerEvents: ['commit'],
      sourceRepository: { branch: 'main', sourceControlAuthProperties: { token: 'new' } },
    });
    await slipway(['task', 'update', 'web-app', '--base-image-trigger-enabled', 'false']);
    expect((await details('web-app')).properties['trigger'].baseImageTrigger).toMatchObject({ status: 'Disabled' });
  });

  it('moves to another repository with its trigger', async () => {
    const { slipway, details } = await setUp();
    await slipway(create(...base));
    const other = 'https://git.example.com/team/other.git';
    expect((await slipway(['task', 'update', 'web-app', '-c', other])).stderr).toBe('');
    const { step, trigger } = (await details('web-app')).properties;
    expect(step.contextPath).toBe(other);
    expect(trigger.sourceTriggers).toHaveLength(1);
    expect(trigger.sourceTriggers[0]).toMatchObject({ branches: { include: ['main', 'master'] } });
    expect(trigger.sourceTriggers[0].sourceRepository.branch).toBeUndefined();
    await slipway(['task', 'update', 'web-app', '-c', `${other}#dev`]);
    const again = (await details('web-app')).properties['trigger'].sourceTriggers[0];
    expect(again.sourceRepository.branch).toBe('dev');
    expect(again.branches).toBeUndefined();
  });

  it('moves to an archive once it is said what becomes of the trigger', async () => {
    const { slipway, details } = await setUp();
    await slipway(create(...base));
    const move = ['task', 'update', 'web-app', '-c', 'https://example.com/app.tar.gz'];
    const refused = await slipway(move);
    expect(refused.code).toBe(2);
    expect(refused.stderr).toMatch(/would still watch the repository[^]*--commit-trigger-enabled false/);
    expect((await slipway([...move, '--commit-trigger-enabled', 'false'])).code).toBe(0);
    const { step, trigger } = (await details('web-app')).properties;
    expect(step.contextPath).toBe('https://example.com/app.tar.gz');
    expect(trigger.sourceTriggers[0].status).toBe('Disabled');
  });

  it('with --api-url gives the forge its token although it speaks http, and the context none', async () => {
    const { slipway, details } = await setUp({ checkLocation });
    const plain = 'http://git.corp:3000/team/app.git';
    const apiUrl = 'http://git.corp:3000/api/v1';
    const token = ['--git-access-token', '-'];
    await slipway(create(...base, ...token), { stdin: 'first' });
    expect((await slipway(['task', 'update', 'web-app', '-c', `${plain}#main`])).stderr).toMatch(
      /never sent over http/,
    );
    expect((await slipway(['task', 'update', 'web-app', '-c', `${plain}#main`, '--api-url', apiUrl])).code).toBe(0);
    const look = async () => {
      const { step, trigger } = (await details('web-app')).properties;
      const { sourceRepository } = trigger.sourceTriggers[0];
      return [step.contextAccessToken, sourceRepository.apiUrl, sourceRepository.sourceControlAuthProperties?.token];
    };
    expect(await look()).toEqual([undefined, apiUrl, 'first']);
    expect((await slipway(['task', 'update', 'web-app', ...token], { stdin: 'second' })).code).toBe(0);
    expect(await look()).toEqual([undefined, apiUrl, 'second']);
    await slipway(['task', 'update', 'web-app', '-c', `${repository}#main`, ...token], { stdin: 'third' });
    expect(await look()).toEqual(['third', undefined, 'third']);
    const made = ['-c', plain, '-f', 'Dockerfile', '-t', 'app', '--api-url', apiUrl, ...token];
    expect((await slipway(create(...made), { stdin: 'fourth' })).code).toBe(0);
    expect(await look()).toEqual([undefined, apiUrl, 'fourth']);
  });

  it('makes another kind of task of it, which keeps its context and token', async () => {
    const { slipway, details } = await setUp();
    await slipway(create(...base, '--git-access-token', '-'), { stdin: 'token' });
    await slipway(['task', 'update', 'web-app', '-f', 'acb.yaml', '--set', 'a=1']);
    const { step } = (await details('web-app')).properties;
    expect(step).toMatchObject({
      type: 'FileTask',
      contextPath: `${repository}#main`,
      contextAccessToken: 'token',
      values: [{ name: 'a', value: '1' }],
    });
    expect(step.dockerFilePath).toBeUndefined();
  });

  it('adds a trigger where there was none', async () => {
    const { slipway, details } = await setUp();
    await slipway(create(...base, '--commit-trigger-enabled', 'false'));
    await slipway(['task', 'update', 'web-app', '--pull-request-trigger-enabled', 'true']);
    expect((await details('web-app')).properties['trigger'].sourceTriggers).toMatchObject([
      { sourceTriggerEvents: ['pullrequest'], sourceRepository: { branch: 'main' } },
    ]);
  });

  it.each([
    [['web-app'], 'nothing is to be changed', 2],
    [['web-app', '--set', 'a=1'], 'the task builds a Dockerfile', 2],
    [['web-app', '--schedule', '0 3 * * *'], 'timers are not changed by an update', 2],
    [['no-such', '--status', 'Enabled'], 'task no-such does not exist', 3],
  ])('says what is wrong with %j', async (words, message, exit) => {
    const { slipway } = await setUp();
    await slipway(create(...base));
    const { code, stderr } = await slipway(['task', 'update', ...words]);
    expect(stderr).toContain(message);
    expect(code).toBe(exit);
  });
});

it('slipway task run passes on what the endpoint of the base-image trigger is to be told by, in base64', async () => {
  const { slipway, store } = await setUp();
  await slipway(create('-c', `${repository}#main`, '-f', 'Dockerfile', '-t', 'app'));
  const words = ['task', 'run', 'web-app', '--no-wait', '--update-trigger-token', 'build 7'];
  expect((await slipway(words)).code).toBe(0);
  const kept = openTaskSecrets(testKey, (await store.tasks.get('web-app'))?.sealedSecrets);
  expect(kept.updateToken).toBe(Buffer.from('build 7').toString('base64'));
});
