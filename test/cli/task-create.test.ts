import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { call, makeFolder } from './rig-api.ts';
import { create, repository, setUpTasks as setUp } from './rig-task.ts';

const unreachable = { SLIPWAY_SERVER: 'http://127.0.0.1:1', SLIPWAY_USERNAME: 'a', SLIPWAY_PASSWORD: 'b' };

describe('slipway task create', () => {
  it('makes a build of a Dockerfile that is built on pushes, and says what it watches', async () => {
    const { slipway, details } = await setUp();
    const words = create(
      '-c',
      `${repository}#main:server`,
      '-f',
      'Dockerfile',
      '-t',
      'app:{{.Run.ID}}',
      '--arg',
      'A=1',
    );
    const { code, stdout, stderr } = await slipway(words);
    expect([code, stderr]).toEqual([0, '']);
    expect(stdout).toContain('Task web-app is created.\n');
    expect(stdout).toContain('  yes  pushes to main of git.example.com/team/app\n');
    expect(stdout).toMatch(/ {2}no {3}pull requests to main .*\(pullrequest is not among the events/);
    expect(stdout).toMatch(/ {2}no {3}base images \(not learned yet/);
    expect(stdout).toMatch(/Webhook: http.*\/hooks\/git\/web-app\n/);
    expect(stdout).toContain('slipway task webhook setup web-app');
    const { properties } = await details('web-app');
    expect(properties['step']).toMatchObject({
      type: 'Docker',
      contextPath: `${repository}#main:server`,
      dockerFilePath: 'Dockerfile',
      imageNames: ['app:{{.Run.ID}}'],
      isPushEnabled: true,
      arguments: [{ name: 'A', value: '1', isSecret: false }],
    });
    expect(properties['trigger']).toMatchObject({
      sourceTriggers: [
        {
          name: 'defaultSourceTriggerName',
          sourceRepository: { repositoryUrl: `${repository}#main:server`, branch: 'main' },
          sourceTriggerEvents: ['commit'],
        },
      ],
      timerTriggers: [],
      baseImageTrigger: { name: 'defaultBaseimageTriggerName', baseImageTriggerType: 'Runtime', status: 'Enabled' },
    });
  });

  it('takes a file with the ending of a task file for one, with its values, as az does', async () => {
    const { slipway, details } = await setUp();
    const values = ['--set', 'a=1', '--set-secret', 'b=sesame', '--values', 'v.yaml'];
    const { code, stdout } = await slipway(create('-c', `${repository}#dev`, '-f', 'ci/Task.YML', ...values));
    expect(code).toBe(0);
    expect(stdout).not.toContain('sesame');
    const { properties } = await details('web-app');
    expect(properties['step']).toMatchObject({
      type: 'FileTask',
      taskFilePath: 'ci/Task.YML',
      valuesFilePath: 'v.yaml',
    });
    expect(properties['step'].values).toEqual([
      { name: 'a', value: '1', isSecret: false },
      { name: 'b', value: 'sesame', isSecret: true },
    ]);
    const shown = await slipway(['task', 'show', 'web-app']);
    expect(shown.stdout).toContain('Values:       a=1 b=***\n');
  });

  it('keeps a command as a value, so that a run may do another', async () => {
    const { slipway, details } = await setUp();
    expect((await slipway(create('--cmd', 'busybox echo "a: b"', '--timeout', '600'))).code).toBe(0);
    const { step, trigger } = (await details('web-app')).properties;
    expect(step.type).toBe('EncodedTask');
    expect(step.contextPath).toBeUndefined();
    expect(Buffer.from(step.encodedTaskContent as string, 'base64').toString()).toBe(
      'version: v1.1.0\nsteps:\n  - cmd: |-\n      {{.Values.command}}\n    disableWorkingDirectoryOverride: true\n    timeout: 600\n',
    );
    expect(Buffer.from(step.encodedValuesContent as string, 'base64').toString()).toBe(
      'command: "busybox echo \\"a: b\\""\n',
    );
    expect(trigger.sourceTriggers).toEqual([]);
    expect((await slipway(create('--cmd', 'busybox echo {{.Run.ID}}'))).stdout).toContain('Task web-app is replaced.');
    const again = (await details('web-app')).properties['step'];
    expect(Buffer.from(again.encodedTaskContent as string, 'base64').toString()).toContain('busybox echo {{.Run.ID}}');
  });

  it('reads a task file of this machine where there is no context', async () => {
    const { slipway, details } = await setUp();
    const cwd = await makeFolder();
    const task = 'version: v1.1.0\nsteps:\n  - cmd: busybox echo hi\n';
    await writeFile(join(cwd, 't.yaml'), task);
    expect((await slipway(create('-c', '/dev/null', '-f', 't.yaml'), { cwd })).code).toBe(0);
    const encoded = Buffer.from(task).toString('base64');
    expect((await details('web-app')).properties['step']).toMatchObject({ encodedTaskContent: encoded });
    expect((await slipway(create('-c', '/dev/null', '-f', '-'), { stdin: task })).code).toBe(0);
    expect((await slipway(create('-c', '/dev/null', '-f', 'no.yaml'), { cwd })).stderr).toContain(
      'no.yaml cannot be read',
    );
  });

  it('takes timers, filters, limits and the rest of what it may be told', async () => {
    const { slipway, details } = await setUp();
    const { code, stderr } = await slipway(
      create(
        ...['-c', repository, '-f', 'acb.yaml', '--schedule', 'nightly:0 3 * * *', '--schedule', '*/5 * * * *'],
        ...['--schedule', ':0 * * * *', '--path', 'src/**', '--exclude-path', '**/*.md', '--tag', 'v*'],
        ...[
          '--exclude-branch',
          'wip/*',
          '--when-superseded',
          'CANCEL',
          '--max-concurrent',
          '2',
          '--platform',
          'linux/arm64',
        ],
        ...['--agent-pool', 'arm', '--auth-mode', 'none', '--base-image-trigger-type', 'all', '--assign-identity'],
      ),
    );
    expect(code).toBe(0);
    expect(stderr).toContain('there are no managed identities here');
    const { properties, identity } = await details('web-app');
    expect(identity).toEqual({ type: 'SystemAssigned' });
    expect(properties).toMatchObject({
      whenSuperseded: 'cancel',
      maxConcurrentRuns: 2,
      agentPoolName: 'arm',
      credentials: { sourceRegistry: { loginMode: 'None' } },
      trigger: {
        timerTriggers: [
          { name: 'nightly', schedule: '0 3 * * *' },
          { name: 't1', schedule: '*/5 * * * *' },
          { name: 't2', schedule: '0 * * * *' },
        ],
        sourceTriggers: [
          {
            sourceTriggerEvents: ['commit', 'tag'],
            branches: { exclude: ['wip/*'] },
            tags: { include: ['v*'] },
            paths: { include: ['src/**'], exclude: ['**/*.md'] },
          },
        ],
        baseImageTrigger: { baseImageTriggerType: 'All' },
      },
    });
  });

  it('watches main and master of a repository whose branch nobody named', async () => {
    const { slipway, details } = await setUp();
    const { stdout } = await slipway(create('-c', 'https://github.com/owner/app', '-f', 'acb.yaml'));
    expect(stdout).toContain('pushes to main or master of github.com/owner/app');
    const [trigger] = (await details('web-app')).properties['trigger'].sourceTriggers;
    expect(trigger.sourceRepository).toMatchObject({ sourceControlType: 'Github' });
  });

  it.each([
    ['three states in az’s way', ['--commit-trigger-enabled', 'False', '--base-image-trigger-enabled', 'false']],
    [
      'a context that nobody pushes to',
      ['-c', `${repository}#${'a'.repeat(40)}`, '--base-image-trigger-enabled', 'false'],
    ],
  ])('makes no triggers for %s', async (_, words) => {
    const { slipway, details } = await setUp();
    expect((await slipway(create('-c', repository, '-f', 'a.yaml', ...words))).code).toBe(0);
    expect((await details('web-app')).properties['trigger']).toEqual({ sourceTriggers: [], timerTriggers: [] });
  });

  it('has the git token from stdin, a file or the environment, and warns of one in the command line', async () => {
    const { slipway, details } = await setUp();
    const tokens = async () => {
      const { step, trigger } = (await details('web-app')).properties;
      return [step.contextAccessToken, trigger.sourceTriggers[0].sourceRepository.sourceControlAuthProperties?.token];
    };
    const base = ['-c', repository, '-f', 'a.yaml'];
    const piped = await slipway(create(...base, '--git-access-token', '-'), { stdin: 'one\n' });
    expect([piped.code, piped.stderr, await tokens()]).toEqual([0, '', ['one', 'one']]);
    const cwd = await makeFolder();
    await writeFile(join(cwd, 'token'), 'two\n');
    await slipway(create(...base, '--git-access-token-file', 'token'), { cwd });
    expect(await tokens()).toEqual(['two', 'two']);
    const found = await slipway(create(...base), { env: { SLIPWAY_GIT_ACCESS_TOKEN: 'three' } });
    expect(found.stderr).toBe('The git token is the one of SLIPWAY_GIT_ACCESS_TOKEN.\n');
    expect(await tokens()).toEqual(['three', 'three']);
    const open = await slipway(create(...base, '--git-access-token', 'four'));
    expect(open.stderr).toContain('warning: a command line is seen by everybody who can list processes');
    expect(open.stdout + open.stderr).not.toContain('four');
    expect(await tokens()).toEqual(['four', 'four']);
    expect((await slipway(['task', 'show', 'web-app', '--json'])).stdout).not.toContain('four');
  });

  it.each([
    [['create', 'web', '-c', repository], '"web" is no name of a task'],
    [['create'], 'Its name is missing'],
    [['create', 'web-app'], '--context is missing'],
    [['create', 'web-app', '-c', '.'], 'there is no acb.yaml in what is sent of the folder'],
    [['create', 'web-app', '-c', 'nowhere'], 'the context nowhere is not an address'],
    [create('-c', repository, '--cmd', 'x', '-f', 'y').slice(1), '--cmd and -f exclude each other'],
    [create('-c', repository, '-f', 'a.yaml', '--arg', 'A=1').slice(1), '--arg does not go with a task file'],
    [
      create('-c', repository, '-f', 'Dockerfile', '--set-secret', 'A=1').slice(1),
      '--set-secret does not go with a Dockerfile',
    ],
    [create('-c', repository, '--schedule', 'n:0 3 *').slice(1), 'has not the five fields of cron'],
    [create('-c', repository, '--status', 'on').slice(1), '--status must be one of Enabled, Disabled'],
    [
      create('-c', repository, '--when-superseded', 'x').slice(1),
      '--when-superseded must be one of queue, skip, cancel',
    ],
    [create('-c', repository, '--max-concurrent', '0').slice(1), '--max-concurrent must be a whole number'],
    [
      create('-c', repository, '--commit-trigger-enabled', 'perhaps').slice(1),
      '--commit-trigger-enabled is true or false',
    ],
    [
      create('-c', 'https://x.example/a.tgz', '--commit-trigger-enabled', '-f', 'a.yaml').slice(1),
      'the context is no git repository',
    ],
    [create('-c', repository, '-t', 'APP').slice(1), 'APP'],
    [create('-c', 'http://x.example/a.git', '--git-access-token', 't').slice(1), 'a token is never sent over http'],
  ])('refuses %j before anything is sent', async (words, message) => {
    const { code, stderr } = await call(['task', ...words], { env: unreachable });
    expect(stderr).toContain(message);
    expect(code).toBe(2);
  });

  it('hands on what the server finds wrong, with its hint', async () => {
    const { slipway } = await setUp();
    const { code, stderr } = await slipway(create('-c', repository, '-f', 'a.yaml', '--schedule', '99 * * * *'));
    expect(code).toBe(2);
    expect(stderr).toContain('schedule');
  });

  it('exits with 4 when there is no server', async () => {
    expect((await call(create('--cmd', 'busybox true'), { env: unreachable })).code).toBe(4);
  });
});
