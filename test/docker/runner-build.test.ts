import { Readable } from 'node:stream';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { fail } from '../../src/domain/failure.ts';
import type { Outcome } from '../../src/domain/outcome.ts';
import type { BuildStep } from '../../src/domain/step.ts';
import { isMissing } from '../../src/runner/docker/errors.ts';
import { connectEngine, createDockerRunner, type Engine } from '../../src/runner/docker/index.ts';
import type { Context } from '../../src/source/ports.ts';
import { aBuild, aContext, aSetup, engineHost, recordIo, type RecordedIo } from '../runner/rig.ts';

/** A value that no other run of the tests has: for steps that must not come from the cache, and for names. */
const unique = `${process.pid}-${Date.now()}`;

let engine: Engine;
const made = new Set<string>();

beforeAll(async () => {
  engine = connectEngine({ host: engineHost });
});

interface InspectedImage {
  readonly Id: string;
  readonly Config: { readonly Labels: object | null };
}

async function inspect(image: string): Promise<InspectedImage> {
  return (await engine.json({ method: 'GET', path: `/images/${image}/json` })) as InspectedImage;
}

async function exists(image: string): Promise<boolean> {
  return inspect(image).then(
    () => true,
    (error: unknown) => {
      if (isMissing(error)) return false;
      throw error;
    },
  );
}

afterEach(async () => {
  for (const tag of made) {
    if (await exists(tag)) await engine.json({ method: 'DELETE', path: `/images/${tag}`, query: { force: '1' } });
  }
  made.clear();
});

afterAll(() => engine.close());

/** A tag of this test, removed after it. */
function aTag(name: string): string {
  const tag = `127.0.0.1:1/runner-test/${name}:${unique}`;
  made.add(tag);
  return tag;
}

interface Built {
  readonly outcome: Outcome;
  readonly io: RecordedIo;
}

