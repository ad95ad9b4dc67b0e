import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text as readText } from 'node:stream/consumers';
import { describe, expect, it, onTestFinished } from 'vitest';
import type { RunId } from '../../../src/domain/run.ts';
import type { Task, TaskName, TaskSecrets } from '../../../src/domain/task.ts';
import { createEgress } from '../../../src/egress/egress.ts';
import { createImageGraph } from '../../../src/patch/graph/image-graph.ts';
import { createTellEndpoint, tellOfStarts } from '../../../src/patch/notice/tell-endpoint.ts';
import type { CampaignRuns, WantedRun } from '../../../src/patch/ports.ts';
import type { EndpointNews, PatchJob } from '../../../src/queue/ports.ts';
import { aRecord, anImage, digestOf, startTime } from '../poll/rig.ts';

const image = { ...anImage('docker.io/library/node:20'), digest: digestOf('b') };
const at = '2026-11-21T09:00:00.000Z';
const news: EndpointNews = { task: 'app-a' as TaskName, campaign: 'cp7', try: 1, images: [image], at };

async function open({
  status = 200,
  type,
  path = '/hook',
}: { status?: number; type?: 'Default' | 'Token'; path?: string } = {}) {
  const bodies: unknown[] = [];
  const server = createServer((request, response) => {
    void readText(request).then((body) => {
      bodies.push([request.method, request.headers['content-type'], JSON.parse(body)]);
      response.writeHead(status).end();
    });
  });
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
  onTestFinished(async () => {
    server.closeAllConnections();
    await new Promise((done) => server.close(done));
  });
  const url = `http://127.0.0.1:${String((server.address() as AddressInfo).port)}${path}`;
  const trigger = { name: 'base', updateTriggerEndpoint: url, ...(type && { updateTriggerPayloadType: type }) };
  const tasks = new Map<string, unknown>([
    ['app-a', { name: 'app-a', sealedSecrets: 's', trigger: { baseImageTrigger: trigger } }],
  ]);
  const refused: string[] = [];
  const tell = (allow: readonly string[] = ['127.0.0.1']) =>
    createTellEndpoint({
      tasks: { get: async (name) => tasks.get(name) as Task | undefined },
      openSecrets: () => ({ updateToken: 'dG9rZW4=' }) as unknown as TaskSecrets,
      egress: createEgress({ allow }),
      onRefused: (_, because) => refused.push(because),
    });
  return { bodies, refused, tasks, tell };
}

describe('the endpoint of a base-image trigger', () => {
  it('is told the token and what has changed', async () => {
    const { bodies, tell } = await open();
    await tell()(news);
    const payload = {
      id: 'cp7/app-a/1',
      timestamp: at,
      action: 'base-image-update',
      task: 'app-a',
      campaign: 'cp7',
      images: [image],
      token: 'dG9rZW4=',
    };
    expect(bodies).toEqual([['POST', 'application/json; charset=utf-8', payload]]);
  });

  it('is told the token alone where it asks for that', async () => {
    const { bodies, tell } = await open({ type: 'Token' });
    await tell()(news);
    expect(bodies).toEqual([['POST', 'application/json; charset=utf-8', { token: 'dG9rZW4=' }]]);
  });

  it('is told again later when it fails or is busy, and never when it refuses or may not be reached', async () => {
    for (const status of [500, 503, 429, 408]) {
      const { tell, refused } = await open({ status });
      await expect(tell()(news)).rejects.toThrow(`the endpoint answers ${String(status)}`);
      expect(refused).toEqual([]);
    }
    for (const status of [400, 404, 302]) {
      const { tell, refused } = await open({ status });
      await tell()(news);
      expect(refused).toEqual([`the endpoint answers ${String(status)}`]);
    }
    const { tell, refused, bodies } = await open();
    await tell([])(news);
    expect([refused.length, bodies.length]).toEqual([1, 0]);
  });

  it('is told nothing when the task or the endpoint is gone', async () => {
    const { tell, bodies, tasks } = await open();
    tasks.set('app-a', { name: 'app-a', trigger: {} });
    await tell()(news);
    tasks.clear();
    await tell()(news);
    expect(bodies).toEqual([]);
  });
});

describe('runs that a campaign starts', () => {
  it('are told of to the endpoints of their tasks, once each has started', async () => {
    const jobs: PatchJob[] = [];
    const graph = createImageGraph([
      aRecord('app-a', 'r.test/base:1', undefined, { updateTriggerEndpoint: 'https://ci.test/hook' }),
      aRecord('app-b', 'r.test/base:1', undefined, { updateTriggerEndpoint: 'https://ci.test/hook' }),
      aRecord('app-c', 'r.test/base:1'),
    ]);
    const wanted = ['app-a', 'app-b', 'app-c'].map((task): WantedRun => ({
      task: task as TaskName,
      campaign: 'cp7',
      try: 1,
      images: [image],
    }));
    const results = [{ runId: 'ca1' as RunId }, { because: 'the task is disabled' }, { runId: 'ca2' as RunId }];
    const runs = { start: async () => results } as unknown as CampaignRuns;
    const publish = async (job: PatchJob) => void jobs.push(job);
    const telling = tellOfStarts(runs, { graph: { read: async () => graph }, publish, now: () => startTime });
    expect(await telling.start(wanted)).toBe(results);
    expect(jobs).toEqual([{ kind: 'tell', news }]);
  });
});
