import { Readable } from 'node:stream';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Outcome } from '../../src/domain/outcome.ts';
import { connectEngine, createDockerRunner, type Engine } from '../../src/runner/docker/index.ts';
import type { Context } from '../../src/source/ports.ts';
import {
  aBuild,
  aContext,
  aSetup,
  engineHost,
  isProcessAlive,
  packFiles,
  recordIo,
  until,
  type RecordedIo,
} from '../runner/rig.ts';

const unique = `${process.pid}-${Date.now()}`;

let engine: Engine;

beforeAll(async () => {
  engine = connectEngine({ host: engineHost });
});

afterAll(() => engine.close());

async function allContainers(): Promise<string[]> {
  const answer = (await engine.json({ method: 'GET', path: '/containers/json', query: { all: '1' } })) as {
    Command: string;
  }[];
  return answer.map((container) => container.Command);
}

describe.each(['auto', 'classic'] as const)('canceling a build by the builder "%s"', (builder) => {
  async function build(context: Context, signal: AbortSignal): Promise<{ outcome: Outcome; io: RecordedIo }> {
    const options = { engine, installation: 'tests', registryHost: '127.0.0.1:1', clock: { now: Date.now } };
    const io = recordIo();
    const run = await createDockerRunner({ ...options, builder }).prepare(aSetup({ context }));
    return { outcome: await run.run(aBuild(), io, signal), io };
  }

  const dockerfile = (...lines: string[]): Context => aContext({ Dockerfile: lines.join('\n') });

  it('leaves nothing on the host, neither a process nor a container', async () => {
    const words = `sleep 300${builder === 'auto' ? '1' : '2'}`;
    const stop = new AbortController();
    const done = build(dockerfile('FROM busybox', `RUN echo ${unique} begun; ${words}; echo never`), stop.signal);
    await until(() => isProcessAlive(words));
    const started = Date.now();
    stop.abort({ kind: 'canceled', by: 'a test' });
    const { outcome } = await done;
    expect(outcome).toEqual({ kind: 'canceled', reason: 'canceled by a test' });
    expect(await isProcessAlive(words)).toBe(false);
    expect((await allContainers()).filter((command) => command.includes(words))).toEqual([]);
    expect(Date.now() - started).toBeLessThan(8_000);
  });

  it('works while the context is still on its way', async () => {
    const stop = new AbortController();
    const slow = packFiles({ Dockerfile: 'FROM busybox' });
    const context: Context = {
      ...dockerfile(''),
      open: async () =>
        Readable.from(
          (async function* () {
            yield slow.read() ?? Buffer.alloc(512);
            stop.abort({ kind: 'canceled', by: 'a test' });
            await new Promise(() => {});
          })(),
        ),
    };
    expect((await build(context, stop.signal)).outcome.kind).toBe('canceled');
  });

  it('before it starts does nothing at all', async () => {
    const { outcome, io } = await build(
      dockerfile('FROM busybox'),
      AbortSignal.abort({ kind: 'canceled', by: 'a test' }),
    );
    expect(outcome.kind).toBe('canceled');
    expect(io.lines).toEqual([]);
  });
});