describe.each(['auto', 'classic'] as const)('a build by the builder "%s"', (builder) => {
  const runner = () =>
    createDockerRunner({
      engine,
      installation: 'tests',
      registryHost: '127.0.0.1:1',
      clock: { now: Date.now },
      builder,
    });

  async function build(context: Context, step: Partial<BuildStep> = {}): Promise<Built> {
    const io = recordIo();
    const run = await runner().prepare(aSetup({ context }));
    try {
      return { outcome: await run.run(aBuild(step), io, new AbortController().signal), io };
    } finally {
      await run.dispose();
    }
  }

  const dockerfile = (...lines: string[]): Context => aContext({ Dockerfile: lines.join('\n') });

  it('tags the image with every name and shows what the steps write', async () => {
    const tags = [aTag('one'), aTag('two')];
    const context = aContext({
      Dockerfile: 'FROM busybox\nCOPY a.txt /a.txt\nRUN cat /a.txt\n',
      'a.txt': `hello ${unique}\n`,
    });
    const { outcome, io } = await build(context, { tags });
    expect(outcome).toMatchObject({ kind: 'succeeded' });
    expect(io.text()).toContain(`hello ${unique}`);
    const [one, two] = await Promise.all(tags.map(inspect));
    expect(one!.Id).toBe(two!.Id);
    expect(one!.Config.Labels ?? {}).toEqual({});
  });

  it('takes a compressed context, a Dockerfile elsewhere, a target, arguments and a platform', async () => {
    const tag = aTag('options');
    const text = `FROM busybox AS first\nARG WHO\nRUN echo "$WHO ${unique}" > /who && cat /who\nFROM first AS second\nRUN exit 9\n`;
    const { outcome, io } = await build(aContext({ 'sub/App.Dockerfile': text }, { gzip: true }), {
      tags: [tag],
      dockerfile: 'sub/App.Dockerfile',
      target: 'first',
      platform: 'linux/amd64',
      arguments: [{ name: 'WHO', value: 'a b & c=d', isSecret: false }],
    });
    expect(outcome).toMatchObject({ kind: 'succeeded' });
    expect(io.text()).toContain(`a b & c=d ${unique}`);
  });

  it('gives the same image again from the cache, and another one without it', async () => {
    const step = { tags: [aTag('cache')] };
    const context = dockerfile('FROM busybox', `RUN echo ${unique} > /x; cat /proc/sys/kernel/random/uuid > /y`);
    await build(context, step);
    const first = (await inspect(step.tags[0]!)).Id;
    const again = await build(context, step);
    expect(again.io.text()).toMatch(/CACHED|Using cache/);
    expect((await inspect(step.tags[0]!)).Id).toBe(first);
    await build(context, { ...step, noCache: true });
    expect((await inspect(step.tags[0]!)).Id).not.toBe(first);
  });

  it('removes the image that a tag has moved away from', async () => {
    const tags = [aTag('moved')];
    const run = runner();
    const builds = async (text: string): Promise<void> => {
      const prepared = await run.prepare(aSetup({ context: dockerfile('FROM busybox', `RUN echo ${text} > /x`) }));
      expect(await prepared.run(aBuild({ tags }), recordIo(), new AbortController().signal)).toMatchObject({
        kind: 'succeeded',
      });
    };
    await builds(`${unique}-1`);
    const first = (await inspect(tags[0]!)).Id;
    await builds(`${unique}-2`);
    await run.settle();
    expect(await exists(first)).toBe(false);
    expect(await exists(tags[0]!)).toBe(true);
  });

  it('leaves no image behind that has no name, after a success or a failure', async () => {
    const words = `${unique}-${builder} nameless`;
    const findNameless = async (): Promise<string[]> => {
      const query = { filters: JSON.stringify({ dangling: ['true'] }) };
      const images = (await engine.json({ method: 'GET', path: '/images/json', query })) as { Id: string }[];
      const histories = images.map(({ Id }) =>
        engine.json({ method: 'GET', path: `/images/${Id}/history` }).catch(() => ''),
      );
      return (await Promise.all(histories))
        .map((history) => JSON.stringify(history))
        .filter((text) => text.includes(words));
    };
    const run = runner();
    for (const last of ['true', 'exit 3']) {
      const context = dockerfile('FROM busybox', `RUN echo ${words} > /x`, `RUN ${last}`);
      const prepared = await run.prepare(aSetup({ context }));
      await prepared.run(aBuild(), recordIo(), new AbortController().signal);
    }
    await run.settle();
    expect(await findNameless()).toEqual([]);
  });

  it('warns of a secret argument that the image’s history shows, without its value', async () => {
    const secret = { name: 'TOKEN', value: `s3cret-${unique}`, isSecret: true };
    const { outcome, io } = await build(dockerfile('FROM busybox', 'ARG TOKEN', 'RUN test -n "$TOKEN"'), {
      tags: [aTag('leak')],
      arguments: [secret],
    });
    expect(outcome.kind).toBe('succeeded');
    const warning = io.lines.find((line) => line.text.startsWith('warning: '))?.text ?? '';
    expect(warning).toContain('the secret argument TOKEN');
    expect(warning).not.toContain(secret.value);
  });

  it('fails with the instruction, its place and the exit code, and without secrets', async () => {
    const { outcome } = await build(dockerfile('FROM busybox', 'ARG TOKEN', 'RUN echo $TOKEN; exit 7', 'RUN true'), {
      arguments: [{ name: 'TOKEN', value: 'hunter22', isSecret: true }],
    });
    expect(outcome).toMatchObject({ kind: 'failed', exitCode: 7 });
    const message = outcome.kind === 'failed' ? outcome.message : '';
    expect(message).toMatch(/^RUN echo .*; exit 7 failed with exit code 7 \(Dockerfile step \d\/\d\)$/);
    expect(message).not.toContain('hunter22');
  });

  it('fails naming a Dockerfile that is not there', async () => {
    const { outcome } = await build(aContext({ 'a.txt': 'a' }), { dockerfile: 'sub/Dockerfile' });
    expect(outcome).toEqual({ kind: 'failed', message: 'the Dockerfile sub/Dockerfile is not in the context' });
  });

  it('fails naming the line of a Dockerfile that cannot be read', async () => {
    const { outcome } = await build(dockerfile('FROM busybox', '', 'RUNN echo'));
    expect(outcome).toEqual({
      kind: 'failed',
      message: expect.stringMatching(/^Dockerfile line 3: unknown instruction: RUNN/i),
    });
  });

  it('fails naming the file that COPY does not find', async () => {
    const { outcome } = await build(dockerfile('FROM busybox', 'COPY nope /x'));
    expect(outcome).toMatchObject({
      kind: 'failed',
      message: expect.stringMatching(/^COPY nope \/x failed: .*nope.*\(Dockerfile step 2\/2\)$/),
    });
  });

  it('fails with the words of a context that breaks, at once or half-way', async () => {
    const broken = fail('invalid-context', 'the archive has an entry outside of its root');
    const never: Context = { ...dockerfile(''), open: () => Promise.reject(broken) };
    expect((await build(never)).outcome).toEqual({ kind: 'failed', message: broken.message });
    const halfway: Context = {
      ...dockerfile(''),
      open: async () =>
        Readable.from(
          (async function* () {
            yield Buffer.alloc(64 * 1024);
            await sleep(50);
            throw broken;
          })(),
        ),
    };
    const started = Date.now();
    expect((await build(halfway)).outcome).toEqual({ kind: 'failed', message: broken.message });
    expect(Date.now() - started).toBeLessThan(10_000);
  });

  it('rejects when the context is kept away by a fault of ours', async () => {
    const context: Context = {
      ...dockerfile(''),
      open: () => Promise.reject(fail('storage-unavailable', 'the disk is full')),
    };
    await expect(build(context)).rejects.toMatchObject({ failure: { reason: 'storage-unavailable' } });
  });
});

describe('a BuildKit build', () => {
  it('reads a secret argument as a secret of the same name, and leaves no trace of it', async () => {
    const io = recordIo();
    const tags = [aTag('secret')];
    const runner = createDockerRunner({
      engine,
      installation: 'tests',
      registryHost: '127.0.0.1:1',
      clock: { now: Date.now },
    });
    const text = `FROM busybox\nRUN --mount=type=secret,id=TOKEN,required echo ${unique} $(rev /run/secrets/TOKEN)\n`;
    const run = await runner.prepare(aSetup({ context: aContext({ Dockerfile: text }) }));
    const step = aBuild({ tags, arguments: [{ name: 'TOKEN', value: 'grün-22', isSecret: true }] });
    expect(await run.run(step, io, new AbortController().signal)).toMatchObject({ kind: 'succeeded' });
    expect(io.text()).toContain(`${unique} 22-`);
    expect(io.text()).not.toContain('warning: ');
  });

  it('rejects with engine-unavailable when no engine is there', async () => {
    const nowhere = connectEngine({ host: 'unix:///nonexistent/docker.sock' });
    const runner = createDockerRunner({
      engine: nowhere,
      installation: 'tests',
      registryHost: 'x',
      clock: { now: Date.now },
    });
    await expect(runner.prepare(aSetup())).rejects.toMatchObject({ failure: { reason: 'engine-unavailable' } });
  });
});
