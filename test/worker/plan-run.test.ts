import { describe, expect, it } from 'vitest';
import { fail, type FailureError } from '../../src/domain/failure.ts';
import type { EncodedTaskRunRequest, FileTaskRunRequest } from '../../src/domain/run-request.ts';
import type { SecretSource } from '../../src/domain/step.ts';
import type { Context } from '../../src/source/ports.ts';
import { planRun, type PlanRunOptions } from '../../src/worker/plan-run.ts';
import { aRequest, aRun } from '../rig/runs.ts';

const base = (({ isArchiveEnabled, timeout, platform, agentConfiguration, credentials }) => ({
  isArchiveEnabled,
  timeout,
  platform,
  agentConfiguration,
  credentials,
}))(aRequest());

function fileRequest(change: Partial<FileTaskRunRequest> = {}): FileTaskRunRequest {
  return { ...base, type: 'FileTaskRunRequest', taskFilePath: 'acb.yaml', values: [], sourceLocation: 'x', ...change };
}

function encodedRequest(text: string, change: Partial<EncodedTaskRunRequest> = {}): EncodedTaskRunRequest {
  const encodedTaskContent = Buffer.from(text).toString('base64');
  return { ...base, type: 'EncodedTaskRunRequest', encodedTaskContent, values: [], ...change };
}

function setUp(files: Readonly<Record<string, string>> = {}, urls: Readonly<Record<string, string>> = {}) {
  const said: string[] = [];
  const context: Context = {
    description: 'files',
    commit: 'abc123',
    open: () => Promise.reject(new Error('not opened here')),
    readFile: (path) => Promise.resolve(files[path]),
    dispose: () => Promise.resolve(),
  };
  const options: PlanRunOptions = {
    run: aRun(),
    registryHost: 'r.example.com',
    startedAt: new Date('2026-11-21T09:08:07Z'),
    architecture: 'amd64',
    context,
    random: () => 0.5,
    say: (line) => said.push(line),
    fetchText: (url) => Promise.resolve(urls[url] ?? ''),
    resolveSecret: ({ id }) => Promise.resolve(`value-${id}`),
    onSecrets: (values) => said.push(`secrets: ${values.join(' ')}`),
  };
  return { options, said };
}

const failureOf = (promise: Promise<unknown>) =>
  promise.then(
    () => undefined,
    (error: unknown) => (error as FailureError).failure,
  );

