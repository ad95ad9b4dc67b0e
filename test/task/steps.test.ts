import { describe, expect, it } from 'vitest';
import { listSecrets } from '../../src/task/plan-task.ts';
import { errorsOf, planned, render, run, values, warningsOf } from './rig.ts';

const needsOf = (text: string): readonly (readonly string[])[] => planned(text).steps.map(({ needs }) => needs);

describe('the graph', () => {
  it('follows the order of the file without when', () => {
    expect(needsOf('steps: [{cmd: a}, {cmd: b}, {cmd: c}]')).toEqual([[], ['acb_step_0'], ['acb_step_1']]);
  });

  it('waits for the step right above only, whatever that waits for', () => {
    expect(needsOf('steps: [{id: aa, cmd: a}, {id: bb, cmd: b, when: ["-"]}, {cmd: c}]')).toEqual([[], [], ['bb']]);
  });

  it('takes ids of steps above, each once', () => {
    const text = 'steps: [{id: aa, cmd: a}, {id: bb, cmd: b}, {cmd: c, when: [aa, bb, aa]}]';
    expect(needsOf(text)[2]).toEqual(['aa', 'bb']);
    expect(warningsOf(text)).toEqual(['1:69 when names "aa" twice; once is enough']);
  });

  it('takes an empty when for none', () => {
    expect(needsOf('steps: [{cmd: a}, {cmd: b, when: []}]')[1]).toEqual(['acb_step_0']);
  });

  it.each([
    ['[{cmd: a, when: [bb]}, {id: bb, cmd: b}]', '1:25 step "bb" stands below; when takes steps above'],
    ['[{id: aa, cmd: a, when: [aa]}]', '1:33 step "aa" waits for itself'],
    ['[{cmd: a}, {cmd: b, when: ["-", acb_step_0]}]', '1:35 "-" means at once, and stands alone in when'],
    ['[{cmd: a, when: [nope]}]', '1:25 there is no step "nope"'],
    ['[{id: aa, cmd: a}, {id: aa, cmd: b}]', '1:32 step 1 has the id "aa" already'],
    ['[{id: acb_step_1, cmd: a}, {cmd: b}]', '1:36 step 1 has the id "acb_step_1" already'],
    ['[{id: acb_root, cmd: a}]', '1:14 acb_root is a reserved id'],
    ['[{id: "a b", cmd: a}]', '1:14 "a b" cannot be the id of a step'],
    ['[{id: "c;echo", cmd: a}]', '1:14 "c;echo" cannot be the id of a step'],
    ['[{id: aa}]', '1:10 a step needs one of "build", "push" and "cmd"'],
    ['[{cmd: ""}]', '1:10 a step needs one of "build", "push" and "cmd"'],
    ['[{cmd: a, push: [b]}]', '1:15 a step has one of "build", "push" and "cmd", and this one has push and cmd'],
    ['[~]', '1:9 a step must be a map of properties, and this is nothing'],
    ['{a: b}', '1:8 steps must be a list, and this is a map'],
    ['[{cmd: a, retries: -1}]', '1:27 retries must be 0 or more'],
    ['[{cmd: a, repeat: -1}]', '1:26 repeat must be 0 or more'],
    ['[{cmd: a, runOn: allways}]', '1:25 runOn is one of success, failure, always'],
  ])('refuses %s', (steps, message) => {
    expect(errorsOf(`steps: ${steps}`)).toEqual([message]);
  });

  it('has at most 200 steps', () => {
    const text = `steps:\n${'  - cmd: a\n'.repeat(201)}`;
    expect(errorsOf(text)).toEqual(['202:5 a task has at most 200 steps, and this one has 201']);
    expect(planned(text, { limits: { steps: 1000 } }).steps).toHaveLength(201);
  });
});

