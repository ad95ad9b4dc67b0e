import { describe, expect, it } from 'vitest';
import { fail } from '../../../src/domain/failure.ts';
import { requestOfTask } from '../../../src/trigger/task-request.ts';
import { learnTask } from '../../../src/patch/learn/learn-task.ts';
import { contextPath, createMeans, dockerTask, registryHost, withTrigger, yamlTask } from './rig.ts';

const hub = (repository: string, tag: string) => ({ registry: 'docker.io', repository: `library/${repository}`, tag });
const own = (repository: string, tag: string) => ({ registry: registryHost, repository, tag });
const commit = 'c'.repeat(40);

describe('learning what a task’s images stand on, before any run', () => {
  it('reads the Dockerfile with the arguments and the target of the task', async () => {
    const { means, seen } = createMeans({
      'web/Dockerfile':
        'ARG V=18\nFROM golang:1 AS go\nFROM node:$V AS app\nCOPY --from=go /x /x\nFROM php:8 AS other\n',
    });
    const task = dockerTask({
      dockerFilePath: 'web/Dockerfile',
      target: 'app',
      arguments: [{ name: 'V', value: '22', isSecret: false }],
    });
    expect(await learnTask(task, means)).toEqual({
      images: [{ image: own('app', 'v1'), runtime: hub('node', '22'), buildTime: [hub('golang', '1')], commit }],
      stepImages: [],
      problems: [],
      isRead: true,
      isPassing: false,
    });
    expect(seen.open).toBe(0);
    expect(seen.opened.map(({ location }) => location)).toEqual([contextPath]);
  });

  it('takes every build of a task file, with its values, and what the steps stand on when the trigger asks for it', async () => {
    const text = [
      'version: v1.1.0',
      'steps:',
      '  - build: -t $Registry/one:{{.Values.tag}} -t $Registry/uno -f a/Dockerfile a',
      '  - build: -t $Registry/two --build-arg BASE=$Registry/one:{{.Values.tag}} sub',
      '  - cmd: alpine:3.20 true',
      '  - push: [$Registry/two]',
    ].join('\n');
    const files = {
      'a/Dockerfile': 'FROM scratch\nCOPY --from=busybox:1 / /\n',
      'sub/Dockerfile': 'ARG BASE\nFROM $BASE\n',
    };
    const step = { values: [{ name: 'tag', value: 'x', isSecret: false }] };
    const { means } = createMeans(files);
    const found = await learnTask(yamlTask(text, withTrigger({ includesSteps: true }), step), means);
    expect(found).toMatchObject({ problems: [], stepImages: [hub('alpine', '3.20')] });
    expect(found.images).toEqual([
      { image: own('one', 'x'), buildTime: [hub('busybox', '1')], commit },
      { image: own('uno', 'latest'), buildTime: [hub('busybox', '1')], commit },
      { image: own('two', 'latest'), runtime: own('one', 'x'), buildTime: [], commit },
    ]);
    expect((await learnTask(yamlTask(text, withTrigger(), step), means)).stepImages).toEqual([]);
  });

  it('gives no tag to a name that is another one in each run, and names bases that are', async () => {
    const { means } = createMeans({ Dockerfile: 'ARG B\nFROM reg.test:5000/base:$B\nCOPY --from=node:22 / /' });
    const text =
      'version: v1.1.0\nsteps:\n  - build: -t $Registry/app:{{.Run.ID}} -t $Registry/app:v1 --build-arg B={{.Run.Date}} .';
    const { images, problems } = await learnTask(yamlTask(text), means);
    expect(images.map(({ image }) => image)).toEqual([{ registry: registryHost, repository: 'app' }, own('app', 'v1')]);
    expect(images[1]).toMatchObject({ buildTime: [hub('node', '22')] });
    expect(images[1]).not.toHaveProperty('runtime');
    expect(problems).toEqual([
      'the base image reg.test:5000/base is another one in each run, so that nothing can be watched',
    ]);
  });

  it('marks a base that is pinned by its digest', async () => {
    const digest = `sha256:${'a'.repeat(64)}`;
    const { means } = createMeans({ Dockerfile: `FROM node:22@${digest}\n` });
    const [found] = (await learnTask(dockerTask(), means)).images;
    expect(found?.runtime).toEqual({ ...hub('node', '22'), digest, isPinned: true });
  });

  it('asks our registry for the triggers of bases, and reads what they set off', async () => {
    const asked: string[] = [];
    const { means } = createMeans(
      { Dockerfile: 'FROM --platform=linux/arm64 reg.test:5000/base:1\n' },
      {
        triggersOf: async ({ repository }, platform, task) => {
          expect(task).toBe(dockerTask().name);
          asked.push(`${repository} ${platform}`);
          return ['COPY --from=nginx:1 / /'];
        },
      },
    );
    const [found] = (await learnTask(dockerTask(), means)).images;
    expect(found).toMatchObject({ runtime: own('base', '1'), buildTime: [hub('nginx', '1')] });
    expect(new Set(asked)).toEqual(new Set(['base linux/arm64']));
    const { means: failing } = createMeans(
      { Dockerfile: 'FROM reg.test:5000/base:1' },
      { triggersOf: () => Promise.reject(fail('storage-unavailable', 'away')) },
    );
    expect(await learnTask(dockerTask(), failing)).toMatchObject({ isRead: true, problems: [] });
  });

  it('opens a context that a build step names itself, once, and closes it', async () => {
    const url = 'https://git.example/acme/other.git';
    const { means, seen } = createMeans({}, { others: { [url]: { Dockerfile: 'FROM python:3' } } });
    const { images } = await learnTask(yamlTask(`version: v1.1.0\nsteps:\n  - build: -t a:1 ${url}\n`), means);
    expect(images[0]).toEqual({ image: hub('a', '1'), runtime: hub('python', '3'), buildTime: [] });
    expect(seen).toMatchObject({ open: 0 });
    expect(seen.opened.map(({ location }) => location)).toEqual([contextPath, url]);
  });

  it('names a branch where the task does, and says that a base image could not start such a run', async () => {
    const { means } = createMeans({ Dockerfile: 'FROM node:22' });
    const { images, problems } = await learnTask(dockerTask({ imageNames: ['app:{{.Run.Branch}}'] }), means);
    expect(images[0]?.image).toEqual(own('app', 'main'));
    expect(problems).toEqual([
      'a run that a base image starts cannot be planned: "{{.Run.Branch}}" in an image name: this run has no Branch',
    ]);
  });

  it('needs no context for a task that reads none', async () => {
    const { means, seen } = createMeans({});
    const { contextPath: _, ...step } = yamlTask('version: v1.1.0\nsteps:\n  - cmd: busybox true\n').step;
    expect(await learnTask(yamlTask('', { step: step as never }), means)).toMatchObject({ isRead: true, images: [] });
    expect(seen.opened).toEqual([]);
  });

  it('reads a task file and its values file from the context', async () => {
    const { means } = createMeans({
      'ci/task.yaml': 'version: v1.1.0\nsteps:\n  - build: -t $Registry/app:{{.Values.tag}} .\n',
      'values.yaml': 'tag: v7\n',
      Dockerfile: 'FROM node:22\n',
    });
    const step = {
      type: 'FileTask',
      hasContextToken: false,
      contextPath,
      taskFilePath: 'ci/task.yaml',
      valuesFilePath: 'values.yaml',
      values: [],
    } as const;
    expect((await learnTask(dockerTask({}, { step }), means)).images[0]?.image).toEqual(own('app', 'v7'));
  });
});

