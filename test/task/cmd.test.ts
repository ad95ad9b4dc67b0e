import { describe, expect, it } from 'vitest';
import type { CmdStep } from '../../src/domain/step.ts';
import { errorsOf, planned, warningsOf } from './rig.ts';

/** A task of one cmd step. */
function taskOf(cmd: string, more = ''): string {
  return `version: v1.1.0\nsteps:\n  - cmd: ${JSON.stringify(cmd.replaceAll('$', '$$$$'))}\n${more}`;
}

function stepOf(cmd: string, more = ''): CmdStep {
  const [step] = planned(taskOf(cmd, more)).steps;
  if (step?.kind !== 'cmd') throw new Error('no cmd step');
  return step;
}

describe('a cmd step', () => {
  it('has an image and arguments', () => {
    expect(stepOf(`app:1 a 'b c' "d"`)).toMatchObject({ image: 'app:1', arguments: ['a', 'b c', 'd'], options: [] });
  });

  it('takes flags of docker run before the image', () => {
    const step = stepOf(
      '-it --rm -e A=1 --env=B=2 -p8080:80 -p=1:2 --hostname zz -m 64m --cpus .5 -u 1:2 -w sub -d app -x --rm',
    );
    expect(step).toMatchObject({
      image: 'app',
      arguments: ['-x', '--rm'],
      env: [
        { name: 'A', value: '1' },
        { name: 'B', value: '2' },
      ],
      ports: ['8080:80', '1:2'],
      memory: '64m',
      cpus: '.5',
      user: '1:2',
      workingDirectory: '/workspace/sub',
      detach: true,
      options: [{ name: 'interactive' }, { name: 'tty' }, { name: 'hostname', value: 'zz' }],
    });
  });

  it('lets flags win over its keys', () => {
    const more = '    user: me\n    network: host\n    entryPoint: a\n    env: [A=0, C=3]\n';
    expect(stepOf('--user you --network none --entrypoint b -e A=1 app', more)).toMatchObject({
      user: 'you',
      network: 'none',
      entryPoint: 'b',
      env: [
        { name: 'C', value: '3' },
        { name: 'A', value: '1' },
      ],
    });
  });

  it('shows the words of docker run in the order of the original', () => {
    const more =
      '    keep: true\n    detach: true\n    ports: ["1:1", 2]\n    expose: [3]\n    privileged: yes\n    user: u\n    network: host\n' +
      '    isolation: default\n    cpus: 2\n    entryPoint: e\n    env: ["A=b c"]\n    workingDirectory: /x/../y\n';
    expect(stepOf('app a', more).container.join(' ')).toBe(
      '--detach -p 1:1 -p 2 --expose 3 --privileged --user u --network host --isolation default --cpus 2 --entrypoint e --env A=b c ' +
        '--workdir /y app a',
    );
  });

  it('leaves the working directory to the image when asked to', () => {
    const step = stepOf('app', '    disableWorkingDirectoryOverride: true\n    workingDirectory: x\n');
    expect(step.workingDirectory).toBeUndefined();
    expect(stepOf('app').workingDirectory).toBe('/workspace');
  });

  it('fills variables in from its own env, and warns of others', () => {
    expect(stepOf('app $A "$A"', '    env: ["A=b c"]\n').arguments).toEqual(['b', 'c', 'b c']);
    expect(stepOf('app x $NONE').arguments).toEqual(['x']);
    expect(warningsOf(taskOf('app $NONE'))).toEqual(['3:10 $NONE has no value outside the container, and is empty']);
  });

  it.each([
    ['bash echo a > out.txt', 'echo a > out.txt'],
    ["bash -c 'ls' | grep x", "-c 'ls' | grep x"],
    ['app a && cat b; echo c', 'a && cat b; echo c'],
    ['app $(date +%s)', '$(date +%s)'],
    ['-t app "`date`"', '"`date`"'],
    ['app a 2>&1', 'a 2>&1'],
    ['docker build . && docker push x', 'build . && docker push x'],
  ])('gives %j to a shell in the container', (cmd, script) => {
    expect(stepOf(cmd).shell).toEqual({ script, startsWithEntryPoint: true });
  });

  it('runs an echo into docker login in an image that has both', () => {
    const step = stepOf("bash echo 'x' | docker login -u me --password-stdin r");
    expect(step).toMatchObject({
      image: 'docker',
      agentImage: 'docker',
      usesEngine: true,
      shell: { script: "echo 'x' | docker login -u me --password-stdin r", startsWithEntryPoint: false },
    });
  });

  it.each([
    [
      'app a | kubectl apply',
      'cmd has "kubectl" outside quotes, which the original runs on its own host, not in the container',
    ],
    [
      'app a; docker ps',
      'cmd has "docker" outside quotes, which the original runs on its own host, not in the container',
    ],
    [
      'app $(az account show)',
      'cmd has "az" outside quotes, which the original runs on its own host, not in the container',
    ],
    ['app a &', 'a & outside quotes leaves a process behind that nothing waits for'],
    ['-e A=$(date) app', 'what stands before the image must be plain words'],
    ['> x app', 'what stands before the image must be plain words'],
    ["app 'a", 'a single quote is not closed in cmd'],
    ['-t', 'cmd names no image'],
    ['--cap-add ALL app', '--cap-add cannot be used here: steps run without extra rights'],
    ['--pid=host app', '--pid cannot be used here: steps have a process namespace of their own'],
    ['--hostnam x app', 'docker run has no flag --hostnam'],
    ['-v /etc:/etc app', '-v /etc:/etc would mount a path of the machine that runs the containers'],
  ])('refuses %j', (cmd, message) => {
    expect(errorsOf(taskOf(cmd))).toEqual([`3:10 ${message}`]);
  });

  it.each([
    'docker stop x',
    'docker:20 ps',
    'mcr.microsoft.com/acr/docker ps',
    '-v /var/run/docker.sock:/var/run/docker.sock app',
  ])('drives the engine with %j', (cmd) => {
    expect(stepOf(cmd).usesEngine).toBe(true);
  });

  it('mounts declared volumes by flag', () => {
    const more = 'volumes:\n  - {name: keys, secret: {a: YQ==}}\n';
    expect(stepOf('-v keys:/run/keys:ro app', more).volumeMounts).toEqual([{ volume: 'keys', path: '/run/keys' }]);
  });
});