describe('what every step has', () => {
  it('gets its defaults', () => {
    expect(planned('steps: [{push: [a]}]').steps[0]).toEqual({
      id: 'acb_step_0',
      index: 0,
      line: 1,
      needs: [],
      runOn: 'success',
      timeoutSeconds: 600,
      startDelaySeconds: 0,
      ignoreErrors: false,
      network: 'acb_default_network',
      kind: 'push',
      images: ['a:latest'],
    });
  });

  it.each([
    ['stepTimeout: 30', '', 30],
    ['stepTimeout: 30', 'timeout: 5', 5],
    ['stepTimeout: 0', 'timeout: -1', 600],
    ['stepTimeout: 010', '', 8],
    ['stepTimeout: 0x10', '', 16],
    ['stepTimeout: 1_000', '', 1000],
    ['stepTimeout: 20.0', '', 20],
  ])('has a timeout: %s, %s', (task, step, seconds) => {
    expect(planned(`${task}\nsteps: [{cmd: a, ${step}}]`).steps[0]?.timeoutSeconds).toBe(seconds);
  });

  it('is tried as often as it says', () => {
    const step = planned(
      'steps: [{cmd: a, retries: 2, retryDelay: 7, retryOnErrors: [x, 5], repeat: 3, startDelay: 4}]',
    ).steps[0];
    expect(step).toMatchObject({
      startDelaySeconds: 4,
      attempts: { retries: 2, retryDelaySeconds: 7, retryOnErrors: ['x', '5'], repeat: 3 },
    });
    expect(planned('steps: [{cmd: a, retryDelay: 0}]').steps[0]).toMatchObject({ attempts: { retryDelaySeconds: 5 } });
  });

  it.each(['yes', 'on', 'True', 'y', 'true'])('reads %s as true', (word) => {
    expect(planned(`steps: [{cmd: a, ignoreErrors: ${word}, detach: ${word}}]`).steps[0]).toMatchObject({
      ignoreErrors: true,
      detach: true,
    });
  });

  it('carries what Slipway has more', () => {
    const text = 'steps: [{cmd: a, runOn: always, exitedWith: [0, 3], exitedWithout: [4], memory: 64m}]';
    expect(planned(text).steps[0]).toMatchObject({
      runOn: 'always',
      exitedWith: [0, 3],
      exitedWithout: [4],
      memory: '64m',
    });
  });

  it('warns of keys that do nothing', () => {
    expect(warningsOf('steps: [{push: [a], retries: 2}]')).toEqual([
      '1:30 "retries" does nothing in a push step; it is for build and cmd steps',
    ]);
    expect(warningsOf('steps: [{build: ., entryPoint: x}]')).toEqual([
      '1:32 "entryPoint" does nothing in a build step; it is for cmd steps',
    ]);
    expect(warningsOf('steps: [{cmd: a, wehn: [b]}]\ntotalTimeout: 5')).toEqual([
      '1:18 a step has no property "wehn"; it is ignored',
      '2:1 a task has no property "totalTimeout"; it is ignored',
    ]);
  });
});

