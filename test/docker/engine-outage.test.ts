import { mkdtemp, rm } from 'node:fs/promises';
import { connect, createServer, type Server, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { parseEngineHost } from '../../src/host/engine-probe.ts';
import { eventually, startInstallation, type Installation } from '../rig/installation.ts';
import { ended, getRun, logged, removeImages, schedule, upload } from '../rig/quick-build.ts';

/** A door to the real engine that can be shut. */
function createDoor(path: string): { open: () => Promise<void>; shut: () => Promise<void> } {
  const target = parseEngineHost(process.env['DOCKER_HOST'] ?? 'unix:///var/run/docker.sock');
  const sockets = new Set<Socket>();
  let server: Server | undefined;
  return {
    open: () =>
      new Promise((resolve) => {
        server = createServer((inside) => {
          const outside =
            target && 'socketPath' in target
              ? connect(target.socketPath)
              : connect(target?.port ?? 0, target?.host ?? '');
          for (const [one, other] of [
            [inside, outside],
            [outside, inside],
          ] as const) {
            sockets.add(one);
            one
              .on('error', () => undefined)
              .on('close', () => other.destroy())
              .pipe(other);
          }
        }).listen(path, resolve);
      }),
    shut: async () => {
      for (const socket of sockets) socket.destroy();
      await new Promise((resolve) => server?.close(resolve) ?? resolve(undefined));
    },
  };
}

let directory: string;
let slipway: Installation;
let door: ReturnType<typeof createDoor>;

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'slipway-door-'));
  const path = join(directory, 'engine.sock');
  door = createDoor(path);
  slipway = await startInstallation({ env: { DOCKER_HOST: `unix://${path}` } });
}, 60_000);
afterAll(async () => {
  await removeImages(slipway);
  await slipway.stop();
  await door.shut();
  await rm(directory, { recursive: true, force: true });
}, 60_000);

describe('while the engine is down', () => {
  it('a build is refused at once with the reason, and taken again as soon as the engine answers', async () => {
    const sourceLocation = await upload(slipway, { Dockerfile: 'FROM busybox:latest\nRUN true\n' });
    const body = { sourceLocation, imageNames: ['outage'] };
    await eventually('the refusal', 15_000, async () => {
      const refused = await schedule(slipway, body).then(
        () => undefined,
        (error: unknown) => String(error),
      );
      return refused !== undefined && /503.*engine/is.test(refused) ? true : undefined;
    });
    await door.open();
    const run = await eventually('acceptance', 15_000, () => schedule(slipway, body));
    expect((await ended(slipway, run.properties.runId)).properties.status).toBe('Succeeded');
  }, 60_000);

  it('a run that was being built is taken up again when the engine is back', async () => {
    const sourceLocation = await upload(slipway, { Dockerfile: 'FROM busybox:latest\nRUN echo begun && sleep 3\n' });
    const { runId } = (await schedule(slipway, { sourceLocation, imageNames: ['outage'], noCache: true })).properties;
    await logged(slipway, runId, 'begun');
    await door.shut();
    await eventually('the hand-back', 15_000, async () =>
      (await getRun(slipway, runId)).properties.status === 'Queued' ? true : undefined,
    );
    await door.open();
    const { status, attempt } = (await ended(slipway, runId)).properties;
    expect({ status, attempt }).toEqual({ status: 'Succeeded', attempt: 2 });
  }, 60_000);
});
