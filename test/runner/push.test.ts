import { readFileSync } from 'node:fs';
import { Readable } from 'node:stream';
import type { IncomingMessage } from 'node:http';
import { describe, expect, it } from 'vitest';
import { runPush } from '../../src/runner/docker/push.ts';
import type { EngineCalls, EngineRequest } from '../../src/runner/docker/request.ts';
import { recordIo } from './rig.ts';

const digest = 'sha256:d3b65b0d75e64bb78384619e6cee37cfe0264d66e5845789801f479d3ce61f04';

/** Pushes one image to an engine that answers with these recordings, one a try. */
async function push(image: string, ...recordings: string[]) {
  const requests: EngineRequest[] = [];
  const calls: Partial<EngineCalls> = {
    stream: async (request) => {
      requests.push(request);
      const name = recordings[Math.min(requests.length, recordings.length) - 1] ?? '';
      return Readable.from([
        readFileSync(new URL(`fixtures/${name}.ndjson`, import.meta.url)),
      ]) as unknown as IncomingMessage;
    },
  };
  const io = recordIo();
  const credentials = { '127.0.0.1:5000': { userName: 'me', password: '???>>>' } };
  const signal = new AbortController().signal;
  const job = {
    engine: calls as EngineCalls,
    images: [image],
    credentials,
    io,
    signal,
    now: () => 0,
    backoffMs: () => [1, 1],
  };
  return { outcome: await runPush(job), io, requests };
}

describe('a push', () => {
  it('sends the credentials of its registry in the form that the engine reads', async () => {
    const { requests } = await push('127.0.0.1:5000/rec/base:1', 'push-new');
    expect(requests[0]).toMatchObject({ path: '/images/127.0.0.1:5000/rec/base/push', query: { tag: '1' } });
    const header = String(requests[0]?.headers?.['X-Registry-Auth']);
    expect(header).toMatch(/^[A-Za-z0-9_-]+=*$/);
    expect(header.length % 4).toBe(0);
    expect(JSON.parse(Buffer.from(header, 'base64url').toString())).toMatchObject({
      username: 'me',
      password: '???>>>',
    });
  });

  it('tells the digest', async () => {
    const { outcome, io } = await push('127.0.0.1:5000/rec/base:1', 'push-new');
    expect(outcome).toEqual({ kind: 'succeeded' });
    expect(io.images).toEqual([{ registry: '127.0.0.1:5000', repository: 'rec/base', tag: '1', digest }]);
  });

  it('goes to one tag only, and to Docker Hub, where the name says neither', async () => {
    const { requests, io } = await push('me/app', 'push-new');
    expect(requests[0]).toMatchObject({ path: '/images/docker.io/me/app/push', query: { tag: 'latest' } });
    expect(io.images[0]).toMatchObject({ registry: 'docker.io', tag: 'latest' });
  });

  it('is tried three times when the registry is in trouble, then fails with its words', async () => {
    const { outcome, requests } = await push('127.0.0.1:5000/rec/base:1', 'push-503');
    expect(requests.length).toBe(3);
    expect(outcome).toMatchObject({ kind: 'failed', message: expect.stringContaining('503 Service Unavailable') });
  });

  it('succeeds when a later try does', async () => {
    const { outcome, io } = await push('127.0.0.1:5000/rec/base:1', 'push-503', 'push-same');
    expect(outcome).toEqual({ kind: 'succeeded' });
    expect(io.images.length).toBe(1);
  });

  it.each(['push-denied', 'push-missing'])('is not tried again after %s', async (recording) => {
    const { outcome, requests } = await push('127.0.0.1:5000/rec/base:1', recording);
    expect(outcome.kind).toBe('failed');
    expect(requests.length).toBe(1);
  });
});