describe('env', () => {
  const envOf = (text: string): unknown => (planned(text).steps[0] as { env: unknown }).env;

  it('of the step comes first and wins', () => {
    expect(envOf('env: [A=1, B=2]\nsteps: [{cmd: a, env: [C=3, A=4]}]')).toEqual([
      { name: 'C', value: '3' },
      { name: 'A', value: '4' },
      { name: 'B', value: '2' },
    ]);
  });

  it('of the task is split at commas before another variable, and only there', () => {
    expect(envOf('env: ["A=1,B=2"]\nsteps: [{cmd: a}]')).toEqual([
      { name: 'A', value: '1' },
      { name: 'B', value: '2' },
    ]);
    expect(envOf('env: ["A=1,2"]\nsteps: [{cmd: a, env: ["B=1,C=2"]}]')).toEqual([
      { name: 'B', value: '1,C=2' },
      { name: 'A', value: '1,2' },
    ]);
  });

  it('has the quotes removed that a shell would remove', () => {
    expect(envOf(`steps: [{cmd: a, env: ["A='x y'", 'B="$"', "C=x y", "D=it's"]}]`)).toEqual([
      { name: 'A', value: 'x y' },
      { name: 'B', value: '$' },
      { name: 'C', value: 'x y' },
      { name: 'D', value: "it's" },
    ]);
  });

  it('is NAME=value', () => {
    expect(errorsOf('env: [A]\nsteps: [{cmd: a}]')).toEqual(['1:7 env takes NAME=value, and this is "A"']);
    expect(errorsOf('env: [A=1]\nsteps: [{cmd: a, env: [B]}]')).toEqual(['2:24 env takes NAME=value, and this is "B"']);
    expect(warningsOf('steps: [{cmd: a, env: [B]}]')).toEqual([
      '1:24 "B" has no value, and there is no host to take one from',
    ]);
    expect(errorsOf('steps: [{cmd: a, env: {A: 1}}]')).toEqual(['1:23 env must be a list, and this is a map']);
  });

  it('is handed in for all tasks', () => {
    expect(planned('env: [A=1]\nsteps: [{cmd: a}]', { env: ['A=0', 'B=2'] }).steps[0]).toMatchObject({
      env: [
        { name: 'A', value: '1' },
        { name: 'B', value: '2' },
      ],
    });
  });
});

describe('networks', () => {
  it('are one default bridge when none is declared', () => {
    expect(planned('steps: [{cmd: a}]').networks).toEqual([
      { name: 'acb_default_network', driver: 'bridge', ipv6: false, skipCreation: false, isDefault: true },
    ]);
  });

  it('give steps a default only when one is declared as such; the last one counts', () => {
    const plan = planned('networks: [{name: a1}]\nsteps: [{cmd: a}, {cmd: b, network: a1}]');
    expect(plan.steps.map(({ network }) => network)).toEqual([undefined, 'a1']);
    const two = planned(
      'networks: [{name: a1, isDefault: true}, {name: b1, isDefault: yes, ipv6: on}]\nsteps: [{push: [a]}]',
    );
    expect(two.steps[0]?.network).toBe('b1');
  });

  it('can be given from outside', () => {
    expect(
      planned('networks: [{name: a1, isDefault: true}]\nsteps: [{cmd: a}]', { network: 'out' }).steps[0]?.network,
    ).toBe('out');
  });

  it.each([
    ['networks: [{driver: x}]', '1:12 a network needs a name of letters, digits, "_", "." and "-"'],
    ['networks: [{name: a1}, {name: a1}]', '1:24 there is a network "a1" already'],
    ['networks: {name: a1}', '1:11 networks must be a list, and this is a map'],
  ])('refuses %s', (text, message) => {
    expect(errorsOf(`${text}\nsteps: [{cmd: a}]`)).toEqual([message]);
  });

  it('warns of one that nobody declares', () => {
    expect(warningsOf('steps: [{cmd: a, network: nett}]')).toEqual(['1:27 the task declares no network "nett"']);
  });
});

