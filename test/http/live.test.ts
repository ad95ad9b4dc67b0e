import { request as httpRequest } from 'node:http';
import { createParser, type EventSourceMessage } from 'eventsource-parser';
import { describe, expect, it, onTestFinished } from 'vitest';
import type { RunEvent, SequencedEvent } from '../../src/domain/event.ts';
import type { RunId } from '../../src/domain/run.ts';
import type { StepId } from '../../src/domain/step.ts';
import { basic, buildRequest, startRig, until } from './rig.ts';

type Rig = Awaited<ReturnType<typeof startRig>>;

const id = 'ca1' as RunId;
const step = 'build' as StepId;

function line(text: string): RunEvent {
  return { kind: 'output', step, stream: 'stdout', text };
}

/** A started run; `say` writes events of it. */
async function startRun(rig: Rig) {
  await rig.api('POST', '/scheduleRun', buildRequest());
  const run = await rig.store.runs.begin(id, 'w1');
  return (...events: RunEvent[]) => rig.store.runs.append(id, run!.attempt, events);
}

interface Following {
  readonly messages: EventSourceMessage[];
  readonly comments: string[];
  readonly ended: Promise<void>;
  readonly response: Response;
  stop(): void;
}

async function follow(rig: Rig, query = '', headers: Record<string, string> = {}): Promise<Following> {
  const stopper = new AbortController();
  onTestFinished(() => stopper.abort());
  const response = await fetch(`${rig.url}/api/v1/runs/${id}/events${query}`, {
    headers: { authorization: basic, ...headers },
    signal: stopper.signal,
  });
  const messages: EventSourceMessage[] = [];
  const comments: string[] = [];
  const parser = createParser({
    onEvent: (one) => void messages.push(one),
    onComment: (one) => void comments.push(one),
  });
  const read = async (): Promise<void> => {
    const decoder = new TextDecoder();
    for await (const chunk of response.body ?? []) parser.feed(decoder.decode(chunk as Uint8Array, { stream: true }));
  };
  const ended = read().catch(() => undefined);
  return { messages, comments, ended, response, stop: () => stopper.abort() };
}

const seqs = (one: Following): (string | undefined)[] => one.messages.map((message) => message.id);

