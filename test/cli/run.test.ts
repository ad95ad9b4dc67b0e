import { mkdir, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { createOneStepTask } from '../../src/cli/one-step-task.ts';
import { planTask } from '../../src/task/plan-task.ts';
import { createRender } from '../../src/task/render.ts';
import { call, digest, envFor, goodBuild, listEntries, makeFolder, startFakeApi } from './rig-api.ts';
import { parallelRun } from './rig-steps.ts';

const task = 'version: v1.1.0\nsteps:\n  - cmd: busybox echo hello\n';

async function makeFiles(files: Record<string, string>): Promise<string> {
  const folder = await makeFolder();
  for (const [name, content] of Object.entries(files)) {
    await mkdir(dirname(join(folder, name)), { recursive: true });
    await writeFile(join(folder, name), content);
  }
  return folder;
}

/** Calls `slipway run` and gives back what it scheduled and sent. */
async function run(words: readonly string[], files: Record<string, string> = {}, stdin: string | Buffer = '') {
  const api = await startFakeApi(goodBuild());
  const cwd = await makeFiles(files);
  const result = await call(['run', ...words], { env: envFor(api.url), cwd, stdin });
  const [scheduled] = api.of('POST /api/v1/scheduleRun');
  const [put] = api.of('PUT /uploads');
  const body = scheduled === undefined ? undefined : (JSON.parse(scheduled.body.toString()) as Record<string, unknown>);
  return { ...result, body, sent: put === undefined ? undefined : put.body, api };
}

function decode(text: unknown): string {
  return Buffer.from(String(text), 'base64').toString();
}

const uploaded = 'source/202611210900/x.tar.gz';

describe('slipway run', () => {
  it('sends the folder, runs its acb.yaml, and prints the log and the images', async () => {
    const { code, stdout, stderr, body, sent } = await run([], { 'acb.yaml': task, 'src/a': 'a' });
    expect(stderr).toBe('');
    expect(code).toBe(0);
    expect(body).toEqual({
      type: 'FileTaskRunRequest',
      sourceLocation: uploaded,
      taskFilePath: 'acb.yaml',
      values: [],
    });
    expect(await listEntries(sent!)).toEqual(expect.arrayContaining(['acb.yaml', 'src/a']));
    expect(stdout).toContain('line 1\nline 2\nline 3\n');
    expect(stdout).toContain(`Image: localhost:5080/app:v1@${digest}`);
  });

  it('sends every flag on', async () => {
    const words = ['-f', 'ci/test.yaml', '--values', 'ci/values.yaml', '--set', 'a=1=2', '--set', 'b='];
    words.push('--set-secret', 'token=s', '--platform', 'Linux/ARM64/v8', '--timeout', '600', '--auth-mode', 'none');
    const files = { 'app/ci/test.yaml': task, 'app/ci/values.yaml': 'c: 1\n' };
    const { code, stderr, body } = await run([...words, '-r', 'SLIPWAY', 'app'], files);
    expect([code, stderr]).toEqual([0, '']);
    expect(body).toEqual({
      type: 'FileTaskRunRequest',
      sourceLocation: uploaded,
      taskFilePath: 'ci/test.yaml',
      valuesFilePath: 'ci/values.yaml',
      values: [
        { name: 'a', value: '1=2', isSecret: false },
        { name: 'b', value: '', isSecret: false },
        { name: 'token', value: 's', isSecret: true },
      ],
      platform: { os: 'linux', architecture: 'arm64', variant: 'v8' },
      timeout: 600,
      credentials: { sourceRegistry: { loginMode: 'None' } },
    });
  });

  it('finds the task file from the current directory when it lies in the context', async () => {
    const { body } = await run(['-f', 'app/test.yaml', 'app'], { 'app/test.yaml': task });
    expect(body).toMatchObject({ type: 'FileTaskRunRequest', taskFilePath: 'test.yaml' });
  });

  it('sends a task file from outside the context along, and its values with it', async () => {
    const files = { 'task.yaml': task, 'app/values.yaml': 'a: 1\n', 'app/b': 'b' };
    const { body, sent } = await run(['-f', 'task.yaml', '--values', 'values.yaml', 'app'], files);
    expect(body).toMatchObject({ type: 'EncodedTaskRunRequest', sourceLocation: uploaded });
    expect(decode(body!['encodedTaskContent'])).toBe(task);
    expect(decode(body!['encodedValuesContent'])).toBe('a: 1\n');
    expect(await listEntries(sent!)).toContain('b');
  });

  it('sends a task file that .dockerignore keeps out of the context along', async () => {
    const files = { 'ci/acb.yaml': task, '.dockerignore': 'ci\nDockerfile\n', Dockerfile: 'FROM scratch\n', a: 'a' };
    const { body, sent } = await run(['-f', 'ci/acb.yaml'], files);
    expect(decode(body!['encodedTaskContent'])).toBe(task);
    expect(await listEntries(sent!)).toEqual(['.dockerignore', 'Dockerfile', 'a']);
  });

  it('reads the task from stdin with -f -', async () => {
    const { body } = await run(['-f', '-'], { a: 'a' }, task);
    expect(body).toMatchObject({ type: 'EncodedTaskRunRequest', sourceLocation: uploaded });
    expect(decode(body!['encodedTaskContent'])).toBe(task);
  });

  it('sends no context with /dev/null', async () => {
    const files = { 'acb.yaml': task, 'v.yaml': 'a: 1\n' };
    const { body, api } = await run(['/dev/null', '--values', 'v.yaml'], files);
    expect(Object.keys(body!).sort()).toEqual(['encodedTaskContent', 'encodedValuesContent', 'type', 'values']);
    expect(api.of('POST /api/v1/listBuildSourceUploadUrl')).toHaveLength(0);
  });

  it('names a task file in a git repository by its path there', async () => {
    const location = 'https://github.com/owner/app.git#main:ci';
    const { body, api } = await run(['-f', './test.yaml', '--values', 'v.yaml', location], { 'test.yaml': 'local' });
    expect(body).toMatchObject({
      type: 'FileTaskRunRequest',
      sourceLocation: location,
      taskFilePath: './test.yaml',
      valuesFilePath: 'v.yaml',
    });
    expect(api.of('POST /api/v1/listBuildSourceUploadUrl')).toHaveLength(0);
  });

  it('sends a task from stdin along to a git repository, and an archive from stdin with a task in it', async () => {
    const remote = await run(['-f', '-', 'https://github.com/owner/app.git'], {}, task);
    expect(remote.body).toMatchObject({ sourceLocation: 'https://github.com/owner/app.git' });
    expect(decode(remote.body!['encodedTaskContent'])).toBe(task);
    const archive = await run(['-'], {}, 'a tar');
    expect(archive.body).toMatchObject({ type: 'FileTaskRunRequest', taskFilePath: 'acb.yaml' });
    expect(archive.sent?.toString()).toBe('a tar');
  });

  it('makes a task of one step out of --cmd, with the timeout for its step too', async () => {
    const { body } = await run(['--cmd', 'busybox echo "a: b" # c', '--timeout', '900', '/dev/null']);
    expect(body).toMatchObject({ type: 'EncodedTaskRunRequest', timeout: 900 });
    expect(decode(body!['encodedTaskContent'])).toBe(
      [
        'version: v1.1.0',
        'steps:',
        '  - cmd: |-',
        '      busybox echo "a: b" # c',
        '    disableWorkingDirectoryOverride: true',
        '    timeout: 900',
        '',
      ].join('\n'),
    );
  });

  it('prints the id alone with --no-wait, and one JSON document with --json', async () => {
    expect(await run(['--no-wait'], { 'acb.yaml': task })).toMatchObject({ code: 0, stdout: 'ca1\n' });
    const { stdout, stderr } = await run(['--json'], { 'acb.yaml': task });
    expect(JSON.parse(stdout)).toMatchObject({ runId: 'ca1', status: 'Succeeded' });
    expect(stderr).toContain('line 1\n');
  });

  it('shows no log with --no-logs, and says how it went', async () => {
    const { code, stdout, stderr } = await run(['--no-logs'], { 'acb.yaml': task });
    expect(stdout).toBe(`Run ca1 Succeeded\nImage: localhost:5080/app:v1@${digest}\n`);
    expect([code, stderr]).toEqual([0, 'Queued a run with ID: ca1\n']);
  });

  it('puts the step in front of its lines when there are several, and nowhere else', async () => {
    const api = await startFakeApi(goodBuild(parallelRun()));
    const cwd = await makeFiles({ 'acb.yaml': task });
    const { stdout, stderr } = await call(['run'], { env: envFor(api.url), cwd });
    expect(stderr).toBe('');
    expect(stdout.split('\n').slice(1, 10)).toEqual([
      'Started on worker w1',
      'Step a started',
      'Step second started',
      'a      | one',
      'second | two',
      'second | three',
      'Step a succeeded after 5s',
      'the run itself',
      'Step second failed after 6s: it exited with code 3',
    ]);
  });

  it.each([
    [['--cmd', 'busybox', '-f', 'x.yaml'], 2, /--cmd and -f exclude each other/],
    [['--cmd', ' '], 2, /--cmd must name an image/],
    [['-f', '-', '-'], 2, /cannot both come from stdin/],
    [[], 2, /there is no task file acb.yaml.*\n.*Name the task file with -f/],
    [['-f', 'no.yaml'], 2, /there is no task file no.yaml, neither in the context nor here/],
    [['--values', 'no.yaml', '--cmd', 'busybox'], 2, /there is no values file no.yaml/],
    [['no-folder'], 2, /the context no-folder does not exist/],
    [['--set', 'novalue', '--cmd', 'busybox'], 2, /--set must be NAME=VALUE/],
    [['--set-secret', '=hush', '--cmd', 'busybox'], 2, /--set-secret must be NAME=VALUE/],
    [['--timeout', '10', '--cmd', 'busybox'], 2, /--timeout must be a whole number/],
    [['--platform', 'plan9', '--cmd', 'busybox'], 2, /"plan9" is none of/],
    [['-f', 'large.yaml'], 2, /the task file large.yaml is larger than 256 KiB/],
  ])('%j is refused before anything is sent', async (words, exitCode, message) => {
    const large = words.includes('large.yaml') ? { 'large.yaml': '#'.repeat(300_000), '.dockerignore': '*.yaml' } : {};
    const { code, stderr, api } = await run(words, large);
    expect(stderr).toMatch(message);
    expect(stderr).not.toContain('hush');
    expect([code, api.seen.length]).toEqual([exitCode, 0]);
  });
});

describe('the task of one command', () => {
  it.each([
    ['busybox echo hello', 'busybox', ['echo', 'hello']],
    ['  busybox sh -c "echo a: b # c"  ', 'busybox', ['sh', '-c', 'echo a: b # c']],
    ["busybox echo '- [x]' {y}", 'busybox', ['echo', '- [x]', '{y}']],
    ['{{.Run.Registry}}/tool --id {{.Run.ID}}', 'reg.example/tool', ['--id', 'ca1']],
    ['$Registry/tool', 'reg.example/tool', []],
    ['busybox echo "{{ "quoted" | upper }}"', 'busybox', ['echo', 'QUOTED']],
    ['busybox sh -c "echo a\necho b"', 'busybox', ['sh', '-c', 'echo a\necho b']],
  ])('%j runs as it is written', (cmd, image, words) => {
    const startedAt = new Date(0);
    const result = planTask(createOneStepTask(cmd, 900), {
      file: 'task.yaml',
      run: { id: 'ca1', registry: 'reg.example', startedAt },
      values: {},
      render: createRender({ now: 0, random: () => 0 }),
    });
    if (!result.ok) throw new Error(JSON.stringify(result.errors));
    expect(result.plan.steps).toHaveLength(1);
    const [step] = result.plan.steps;
    expect(step).toMatchObject({ kind: 'cmd', image, arguments: words, timeoutSeconds: 900 });
    expect(step).not.toHaveProperty('workingDirectory');
  });
});