describe('the plan of a run', () => {
  it('of a quick build is that of its request', async () => {
    const plan = await planRun(aRequest({ imageNames: ['app'] }), setUp().options);
    expect(plan.steps.map((step) => step.kind)).toEqual(['build', 'push']);
  });

  it('of a task file in the context has its steps, with the run and the values filled in', async () => {
    const { options } = setUp({
      'acb.yaml':
        'version: v1.1.0\nsteps:\n  - build: -t $Registry/app:{{.Values.tag}} .\n  - push: ["$Registry/app:{{.Values.tag}}"]\n',
      'values.yaml': 'tag: from-file\n',
    });
    const images = async (change: Partial<FileTaskRunRequest>) => {
      const push = (await planRun(fileRequest({ valuesFilePath: 'values.yaml', ...change }), options)).steps[1];
      return push?.kind === 'push' ? push.images : [];
    };
    expect(await images({})).toEqual(['r.example.com/app:from-file']);
    expect(await images({ values: [{ name: 'tag', value: 'set', isSecret: false }] })).toEqual([
      'r.example.com/app:set',
    ]);
  });

  it('of an encoded task needs no context', async () => {
    const { options } = setUp();
    const text = 'version: v1.1.0\nsteps:\n  - cmd: bash echo {{.Run.ID}} {{.Run.Commit}}\n';
    const plan = await planRun(encodedRequest(text), { ...options, context: undefined });
    expect(plan.steps).toMatchObject([{ kind: 'cmd', arguments: ['echo', 'ca1'] }]);
  });

  it('takes the installation’s own images for names of one word, but for the engine’s own client', async () => {
    const { options } = setUp();
    const text = 'version: v1.1.0\nsteps:\n  - cmd: curl x\n  - cmd: az y\n  - cmd: docker ps\n';
    const images = { curl: 'mirror.example.com/curl:8', docker: 'mirror.example.com/docker:cli' };
    expect((await planRun(encodedRequest(text), { ...options, images })).steps).toMatchObject([
      { image: 'mirror.example.com/curl:8' },
      { image: 'mcr.microsoft.com/acr/azure-cli:2ff604c' },
      { image: 'docker', agentImage: 'docker' },
    ]);
  });

  it('reads the aliases that a task names in files and at URLs', async () => {
    const { options } = setUp({ 'more.yaml': 'one: first\n' }, { 'https://x.example.com/a.yaml': 'two: second\n' });
    const text =
      'version: v1.1.0\nalias:\n  src: [more.yaml, "https://x.example.com/a.yaml"]\nsteps:\n  - cmd: bash echo $one $two\n';
    expect((await planRun(encodedRequest(text), options)).steps).toMatchObject([
      { arguments: ['echo', 'first', 'second'] },
    ]);
  });

  it('fails with the place of the first fault, and says all of them with their lines', async () => {
    const { options, said } = setUp({
      'acb.yaml': 'version: v1.1.0\nsteps:\n  - cmd: 7\n    when: nope\n  - biuld: .\n',
    });
    const failure = await failureOf(planRun(fileRequest(), options));
    expect(failure?.reason).toBe('invalid-request');
    expect(failure?.message).toMatch(/^acb\.yaml:\d+:\d+: /);
    expect(said.join('\n')).toContain('biuld');
  });

  it('fails when the task file is not there, naming the field', async () => {
    expect(await failureOf(planRun(fileRequest(), setUp().options))).toMatchObject({
      reason: 'invalid-request',
      field: 'taskFilePath',
      message: 'the file acb.yaml is not in the context',
    });
  });

  it('has the secrets that the task asks for, all fetched at the same time and told before they are used', async () => {
    const { options, said } = setUp({ 'more.yaml': 'key: "{{.Secrets.b}}"\n' });
    const text = [
      'version: v1.1.0',
      'alias: { src: [more.yaml] }',
      'secrets:',
      '  - id: a',
      '  - { id: b, keyvault: "https://v.vault.azure.net/secrets/b", clientID: 00000000-0000-0000-0000-00000000000f }',
      'steps:',
      '  - cmd: bash echo {{.Secrets.a}} $key',
      '    env: ["TOKEN={{.Secrets.a}}"]',
      'volumes:',
      '  - name: keys',
      '    secret: { file: "{{.Secrets.b | b64enc}}" }',
    ].join('\n');
    const asked: SecretSource[] = [];
    const resolvers: (() => void)[] = [];
    const planning = planRun(encodedRequest(text), {
      ...options,
      resolveSecret: async (source) => {
        asked.push(source);
        await new Promise<void>((resolve) => resolvers.push(resolve));
        return `value-${source.id}`;
      },
    });
    await expect.poll(() => asked.length).toBe(2);
    for (const resolve of resolvers) resolve();
    expect(await planning).toMatchObject({
      steps: [{ arguments: ['echo', 'value-a', 'value-b'], env: [{ name: 'TOKEN', value: 'value-a' }] }],
      volumes: [{ files: [{ contentBase64: Buffer.from('value-b').toString('base64') }] }],
    });
    const keyvault = 'https://v.vault.azure.net/secrets/b';
    expect(asked).toEqual([{ id: 'a' }, { id: 'b', keyvault, clientId: '00000000-0000-0000-0000-00000000000f' }]);
    expect(said).toEqual(['secrets: value-a value-b']);
  });

  it('tells secrets before it says what is wrong with a task that holds them', async () => {
    const { options, said } = setUp();
    const text = 'version: v1.1.0\nsecrets: [{ id: s }]\nsteps:\n  - cmd: bash true\n    when: ["{{.Secrets.s}}"]\n';
    expect(await failureOf(planRun(encodedRequest(text), options))).toMatchObject({ reason: 'invalid-request' });
    expect(said[0]).toBe('secrets: value-s');
    expect(said.length).toBeGreaterThan(1);
  });

  it('fails with the failure of a secret that cannot be had', async () => {
    const { options } = setUp();
    const resolveSecret = () => Promise.reject(fail('not-found', 'there is no secret "s"'));
    const text = 'version: v1.1.0\nsecrets: [{ id: s }]\nsteps:\n  - cmd: bash echo {{.Secrets.s}}\n';
    expect(await failureOf(planRun(encodedRequest(text), { ...options, resolveSecret }))).toMatchObject({
      reason: 'not-found',
      message: 'there is no secret "s"',
    });
  });

  const source = {
    kind: 'source',
    trigger: 'onpush',
    id: 'd1',
    eventType: 'pullrequest',
    repositoryUrl: 'https://********@git.example/acme/app.git',
    branchName: 'fix/it',
    ref: 'refs/pull/7/head',
    providerType: 'github',
    isTrusted: true,
  } as const;

  it('knows the task, the trigger, and what the event says of branch, tag and repository', async () => {
    const name = (field: string) => `{{.Run.${field}}}`;
    const words = ['TaskName', 'TriggeredBy', 'Branch', 'GitTag', 'Repository', 'Commit'].map(name).join('|');
    const text = `version: v1.1.0\nsteps:\n  - cmd: busybox echo "${words}"\n`;
    const planOf = async (change: object) => {
      const { options } = setUp();
      return JSON.stringify(await planRun(encodedRequest(text), { ...options, run: aRun(change) }));
    };
    expect(await planOf({ task: 'nightly', cause: source })).toContain(
      'nightly|pullrequest|fix/it||https://git.example/acme/app.git|abc123',
    );
    expect(await planOf({ cause: { kind: 'manual', by: 'admin' } })).toContain('|Manual||||abc123');
    const timer = { kind: 'timer', timerTriggerName: 't', scheduleOccurrence: '2026-11-21T09:00:00.000Z' };
    expect(await planOf({ cause: timer })).toContain('|Timer|');
  });

  it('is refused when a branch could change what the task means', async () => {
    const run = aRun({ cause: { ...source, branchName: 'a;rm -rf /' } });
    const text = 'version: v1.1.0\nsteps:\n  - cmd: busybox echo {{.Run.Branch}}\n';
    const failure = await failureOf(planRun(encodedRequest(text), { ...setUp().options, run }));
    expect(failure).toMatchObject({ reason: 'invalid-request', message: expect.stringMatching(/branch/) as string });
  });

  it("of a stranger's code is refused when it asks for secrets, before any is read", async () => {
    const text = `version: v1.1.0\nsecrets:\n  - id: s\n    own: name\nsteps:\n  - cmd: busybox\n`;
    const asked: string[] = [];
    const resolveSecret = ({ id }: SecretSource) => Promise.resolve(String(asked.push(id)));
    const options = { ...setUp().options, resolveSecret };
    const run = aRun({ cause: { ...source, isTrusted: false } });
    const failure = await failureOf(planRun(encodedRequest(text), { ...options, run }));
    expect(failure).toMatchObject({ reason: 'forbidden', field: 'secrets' });
    expect(asked).toEqual([]);
    expect(
      await failureOf(planRun(encodedRequest(text), { ...options, run: aRun({ cause: source }) })),
    ).toBeUndefined();
  });
});