describe('the live events of a run', () => {
  it('come each once, in order, as they happen, and end with the run', async () => {
    const rig = await startRig();
    const say = await startRun(rig);
    const live = await follow(rig);
    expect(live.response.headers.get('content-type')).toBe('text/event-stream; charset=utf-8');
    await until(() => live.messages.length === 2);
    await say(line('one'), line('two'));
    await until(() => live.messages.length === 4);
    await say(line('three'), { kind: 'run-ended', status: 'Succeeded' });
    await live.ended;
    expect(live.messages.map(({ event }) => event)).toEqual([
      ...['run-queued', 'run-started', 'output', 'output', 'output', 'run-ended', 'end'],
    ]);
    expect(seqs(live)).toEqual(['1', '2', '3', '4', '5', '6', undefined]);
    expect(JSON.parse(live.messages[2]!.data)).toEqual({ ...line('one'), seq: 3, at: '2026-11-21T09:00:00.000Z' });
    expect(JSON.parse(live.messages[6]!.data)).toEqual({ runId: 'ca1', status: 'Succeeded' });
  });

  it('go on behind the last one that a client has, by header or by query', async () => {
    const rig = await startRig();
    const say = await startRun(rig);
    await say(line('one'), line('two'));
    const first = await follow(rig);
    await until(() => first.messages.length === 4);
    first.stop();
    await say(line('three'));
    const byHeader = await follow(rig, '?after=1', { 'Last-Event-ID': '4' });
    const byQuery = await follow(rig, '?after=4');
    await say({ kind: 'run-ended', status: 'Failed' });
    await Promise.all([byHeader.ended, byQuery.ended]);
    expect([seqs(byHeader), seqs(byQuery)]).toEqual([
      ['5', '6', undefined],
      ['5', '6', undefined],
    ]);
  });

  it('come from the archive when the live log is gone', async () => {
    const rig = await startRig();
    const say = await startRun(rig);
    await say(line('one'), { kind: 'run-ended', status: 'Succeeded' });
    rig.archive.set(id, await rig.store.events.read(id, 0, 100));
    await rig.store.events.expire(id, 0);
    rig.clock.advance(1000);
    expect(await rig.store.events.read(id, 0, 100)).toEqual([]);
    const live = await follow(rig, '?after=2');
    await live.ended;
    expect(live.messages.map(({ id: seq, event }) => [seq, event])).toEqual([
      ['3', 'output'],
      ['4', 'run-ended'],
      [undefined, 'end'],
    ]);
    const log = await rig.api('GET', '/runs/ca1/log');
    expect(log.body).toContain('one\n');
  });

  it('end for a client that has them all, and for one that asks for what will never be', async () => {
    const rig = await startRig();
    const say = await startRun(rig);
    const beyond = await follow(rig, '?after=1000');
    await say({ kind: 'run-ended', status: 'Canceled' });
    await beyond.ended;
    const all = await follow(rig, '?after=3');
    await all.ended;
    expect([beyond.messages.map(({ event }) => event), all.messages.map(({ event }) => event)]).toEqual([
      ['end'],
      ['end'],
    ]);
  });

  it('end with the run also when its last event gets lost on the way', async () => {
    const rig = await startRig();
    const say = await startRun(rig);
    rig.store.events.follow = async function* (_id, _after, signal): AsyncGenerator<SequencedEvent> {
      await new Promise((resolve) => signal.addEventListener('abort', resolve));
      yield* [];
    };
    const live = await follow(rig, '?after=2');
    await say(line('one'), { kind: 'run-ended', status: 'Succeeded' });
    await live.ended;
    expect(live.messages.map(({ event }) => event)).toEqual(['output', 'run-ended', 'end']);
  });

  it('are kept alive while nothing happens', async () => {
    const rig = await startRig();
    await startRun(rig);
    const live = await follow(rig);
    await until(() => live.comments.length >= 2);
    expect(live.comments[0]).toBe('still here');
  });

  it.each(['-1', '1.5', 'x', '99999999999999999999'])('cannot begin after "%s"', async (after) => {
    const rig = await startRig();
    await startRun(rig);
    const answer = await rig.api('GET', `/runs/ca1/events?after=${after}`);
    expect([answer.status, answer.body.error.target]).toEqual([400, 'after']);
    expect((await rig.api('GET', '/runs/ca1/events', undefined, { 'Last-Event-ID': after })).status).toBe(400);
  });

  it('let go of the store when the client goes', async () => {
    const rig = await startRig();
    await startRun(rig);
    let open = 0;
    const original = rig.store.events.follow.bind(rig.store.events);
    rig.store.events.follow = async function* (...args): AsyncGenerator<SequencedEvent> {
      open += 1;
      try {
        yield* original(...args);
      } finally {
        open -= 1;
      }
    };
    const live = await follow(rig);
    await until(() => open === 1);
    live.stop();
    await until(() => open === 0);
  });

  it('wait for a slow client instead of piling up', async () => {
    const rig = await startRig();
    await startRun(rig);
    let given = 0;
    rig.store.events.follow = async function* (): AsyncGenerator<SequencedEvent> {
      for (let seq = 1; seq <= 20_000; seq++) {
        given = seq;
        yield { kind: 'output', stream: 'stdout', text: 'x'.repeat(1000), seq, at: '2026-11-21T09:00:00.000Z' };
      }
    };
    const request = httpRequest(`${rig.url}/api/v1/runs/ca1/events`, { headers: { authorization: basic } });
    onTestFinished(() => void request.destroy());
    request.on('error', () => undefined).on('response', (response) => response.pause());
    request.end();
    let before = -1;
    await until(async () => {
      const isStill = given > 0 && before === given;
      before = given;
      await new Promise((resolve) => setTimeout(resolve, 50));
      return isStill && before === given;
    });
    expect(given).toBeLessThan(15_000);
  });

  it('reach the client within milliseconds', async () => {
    const rig = await startRig();
    const say = await startRun(rig);
    const live = await follow(rig);
    await until(() => live.messages.length === 2);
    const times: number[] = [];
    for (let index = 0; index < 20; index++) {
      const count = live.messages.length;
      const from = performance.now();
      await say(line(`line ${index}`));
      while (live.messages.length === count) await new Promise((resolve) => setImmediate(resolve));
      times.push(performance.now() - from);
    }
    times.sort((a, b) => a - b);
    expect(times[10]).toBeLessThan(50);
  });
});