describe('what keeps a task from being learned', () => {
  it.each([
    ['source-unavailable', true],
    ['invalid-context', false],
    ['timed-out', true],
  ] as const)('is said when the context is %s', async (reason, isPassing) => {
    const { means, seen } = createMeans({});
    seen.fault = fail(reason, 'the host does not answer');
    expect(await learnTask(dockerTask(), means)).toEqual({
      images: [],
      stepImages: [],
      problems: ['the context could not be read: the host does not answer'],
      isRead: false,
      isPassing,
    });
  });

  it('is said when the task file is wrong, and the context is closed', async () => {
    const { means, seen } = createMeans({});
    const found = await learnTask(yamlTask('version: v1.1.0\nsteps:\n  - bild: .\n'), means);
    expect(found).toMatchObject({ isRead: false, isPassing: false });
    expect(found.problems[0]).toMatch(/^the task could not be planned: task\.yaml:3:/);
    expect(seen.open).toBe(0);
  });

  it('is said of the one build whose file is not there or not to be made out', async () => {
    const { means } = createMeans({ 'b/Dockerfile': 'FROM node:22\nCOPY --from=$X / /\n' });
    const text = 'version: v1.1.0\nsteps:\n  - build: -t a:1 a\n  - build: -t b:1 b\n  - build: -t c:1 ../..\n';
    const { images, problems } = await learnTask(yamlTask(text), means);
    expect(images.map(({ runtime }) => runtime?.tag)).toEqual([undefined, '22', undefined]);
    expect(problems).toEqual([
      expect.stringContaining('a/Dockerfile is not in the context'),
      expect.stringMatching(/^line 2 of b\/Dockerfile: variables are not filled in here/),
      expect.stringContaining('../.. is outside'),
    ]);
  });

  it('ends after its time, and when it is told to', async () => {
    const never = { openContext: (_: string, { signal }: { signal: AbortSignal }) => forever(signal) };
    const { means } = createMeans({}, { ...never, timeoutMs: 20 });
    expect(await learnTask(dockerTask(), means)).toMatchObject({
      problems: ['the context could not be read: it took too long'],
      isPassing: true,
    });
    const stopped = await learnTask(dockerTask(), createMeans({}, never).means, AbortSignal.abort());
    expect(stopped).toMatchObject({ isRead: false, isPassing: true });
  });

  it('never shows a secret that is part of a name', async () => {
    const { means } = createMeans(
      { Dockerfile: 'ARG HIDDEN\nFROM reg.test:5000/$HIDDEN/base:1\nCOPY --from=${HIDDEN} / /' },
      {
        requestOf: async (task) => ({
          ...requestOfTask(task, { arguments: { HIDDEN: 'hunter2hunter2' }, registries: {}, sources: {}, webhook: [] }),
          sourceSecret: 'token-of-git',
        }),
      },
    );
    const task = dockerTask({ arguments: [{ name: 'HIDDEN', value: '********', isSecret: true }] });
    const found = await learnTask(task, means);
    expect(found.images[0]?.runtime?.repository).toBe('********/base');
    expect(JSON.stringify(found)).not.toMatch(/hunter2|token-of-git/);
  });
});

