import { describe, expect, it } from 'vitest';
import type { FailureError } from '../../src/domain/failure.ts';
import type { EncodedTaskRunRequest, FileTaskRunRequest } from '../../src/domain/run-request.ts';
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

  it('fails for a task that asks for secrets of a vault, saying what to do instead', async () => {
    const { options } = setUp();
    const text =
      'version: v1.1.0\nsecrets:\n  - id: s\n    keyvault: https://v.example.com/secrets/s\nsteps:\n  - cmd: bash echo {{.Secrets.s}}\n';
    expect(await failureOf(planRun(encodedRequest(text), options))).toMatchObject({ reason: 'unsupported' });
  });
});
