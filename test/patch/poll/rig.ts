import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { onTestFinished } from 'vitest';
import type { TaskImages } from '../../../src/domain/base-image.ts';
import type { ImageIdentity } from '../../../src/domain/dependencies.ts';
import type { Digest } from '../../../src/domain/digest.ts';
import type { BaseImageTrigger, TaskName } from '../../../src/domain/task.ts';
import { createEgress } from '../../../src/egress/egress.ts';
import { createForeignRegistries } from '../../../src/patch/poll/foreign-registries.ts';
import { createSender } from '../../../src/registry-client/sender.ts';
import { createRegistrySession } from '../../../src/registry-client/session.ts';
import type { RegistryCredential } from '../../../src/domain/run-request.ts';

export function digestOf(letter: string): Digest {
  return `sha256:${letter.repeat(64)}` as Digest;
}

export const startTime = Date.parse('2026-11-21T09:00:00.000Z');

/** A clock that stands still until it is moved. */
export function testClock() {
  let ms = startTime;
  return { now: () => ms, advance: (by: number) => void (ms += by) };
}

/** An image by `registry/repository:tag`. */
export function anImage(name: string, digest?: Digest): ImageIdentity {
  const [, registry = '', repository = '', tag = ''] = /^([^/]+)\/(.+):([^:]+)$/.exec(name) ?? [];
  return { registry, repository, tag, ...(digest !== undefined && { digest }) };
}

/** A task that stands on an image, of which it was built on `digest` last. */
export function aRecord(
  task: string,
  base: string,
  digest?: Digest,
  trigger: Partial<BaseImageTrigger> = {},
): TaskImages {
  return {
    task: task as TaskName,
    taskVersion: 1,
    learned: { from: 'context', at: '2026-11-21T08:00:00.000Z' },
    images: [{ image: anImage(`localhost:5080/${task}:1`), runtime: anImage(base, digest), buildTime: [] }],
    stepImages: [],
    problems: [],
    trigger: { name: 'base', baseImageTriggerType: 'Runtime', status: 'Enabled', ...trigger },
    isEnabled: true,
    failuresInRow: 0,
  };
}

/** One request to a registry that a test makes the answers of. */
export interface Seen {
  readonly method: string;
  readonly path: string;
  readonly headers: IncomingMessage['headers'];
}

/** A registry on loopback; `answer` gives the answers. Ends with the test. */
export async function startFake(answer: (seen: Seen, response: ServerResponse) => void) {
  const requests: Seen[] = [];
  const server = createServer((request, response) => {
    const seen = { method: request.method ?? '', path: request.url ?? '', headers: request.headers };
    requests.push(seen);
    answer(seen, response);
  });
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
  onTestFinished(async () => {
    server.closeAllConnections();
    await new Promise((done) => server.close(done));
  });
  const host = `127.0.0.1:${String((server.address() as AddressInfo).port)}`;
  return { host, requests, log: () => requests.map(({ method, path }) => `${method} ${path}`) };
}

/** The client of foreign registries as it is made for an installation, with what tests set of it. */
export function openRegistries(
  credentials: readonly RegistryCredential[] = [],
  allow: readonly string[] = ['127.0.0.1'],
) {
  const clock = testClock();
  const ask = createRegistrySession({
    sender: createSender({ egress: createEgress({ allow }), field: 'image' }),
    clock,
  });
  const credentialsFor = async () => credentials;
  return { clock, registries: createForeignRegistries({ ask, credentialsFor, clock, timeoutMs: 2000 }) };
}
