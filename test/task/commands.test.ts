import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PassThrough, Readable, type Writable } from 'node:stream';
import { Command } from 'commander';
import { beforeEach, describe, expect, it, onTestFinished } from 'vitest';
import { createCli } from '../../src/cli/cli.ts';
import { addLint } from '../../src/cli/commands/lint.ts';
import { addPlan } from '../../src/cli/commands/plan.ts';
import type { ExitCode } from '../../src/cli/exit-codes.ts';
import type { CliIo } from '../../src/cli/io.ts';
import { FailureError } from '../../src/domain/failure.ts';

let cwd = '';

beforeEach(async () => {
  cwd = await mkdtemp(join(tmpdir(), 'slipway-plan-'));
  onTestFinished(() => rm(cwd, { recursive: true, force: true }));
});

function sink(): Writable & { text: string } {
  const stream = new PassThrough() as unknown as Writable & { text: string };
  stream.text = '';
  stream.on('data', (chunk: Buffer) => (stream.text += chunk.toString()));
  return stream;
}

interface Called {
  readonly code: ExitCode | undefined;
  readonly stdout: string;
  readonly stderr: string;
  readonly failure?: string;
}

/** Runs one of the two commands in the folder of the test. */
async function call(words: readonly string[], input = ''): Promise<Called> {
  const [stdout, stderr] = [sink(), sink()];
  const io: CliIo = {
    stdin: Readable.from([input]),
    stdout,
    stderr,
    env: {},
    cwd,
    clock: { now: () => 0 },
    onInterrupt: () => () => undefined,
  };
  const program = new Command('slipway')
    .option('--json')
    .option('--no-color')
    .exitOverride()
    .configureOutput({ writeErr: () => undefined });
  let code: ExitCode | undefined;
  let failure: string | undefined;
  for (const add of [addPlan, addLint])
    add(program, async (command, work) => {
      const { json = false } = command.optsWithGlobals<{ json?: boolean }>();
      try {
        code = await work(
          createCli(io, { name: 'slipway', version: '0', root: cwd } as never, { json, color: false }, {}),
        );
      } catch (error) {
        if (!(error instanceof FailureError)) throw error;
        failure = `${error.failure.reason}: ${error.failure.message}`;
      }
    });
  await program.parseAsync([...words], { from: 'user' });
  return { code, stdout: stdout.text, stderr: stderr.text, ...(failure !== undefined && { failure }) };
}

const good = 'version: v1.1.0\nsteps:\n  - cmd: app {{.Values.a}} $Registry\n';
const bad = 'steps:\n  - cmd: app\n    timeout: x\n    wehn: y\n';