describe('the text log', () => {
  const whole = [
    'Queued a run with ID: ca1',
    'Started on worker w1',
    'Step build started',
    'hello',
    'Step build failed after 3s: exit code 1',
    'Run ID: ca1 failed after 3s. Error: step build failed',
    '',
  ].join('\n');

  async function workOff(rig: Rig, say: (...events: RunEvent[]) => Promise<void>): Promise<void> {
    await say(
      { kind: 'run-planned', steps: [{ id: step, kind: 'build' }] },
      { kind: 'step-started', step },
      line('hello'),
    );
    rig.clock.advance(3000);
    await say(
      { kind: 'step-ended', step, outcome: { kind: 'failed', exitCode: 1, message: 'exit code 1' } },
      { kind: 'run-ended', status: 'Failed', message: 'step build failed' },
    );
  }

  it('has a line for what happened, from the queue to the end', async () => {
    const rig = await startRig();
    await workOff(rig, await startRun(rig));
    const { status, headers, body } = await rig.api('GET', '/runs/ca1/log');
    expect([status, headers.get('content-type'), body]).toEqual([200, 'text/plain; charset=utf-8', whole]);
  });

  it('goes on until the run ends when it is followed, and stops where it is when not', async () => {
    const rig = await startRig();
    const say = await startRun(rig);
    expect((await rig.api('GET', '/runs/ca1/log')).body).toBe('Queued a run with ID: ca1\nStarted on worker w1\n');
    const followed = rig.api('GET', '/runs/ca1/log?follow=true');
    await workOff(rig, say);
    expect((await followed).body).toBe(whole);
    expect((await rig.api('GET', '/runs/ca1/log?follow=maybe')).status).toBe(400);
  });

  it('is read through its link without an account, and the link is good for nothing else', async () => {
    const rig = await startRig();
    await workOff(rig, await startRun(rig));
    const { body } = await rig.api('POST', '/runs/ca1/listLogSasUrl');
    const response = await fetch(body.logLink);
    expect([response.status, await response.text()]).toEqual([200, whole]);
    const head = await fetch(body.logLink, { method: 'HEAD' });
    expect([head.status, await head.text()]).toEqual([200, '']);
    for (const link of [body.logLink.replace('ca1', 'ca2'), `${body.logLink}0`, body.logLink.split('?')[0]]) {
      expect((await fetch(link)).status).toBe(403);
    }
    expect((await fetch(body.logLink, { method: 'PUT', body: 'x' })).status).toBe(405);
    rig.clock.advance(24 * 3600 * 1000);
    expect((await fetch(body.logLink)).status).toBe(410);
    expect((await rig.api('POST', '/runs/ca8/listLogSasUrl')).status).toBe(404);
  });

  it('comes through whole however long it is', async () => {
    const rig = await startRig();
    const say = await startRun(rig);
    for (let page = 0; page < 5; page++) {
      await say(...Array.from({ length: 1000 }, (_, index) => line(`${page}-${index} ${'y'.repeat(200)}`)));
    }
    await say({ kind: 'run-ended', status: 'Succeeded' });
    const { body } = await rig.api('GET', '/runs/ca1/log');
    expect(body.split('\n').length).toBe(5004);
    expect(body).toContain('\n4-999 ');
  });
});