describe('volumes', () => {
  const mounts = 'steps: [{cmd: a, volumeMounts: [{name: v1, mountPath: /x}]}]';

  it('are files with contents, mounted by name', () => {
    const plan = planned(`volumes: [{name: v1, secret: {a: YQ==, b: "{{.Values.mysecret | b64enc}}"}}]\n${mounts}`);
    expect(plan.volumes).toEqual([
      {
        name: 'v1',
        files: [
          { name: 'a', contentBase64: 'YQ==' },
          { name: 'b', contentBase64: 'bQ==' },
        ],
      },
    ]);
    expect(plan.steps[0]).toMatchObject({ volumeMounts: [{ volume: 'v1', path: '/x' }] });
    expect(plan.steps[0]).toMatchObject({
      container: ['--rm', '--network', 'acb_default_network', '--volume', 'v1:/x', 'a'],
    });
  });

  it.each([
    [mounts, '1:40 there is no volume "v1"'],
    ['volumes: [{name: v1}]\nsteps: []', '1:11 volume "v1" needs "secret" with at least one file'],
    ['volumes: [{name: v1, secret: {}}]\nsteps: []', '1:30 volume "v1" needs "secret" with at least one file'],
    [
      'volumes: [{name: "v 1", secret: {a: YQ==}}]\nsteps: []',
      '1:18 a volume needs a name of letters, digits, "_" and "-"',
    ],
    [
      'volumes: [{name: v1, secret: {../a: YQ==}}]\nsteps: []',
      '1:31 a file in a volume is named with letters, digits, "_", "." and "-"',
    ],
    [
      'volumes: [{name: v1, secret: {a: YQ==}}]\nsteps: [{push: [a], volumeMounts: [{name: v1, mountPath: /x}]}]',
      '2:35 a push step cannot have volumeMounts',
    ],
    [
      'volumes: [{name: v1, secret: {a: YQ==}}]\nsteps: [{cmd: a, volumeMounts: [{name: v1, mountPath: /x}, {name: v1, mountPath: /x}]}]',
      '2:32 two volumes are mounted at /x',
    ],
    ['steps: [{cmd: a, volumeMounts: [{name: v1}]}]', '1:33 an item of volumeMounts needs "name" and "mountPath"'],
  ])('refuses %s', (text, message) => {
    expect(errorsOf(text)).toEqual([message]);
  });
});

describe('secrets', () => {
  const text =
    'secrets: [{id: pw, keyvault: "https://v.example/secrets/x"}, {id: own}]\nsteps: [{cmd: "a {{.Secrets.pw}} {{.Secrets.own}}"}]';

  it('are put in with a second rendering', () => {
    const plan = planned(text, { secrets: { pw: 'one', own: 'two' } });
    expect(plan.steps[0]).toMatchObject({ arguments: ['one', 'two'] });
    expect(plan.secrets).toEqual([{ id: 'pw', keyvault: 'https://v.example/secrets/x' }, { id: 'own' }]);
  });

  it('have words in their place when they are not at hand', () => {
    expect(planned(text).steps[0]).toMatchObject({ arguments: ['__secret_pw__', '__secret_own__'] });
  });

  it('are listed without a look at the rest', () => {
    expect(listSecrets(text.replace('cmd', 'nonsense'), { run, values, render })).toMatchObject({
      ok: true,
      secrets: [{ id: 'pw' }, { id: 'own' }],
    });
    expect(listSecrets('steps: []', { run, values, render })).toEqual({ ok: true, secrets: [] });
  });

  it.each([
    ['[{keyvault: "https://v.example/secrets/x"}]', '1:11 a secret needs an id without spaces'],
    ['[{id: "a b"}]', '1:16 a secret needs an id without spaces'],
    ['[{id: a1}, {id: a1}]', '1:26 there is a secret "a1" already'],
    ['[{id: a1, keyvault: x}]', '1:30 keyvault must be the URL of a secret'],
    ['[{id: a1, clientID: x}]', '1:30 clientID must be a UUID'],
  ])('refuses %s', (secrets, message) => {
    expect(errorsOf(`secrets: ${secrets}\nsteps: []`)).toEqual([message]);
  });
});

describe('push', () => {
  it('adds :latest and pushes each image once', () => {
    const text = 'steps: [{push: [a, "a:latest", b/c@sha256:x, "localhost:5000/d", a]}]';
    expect(planned(text).steps[0]).toMatchObject({ images: ['a:latest', 'b/c@sha256:x', 'localhost:5000/d'] });
  });

  it('takes no empty item', () => {
    expect(errorsOf('steps: [{push: [""]}]')).toEqual(['1:17 push has an empty item']);
  });
});