describe('slipway plan', () => {
  it('prints the plan for programs with --json, and nothing else', async () => {
    await writeFile(join(cwd, 'acb.yaml'), good);
    const { code, stdout, stderr } = await call(['plan', '--json', '--set', 'a=1=2', '--registry', 'r.example']);
    expect([code, stderr]).toEqual([0, '']);
    expect(JSON.parse(stdout)).toMatchObject({ ok: true, version: 'v1.1.0', steps: [{ cmd: 'app 1=2 r.example' }] });
  });

  it('prints the first error with its place with --json, all of them for people, and ends with 1', async () => {
    await writeFile(join(cwd, 't.yaml'), bad);
    const { code, stdout, stderr } = await call(['plan', '-f', 't.yaml', '--json']);
    expect(code).toBe(1);
    expect(JSON.parse(stdout)).toEqual({
      ok: false,
      error: expect.stringContaining('timeout must be') as string,
      line: 3,
      column: 14,
    });
    expect(stderr).toContain('t.yaml:3:14: error:');
    expect(stderr).toContain('t.yaml:4:5: warning:');
    expect(stderr).toContain('did you mean "when"?');
  });

  it('takes values from a file, which --set wins over', async () => {
    await writeFile(join(cwd, 't.yaml'), 'steps: [{cmd: "app {{.Values.a}} {{.Values.b.c}}"}]');
    await writeFile(join(cwd, 'v.yaml'), 'a: 1\nb: {c: yes}\n');
    const { stdout } = await call(['plan', 't.yaml', '--json', '--values', 'v.yaml', '--set', 'a=2']);
    expect(JSON.parse(stdout)).toMatchObject({ steps: [{ cmd: 'app 2 true' }] });
  });

  it('does not show secret values', async () => {
    const { stdout, stderr } = await call(['plan', '-', '--set-secret', 'a=hunter22', '--json'], good);
    expect(JSON.parse(stdout)).toMatchObject({
      steps: [{ cmd: 'app ********', container: expect.arrayContaining(['********']) as string[] }],
    });
    expect(stdout + stderr).not.toContain('hunter22');
  });

  it.each([
    [[], 'task v1.1.0'],
    [['--dot'], 'digraph task {'],
    [['--mermaid'], 'flowchart TD'],
  ])('draws with %j', async (flags, start) => {
    const { code, stdout } = await call(['plan', '-', ...flags], good);
    expect(code).toBe(0);
    expect(stdout.startsWith(start)).toBe(true);
  });

  it('reads files of aliases from the folder it is called in', async () => {
    await writeFile(join(cwd, 'aliases.yaml'), 'img: me/app\n');
    const text = 'version: v1.1.0\nalias: {src: [aliases.yaml]}\nsteps:\n  - cmd: $img\n';
    expect(JSON.parse((await call(['plan', '-', '--json'], text)).stdout)).toMatchObject({
      steps: [{ cmd: 'me/app' }],
    });
    const missing = await call(['plan', '-', '--json'], text.replace('aliases', 'nothing'));
    expect(JSON.parse(missing.stdout)).toMatchObject({ ok: false, line: 2 });
  });

  it.each([
    [['plan', 'none.yaml'], 'not-found: the task file none.yaml does not exist'],
    [['plan', '.'], 'invalid-request: the task file . cannot be used: it is a folder'],
    [['plan', '-', '--set', 'a'], 'invalid-request: --set takes NAME=VALUE'],
    [['plan', '-', '--values', 'none'], 'not-found: the values file none does not exist'],
    [['plan', '-', '--dot', '--mermaid'], 'invalid-request: --dot and --mermaid are two ways to draw; choose one'],
    [['plan', 'a', '-f', 'b'], 'invalid-request: name the task file once, with -f or without'],
  ])('%j fails', async (words, failure) => {
    expect((await call(words, good)).failure).toBe(failure);
  });
});

describe('slipway lint', () => {
  it('is content with files that name values and variables', async () => {
    await writeFile(
      join(cwd, 't.yaml'),
      'version: v1.1.0\nsteps:\n  - build: -t {{.Values.host}}/app:$ID -t $Registry/b .\n',
    );
    expect(await call(['lint', 't.yaml'])).toMatchObject({ code: 0, stdout: '1 file: nothing to say\n', stderr: '' });
  });

  it('shows what is wrong in all files', async () => {
    await writeFile(join(cwd, 'a.yaml'), bad);
    await writeFile(join(cwd, 'b.yaml'), good);
    const { code, stdout } = await call(['lint', 'a.yaml', 'b.yaml']);
    expect(code).toBe(1);
    expect(stdout).toContain('a.yaml:3:14: error:');
    expect(stdout).toMatch(/2 files: 1 error, 1 warning\n$/);
    const json = JSON.parse((await call(['lint', 'a.yaml', '--json'])).stdout) as unknown;
    expect(json).toMatchObject([
      { file: 'a.yaml', ok: false, errors: [{ line: 3, column: 14 }], warnings: [{ line: 4 }] },
    ]);
  });

  it('fails on warnings only when it is to be strict', async () => {
    await writeFile(join(cwd, 'a.yaml'), 'steps: [{cmd: a, wehn: b}]');
    expect((await call(['lint', 'a.yaml'])).code).toBe(0);
    expect((await call(['lint', 'a.yaml', '--strict'])).code).toBe(1);
  });
});
