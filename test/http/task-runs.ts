import { expect } from 'vitest';
import type { Run, RunId } from '../../src/domain/run.ts';
import type { RunCause } from '../../src/domain/run-cause.ts';
import { openRequestSecrets } from '../../src/trigger/sealed-secrets.ts';
import { startRig, testKey, workingWorker } from './rig.ts';
import { fullTask } from './task-bodies.ts';

export type Rig = Awaited<ReturnType<typeof startRig>>;

export const upload = 'source/202611210949/83de5b8e-0000-4000-8000-000000000000.tar.gz';

export async function startWithTask(body: object = fullTask()): Promise<Rig> {
  const rig = await startRig();
  await rig.store.workers.beat(workingWorker('w1', { pool: 'big' }));
  await rig.store.workers.beat(workingWorker('w2'));
  expect((await rig.api('PUT', '/tasks/nightly', body)).status).toBe(200);
  return rig;
}

export function schedule(rig: Rig, more: object = {}, headers: Record<string, string> = {}) {
  return rig.api('POST', '/scheduleRun', { type: 'TaskRunRequest', taskId: 'nightly', ...more }, headers);
}

export async function runOf(rig: Rig, id = 'ca1'): Promise<Run> {
  const run = await rig.store.runs.get(id as RunId);
  if (run === undefined) throw new Error(`there is no run ${id}`);
  return run;
}

export function secretsOf({ sealedSecrets = '' }: Run) {
  return openRequestSecrets(testKey, sealedSecrets);
}

/** A run of the task. */
export async function scheduled(rig: Rig): Promise<Run> {
  await schedule(rig);
  return runOf(rig);
}

/** What a fork's pull request is recorded as. */
export const event: RunCause = {
  kind: 'source',
  trigger: 'onpush',
  id: 'delivery-1',
  eventType: 'pullrequest',
  commitId: 'a'.repeat(40),
  pullRequestId: '7',
  repositoryUrl: 'https://github.com/acme/app.git',
  branchName: 'fix',
  ref: 'refs/pull/7/head',
  providerType: 'github',
  by: 'eve',
  isTrusted: false,
};
