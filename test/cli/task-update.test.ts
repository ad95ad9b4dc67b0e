import { describe, expect, it } from 'vitest';
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
