import { createServer, type IncomingHttpHeaders, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { Run } from '../../src/domain/run.ts';
import { createEgress } from '../../src/egress/egress.ts';
import { createStatusReports } from '../../src/notify/commit-status/report.ts';
import { createForgeSender } from '../../src/notify/forge/send.ts';
import { createMemoryStore } from '../../src/store/memory/store.ts';
import { aSourceTrigger, commitOf } from '../rig/deliveries.ts';
import { aTask } from '../rig/tasks.ts';

interface Seen {
  readonly path: string | undefined;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
}

const commit = commitOf('a');
let seen: Seen[] = [];
let forge: Server;
let origin: string;
beforeAll(async () => {
  forge = createServer((request, response) => {
    void text(request).then((body) => {
      seen.push({ path: request.url, headers: request.headers, body });
      response.writeHead(201).end('{}');
    });
  });
  await new Promise<void>((resolve) => forge.listen(0, '127.0.0.1', resolve));
  origin = `http://127.0.0.1:${String((forge.address() as AddressInfo).port)}`;
});
afterAll(() => new Promise((resolve) => forge.close(resolve)));
beforeEach(() => {
  seen = [];
});

/** Reports a queued run of a task whose repository lies at a Gitea that speaks http alone; gives why nothing was reported. */
async function report({ apiUrl, allow }: { apiUrl?: string; allow: readonly string[] }): Promise<readonly string[]> {
  const store = createMemoryStore({ clock: { now: () => 0 } });
  const repositoryUrl = `${origin}/acme/shop.git`;
  const sourceRepository = {
    sourceControlType: 'Github',
    repositoryUrl,
    ...(apiUrl !== undefined && { apiUrl }),
  } as const;
  const sourceTriggers = [aSourceTrigger({ sourceRepository })];
  const task = await store.tasks.put(aTask({ trigger: { timerTriggers: [], sourceTriggers } }), 0, []);
  const dropped: string[] = [];
  const reports = createStatusReports({
    runs: store.runs,
    tasks: store.tasks,
    openSecrets: () => ({ arguments: {}, registries: {}, sources: { source: 'forge-token' }, webhook: [] }),
    send: createForgeSender(createEgress({ allow })),
    url: 'https://slipway.example',
    onDropped: (_, because) => void dropped.push(because),
  });
  const { run } = await store.runs.create({
    runType: 'AutoBuild',
    request: { type: 'DockerBuildRequest' } as Run['request'],
    task: task.name,
    cause: {
      kind: 'source',
      trigger: 'source',
      id: 'd1',
      eventType: 'commit',
      commitId: commit,
      repositoryUrl,
      ref: 'refs/heads/main',
      providerType: 'gitea',
      isTrusted: true,
    },
  });
  await reports(run);
  return dropped;
}

describe('the status of a commit at a forge without https', () => {
  it('is reported where the trigger says where the API is, and the operator lets requests go there', async () => {
    expect(await report({ apiUrl: `${origin}/api/v1`, allow: ['127.0.0.1'] })).toEqual([]);
    expect(seen).toMatchObject([
      { path: `/api/v1/repos/acme/shop/statuses/${commit}`, headers: { authorization: 'token forge-token' } },
    ]);
    expect(seen[0]?.body).toContain('"state":"pending"');
  });

  it('is not, and no token leaves, without either', async () => {
    expect(await report({ allow: ['127.0.0.1'] })).toEqual(['a token is never sent over http']);
    const [refused] = await report({ apiUrl: `${origin}/api/v1`, allow: [] });
    expect(refused).toMatch(/private|loopback|not allowed|refused/i);
    expect(seen).toEqual([]);
  });
});
