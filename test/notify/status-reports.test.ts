import { describe, expect, it } from 'vitest';
import type { RunCause } from '../../src/domain/run-cause.ts';
import type { Run, RunId } from '../../src/domain/run.ts';
import type { StepId } from '../../src/domain/step.ts';
import type { TaskSecrets } from '../../src/domain/task.ts';
import type { ForgeRequest } from '../../src/notify/forge/api.ts';
import { createStatusReports } from '../../src/notify/commit-status/report.ts';
import { createMemoryStore } from '../../src/store/memory/store.ts';
import { commitOf, repositoryUrl } from '../rig/deliveries.ts';
import { aTask } from '../rig/tasks.ts';

const commit = commitOf('a');
const secrets: TaskSecrets = { arguments: {}, registries: {}, sources: { source: 'forge-token' }, webhook: [] };
const cause: RunCause = {
  kind: 'source',
  trigger: 'source',
  id: 'd1',
  eventType: 'commit',
  commitId: commit,
  repositoryUrl,
  ref: 'refs/heads/main',
  providerType: 'github',
  isTrusted: true,
};

async function setUp(status = 201, own: TaskSecrets = secrets) {
  const store = createMemoryStore({ clock: { now: () => 0 } });
  const task = await store.tasks.put(aTask(), 0, []);
  const sent: { request: ForgeRequest; body: Record<string, string> }[] = [];
  const dropped: string[] = [];
  const hooks = { onSend: async (): Promise<void> => undefined };
  const make = async (more: Partial<Parameters<typeof store.runs.create>[0]> = {}): Promise<Run> => {
    const request = { type: 'DockerBuildRequest' } as Run['request'];
    return (await store.runs.create({ runType: 'AutoBuild', request, task: task.name, cause, ...more })).run;
  };
  const report = createStatusReports({
    runs: store.runs,
    tasks: store.tasks,
    openSecrets: () => own,
    url: 'https://slipway.example',
    onDropped: (_, because) => void dropped.push(because),
    send: async (request) => {
      sent.push({ request, body: JSON.parse(request.body ?? '{}') as Record<string, string> });
      await hooks.onSend();
      return { status, headers: {}, text: '' };
    },
  });
  return { store, sent, dropped, hooks, make, report };
}

describe('the status of a commit', () => {
  it('is reported with the state that its run has and a link to it', async () => {
    const { sent, make, report } = await setUp();
    const { runId } = await make();
    await report({ runId });
    expect(sent[0]?.request.url).toBe(`https://api.github.com/repos/Acme/shop/statuses/${commit}`);
    expect(sent[0]?.body).toEqual({
      state: 'pending',
      target_url: `https://slipway.example/runs/${runId}`,
      description: 'Queued',
      context: 'slipway/build-app',
    });
  });

  it('says which step failed, and how', async () => {
    const { store, sent, make, report } = await setUp();
    const { runId } = await make();
    await store.runs.begin(runId, 'w1');
    const id = 'test' as StepId;
    const outcome = { kind: 'failed', exitCode: 3, message: 'a secret message' } as const;
    await store.runs.append(runId, 1, [
      { kind: 'run-planned', steps: [{ id, kind: 'cmd' }] },
      { kind: 'step-started', step: id },
      { kind: 'step-ended', step: id, outcome },
      { kind: 'run-ended', status: 'Failed' },
    ]);
    const run = await store.runs.get(runId);
    await report({ runId });
    expect(run?.status).toBe('Failed');
    expect(sent[0]?.body['state']).toBe('failure');
    expect(sent[0]?.body['description']).toMatch(/^Step test failed.*: exit code 3$/);
    expect(JSON.stringify(sent)).not.toContain('a secret message');
  });

  it('is reported again when the run went on meanwhile, so that the last one stays', async () => {
    const { store, sent, hooks, make, report } = await setUp();
    const { runId } = await make();
    hooks.onSend = async () => {
      await store.runs.requestCancel(runId, 'ada');
    };
    await report({ runId });
    expect(sent.map(({ body }) => body['description'])).toEqual(['Queued', 'Canceled']);
  });

  it('is left to be tried again when the forge is out of order, and dropped when it will never take it', async () => {
    const ill = await setUp(503);
    await expect(ill.report(await ill.make())).rejects.toMatchObject({ failure: { reason: 'source-unavailable' } });
    const shut = await setUp(403);
    await shut.report(await shut.make());
    expect(shut.dropped).toEqual(['the token may not set commit statuses (403)']);
  });

  it('is nobody’s business for runs without an event, a token, a known forge, or a task', async () => {
    const { sent, dropped, make, report } = await setUp();
    await report(await make({ cause: { kind: 'manual', by: 'ada' } }));
    await report({ runId: 'cazz' as RunId });
    await report(await make({ cause: { ...cause, providerType: 'generic' } }));
    await report(await make({ task: 'gone-task' as never }));
    const poor = await setUp(201, { ...secrets, sources: {} });
    await poor.report(await poor.make());
    expect([...sent, ...poor.sent]).toEqual([]);
    expect(dropped).toEqual([expect.stringContaining('plain git server'), 'its task is gone']);
    expect(poor.dropped).toEqual(['the trigger source has no token for the forge']);
  });
});