function forever(signal: AbortSignal): Promise<never> {
  return new Promise((_, reject) => {
    const stop = () => {
      reject(signal.reason as Error);
    };
    if (signal.aborted) stop();
    else signal.addEventListener('abort', stop);
  });
}

describe('a pattern of tags', () => {
  const followed = (argument: string, pattern = 'node:v*') => withTrigger({ follow: [{ pattern, argument }] });
  const problemsOf = async (file: string, change: ReturnType<typeof followed>) =>
    (await learnTask(dockerTask({}, change), createMeans({ Dockerfile: file }).means)).problems;

  it('is no problem when a FROM takes its tag from the argument', async () => {
    const file = 'ARG NODE=v1\nFROM node:${NODE}-slim\n';
    expect(await problemsOf('ARG NODE=v1\nARG R=docker.io\nFROM $R/library/node:$NODE\n', followed('NODE'))).toEqual(
      [],
    );
    expect(
      await problemsOf('ARG NODE=v1\nFROM node:$NODE AS a\nFROM nginx:1\nCOPY --from=a / /\n', followed('NODE')),
    ).toEqual([]);
    expect(await problemsOf(file, followed('NODE', 'node:v*-slim'))).toHaveLength(1);
  });

  it.each([
    ['there is none of that name', 'ARG NODE=v1\nFROM node:$NODE\n', 'WRONG'],
    ['it is not declared', 'FROM node:v1\n', 'NODE'],
    ['it is declared behind the FROM', 'FROM node:v1\nARG NODE\nRUN echo $NODE\n', 'NODE'],
    ['it is of another image', 'ARG NODE=v1\nFROM nginx:$NODE\n', 'NODE'],
    ['no stage that is built begins with it', 'ARG NODE=v1\nFROM node:$NODE AS a\nFROM nginx:1\n', 'NODE'],
  ])('is a problem when %s', async (_, file, argument) => {
    expect(await problemsOf(file, followed(argument))).toEqual([
      `no FROM takes its tag from ${argument}: newer tags like node:v* change nothing`,
    ]);
  });

  it('is read for a value of a task file too, and not judged where no file can be read', async () => {
    const yaml = 'version: v1.1.0\nsteps:\n  - build: -t app:1 --build-arg N={{.Values.NODE}} .\n';
    const { means } = createMeans({ Dockerfile: 'ARG N=v1\nFROM node:$N\n' });
    const values = [{ name: 'NODE', value: 'v1', isSecret: false }];
    expect((await learnTask(yamlTask(yaml, followed('NODE'), { values }), means)).problems).toEqual([]);
    expect((await learnTask(yamlTask(yaml, followed('WRONG'), { values }), means)).problems).toHaveLength(1);
    expect((await learnTask(dockerTask({}, followed('NODE')), createMeans({}).means)).problems).toEqual([
      expect.stringContaining('Dockerfile is not in the context'),
    ]);
  });
});
